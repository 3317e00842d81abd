# Installs the libraries and their headers as a CMake package: find_package(tombolo), then link
# tombolo::overlay or tombolo::sim; find_package(tombolo COMPONENTS node), then link tombolo::node. That
# is a package component with an export of its own, since only it needs other packages. tests/install
# builds consumers against an installed copy.
#
# Components: `library` (default for C++ users); the Python package installs its own component.
include(CMakePackageConfigHelpers)

set(tombolo_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tombolo)

install(
  TARGETS tombolo_overlay tombolo_sim
  EXPORT tomboloTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tombolo COMPONENT library
)
if(TARGET tombolo-sim)
  install(TARGETS tombolo-sim RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT library)
endif()
if(TARGET tombolo-node)
  install(TARGETS tombolo-node tomboloctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT library)
  install(
    TARGETS tombolo_node tombolo_proto
    EXPORT tomboloNodeTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tombolo COMPONENT library
  )
  install(
    EXPORT tomboloNodeTargets
    NAMESPACE tombolo::
    DESTINATION ${tombolo_package_dir}
    COMPONENT library
  )
endif()
install(
  EXPORT tomboloTargets
  NAMESPACE tombolo::
  DESTINATION ${tombolo_package_dir}
  COMPONENT library
)

configure_package_config_file(
  cmake/tomboloConfig.cmake.in ${PROJECT_BINARY_DIR}/tomboloConfig.cmake
  INSTALL_DESTINATION ${tombolo_package_dir}
)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/tomboloConfigVersion.cmake COMPATIBILITY SameMinorVersion
)
install(
  FILES ${PROJECT_BINARY_DIR}/tomboloConfig.cmake ${PROJECT_BINARY_DIR}/tomboloConfigVersion.cmake
  DESTINATION ${tombolo_package_dir}
  COMPONENT library
)
