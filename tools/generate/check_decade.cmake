# What the national rules make of the invented decade: every phase, and every alert, is there to be seen.
# On the last day no visit can be overdue and no contact lost, so early in a school year; these two are
# looked for in the May before. OUT is a folder to write to.
execute_process(COMMAND ${GENERATE} --registrations OUTPUT_FILE ${OUT}/decade.ndjson RESULT_VARIABLE rc)
if(NOT rc EQUAL 0)
    message(FATAL_ERROR "pathway-generate ended with ${rc}")
endif()

function(expect at)
    execute_process(COMMAND ${PATHWAY} judge --rules ${RULES} --at ${at} ${OUT}/decade.ndjson
                    OUTPUT_FILE ${OUT}/decade-${at}.csv RESULT_VARIABLE rc ERROR_VARIABLE said)
    if(NOT rc EQUAL 0)
        message(FATAL_ERROR "pathway judge ended with ${rc}: ${said}")
    endif()
    foreach(decision IN LISTS ARGN)
        file(STRINGS ${OUT}/decade-${at}.csv found REGEX ",${decision}$" LIMIT_COUNT 1)
        if(NOT found)
            message(FATAL_ERROR "no school has ${decision} in ${OUT}/decade-${at}.csv")
        endif()
    endforeach()
endfunction()

expect(2026-11-24 pathway_phase,none pathway_phase,preparatory pathway_phase,development
       pathway_phase,building pathway_phase,refinement lead_missing,true meeting_missed,true
       meeting_unrecorded,true development_incomplete,true out_of_order,true
       sustaining_lapsed,true stale_urn,true)
expect(2026-05-10 visit_overdue,true out_of_contact,true)
