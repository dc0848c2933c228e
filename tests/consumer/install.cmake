# Installs everything into PREFIX, and the headers' component alone into PREFIX-headers.
file(REMOVE_RECURSE "${PREFIX}" "${PREFIX}-headers")
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --config ${CONFIG} --prefix ${PREFIX}
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --config ${CONFIG} --prefix ${PREFIX}-headers
                        --component headers COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE compiled "${PREFIX}-headers/*.a" "${PREFIX}-headers/*.so*")
if(compiled)
  message(FATAL_ERROR "the headers' component holds compiled files: ${compiled}")
endif()
