# The same options give the same bytes, another seed other ones, and nothing of the contract's table
# of events is missing. OUT is a folder to write to.
foreach(name IN ITEMS one again other)
    set(options --registrations)
    if(name STREQUAL "other")
        list(APPEND options --seed 2)
    endif()
    execute_process(COMMAND ${GENERATE} ${options} OUTPUT_FILE ${OUT}/${name}.ndjson
                    RESULT_VARIABLE rc)
    if(NOT rc EQUAL 0)
        message(FATAL_ERROR "pathway-generate ended with ${rc}")
    endif()
    file(SHA256 ${OUT}/${name}.ndjson ${name})
endforeach()
if(NOT one STREQUAL again)
    message(FATAL_ERROR "the same options gave other bytes: ${OUT}/one.ndjson and again.ndjson")
endif()
if(one STREQUAL other)
    message(FATAL_ERROR "another seed gave the same bytes")
endif()

foreach(type IN ITEMS
        school.registered school.changed school.closed school.succeeded programme.entered
        phase.recorded specialist.appointed specialist.stood_down commitment.given
        commitment.withdrawn lead.named lead.stood_down readiness.assessed group.joined group.left
        school.visited focus.worked contact.made waiver.granted waiver.ended group.formed group.met
        event.voided)
    file(STRINGS ${OUT}/one.ndjson found REGEX "\"type\":\"${type}\"" LIMIT_COUNT 1)
    if(NOT found)
        message(FATAL_ERROR "no ${type} in ${OUT}/one.ndjson")
    endif()
endforeach()
