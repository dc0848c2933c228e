# Finds header-only libraries, with or without a CMake package of their own. Installed beside the package's config file,
# so that a consumer finds them by the same rules as the build did.
#
# serinus_find_headers(TARGET <target> PACKAGE <name> VERSION <least> HEADER <file>)
#   Makes sure that <target> exists. Asked in this order: the folders in SERINUS_HEADER_DIRS, the library's own CMake
#   package, any folder that CMake searches for headers. Sets <name>_FOUND.

include_guard(GLOBAL)

function(_serinus_header_target target include_dir)
  add_library(${target} INTERFACE IMPORTED)
  set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${include_dir}")
endfunction()

# "1.74" from the library's own macros; empty when they are not known. A library that does not say it is trusted.
function(_serinus_header_version include_dir package result)
  set(${result} "" PARENT_SCOPE)
  if(package STREQUAL "Boost")
    file(STRINGS "${include_dir}/boost/version.hpp" line REGEX "^#define BOOST_LIB_VERSION")
    if(line MATCHES "\"([0-9]+)_([0-9]+)")
      set(${result} "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}" PARENT_SCOPE)
    endif()
  endif()
endfunction()

macro(serinus_find_headers)
  cmake_parse_arguments(_serinus "" "TARGET;PACKAGE;VERSION;HEADER" "" ${ARGN})
  if(NOT TARGET ${_serinus_TARGET} AND SERINUS_HEADER_DIRS)
    find_path(SERINUS_${_serinus_PACKAGE}_INCLUDE_DIR ${_serinus_HEADER} PATHS ${SERINUS_HEADER_DIRS} NO_DEFAULT_PATH)
  endif()
  if(NOT TARGET ${_serinus_TARGET} AND NOT SERINUS_${_serinus_PACKAGE}_INCLUDE_DIR)
    find_package(${_serinus_PACKAGE} ${_serinus_VERSION} CONFIG QUIET)
  endif()
  if(NOT TARGET ${_serinus_TARGET})
    find_path(SERINUS_${_serinus_PACKAGE}_INCLUDE_DIR ${_serinus_HEADER})
    if(SERINUS_${_serinus_PACKAGE}_INCLUDE_DIR)
      _serinus_header_version("${SERINUS_${_serinus_PACKAGE}_INCLUDE_DIR}" ${_serinus_PACKAGE} _serinus_found_version)
      if(NOT _serinus_found_version STREQUAL "" AND _serinus_found_version VERSION_LESS _serinus_VERSION)
        message(STATUS "serinus: ${_serinus_PACKAGE} ${_serinus_found_version} in "
                       "${SERINUS_${_serinus_PACKAGE}_INCLUDE_DIR} is older than ${_serinus_VERSION}")
      else()
        _serinus_header_target(${_serinus_TARGET} "${SERINUS_${_serinus_PACKAGE}_INCLUDE_DIR}")
      endif()
    endif()
    mark_as_advanced(SERINUS_${_serinus_PACKAGE}_INCLUDE_DIR)
  endif()
  if(TARGET ${_serinus_TARGET})
    set(${_serinus_PACKAGE}_FOUND TRUE)
  else()
    set(${_serinus_PACKAGE}_FOUND FALSE)
  endif()
endmacro()

macro(serinus_find_boost)
  serinus_find_headers(TARGET Boost::headers PACKAGE Boost VERSION 1.74 HEADER boost/version.hpp)
endmacro()
