# Installs each component with its own export file, so that a package of the headers alone is whole.
include(CMakePackageConfigHelpers)
set(SERINUS_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/serinus")
set(SERINUS_PC_DIR "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
# The .pc files find their prefix from where they lie, so the installed tree can be moved.
file(RELATIVE_PATH SERINUS_PC_PREFIX "${CMAKE_INSTALL_PREFIX}/${SERINUS_PC_DIR}" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" SERINUS_PC_PREFIX "${SERINUS_PC_PREFIX}")

function(serinus_install component pkgconfig)
  install(
    TARGETS ${ARGN}
    EXPORT serinus-${component}-targets
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${component})
  install(EXPORT serinus-${component}-targets NAMESPACE serinus:: DESTINATION ${SERINUS_CMAKE_DIR}
          COMPONENT ${component})
  configure_file(cmake/${pkgconfig}.pc.in "${PROJECT_BINARY_DIR}/${pkgconfig}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${pkgconfig}.pc" DESTINATION ${SERINUS_PC_DIR} COMPONENT ${component})
  install(
    FILES "${PROJECT_BINARY_DIR}/serinus-config.cmake" "${PROJECT_BINARY_DIR}/serinus-config-version.cmake"
          "${PROJECT_SOURCE_DIR}/cmake/serinus-third-party.cmake"
    DESTINATION ${SERINUS_CMAKE_DIR} COMPONENT ${component})
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT ${component})
endfunction()

configure_package_config_file(cmake/serinus-config.cmake.in "${PROJECT_BINARY_DIR}/serinus-config.cmake"
                              INSTALL_DESTINATION ${SERINUS_CMAKE_DIR})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/serinus-config-version.cmake" COMPATIBILITY SameMinorVersion)

# serinus_strict_fp has no FILE_SET of its own, and needs none.
install(TARGETS serinus_strict_fp EXPORT serinus-headers-targets COMPONENT headers)
serinus_install(headers serinus-headers serinus_headers)
serinus_install(cpp serinus serinus_cpp)
if(SERINUS_BUILD_C)
  serinus_install(c serinus-c serinus_c serinus_c_static)
endif()
if(TARGET serinus)
  install(TARGETS serinus RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT cli)
endif()
