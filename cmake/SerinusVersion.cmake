# The version is written once, in core/version.hpp. Sets SERINUS_VERSION.
set(_serinus_version_header "${CMAKE_CURRENT_LIST_DIR}/../include/serinus/core/version.hpp")
file(STRINGS "${_serinus_version_header}" _serinus_version_line REGEX "^#define SERINUS_VERSION_STRING \"[0-9.]+\"")
if(NOT _serinus_version_line MATCHES "\"([0-9]+\\.[0-9]+\\.[0-9]+)\"")
  message(FATAL_ERROR "no SERINUS_VERSION_STRING in ${_serinus_version_header}")
endif()
set(SERINUS_VERSION "${CMAKE_MATCH_1}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_serinus_version_header}")
