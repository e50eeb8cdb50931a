# layers.cmake - refuses an include of a layer that stands above, by file and line.
#
#   cmake -DROOT=<source folder> -P layers.cmake
#
# Linking finds a call upwards; this finds a header that is included for a struct or a macro only.
cmake_minimum_required(VERSION 3.25)

# What each folder may see, itself included. "pathway" is include/pathway.
set(base_sees base)
set(model_sees base model)
set(store_sees base model store)
set(lua_sees base model lua)
set(engine_sees base model store lua engine)
set(host_sees base model store lua engine host pathway)
set(cli_sees base model store lua engine host cli pathway)
set(layers base model store lua engine host cli pathway)
set(complaints 0)

# Print FILE:LINE of the first `text` in the file, and what is wrong with it.
function(complain file text why)
    file(READ ${file} content)
    string(FIND "${content}" "${text}" at)
    string(SUBSTRING "${content}" 0 ${at} before)
    string(REGEX REPLACE "[^\n]" "" newlines "${before}")
    string(LENGTH "${newlines}" line)
    math(EXPR line "${line} + 1")
    file(RELATIVE_PATH name ${ROOT} ${file})
    message("${name}:${line}: ${text}: ${why}")
    math(EXPR complaints "${complaints} + 1")
    set(complaints ${complaints} PARENT_SCOPE)
endfunction()

# Each include of `files` names a folder in `seen`, or none that is a layer.
macro(check_files files who seen)
    foreach(file IN LISTS ${files})
        file(STRINGS ${file} includes REGEX "^[ \t]*#[ \t]*include")
        foreach(text IN LISTS includes)
            if(text MATCHES "[<\"]([a-z_]+)/" AND CMAKE_MATCH_1 IN_LIST layers
               AND NOT CMAKE_MATCH_1 IN_LIST ${seen})
                complain(${file} "${text}" "${who} may not see ${CMAKE_MATCH_1}")
            elseif(text MATCHES "\"\\.\\./")
                complain(${file} "${text}" "expected a path that begins with its layer")
            endif()
        endforeach()
    endforeach()
endmacro()

foreach(layer IN ITEMS base model store lua engine host cli)
    file(GLOB_RECURSE sources ${ROOT}/daemon/${layer}/*.c ${ROOT}/daemon/${layer}/*.h)
    check_files(sources ${layer} ${layer}_sees)
endforeach()

set(plugin_sees pathway)
file(GLOB_RECURSE sources ${ROOT}/plugins/*.c ${ROOT}/plugins/*.h)
check_files(sources "a plugin" plugin_sees)

set(public_sees pathway)
file(GLOB_RECURSE sources ${ROOT}/include/*.h)
check_files(sources "a public header" public_sees)

if(complaints GREATER 0)
    message(FATAL_ERROR "base <- model <- {store, lua} <- engine <- host <- the programs")
endif()
