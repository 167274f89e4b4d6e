# find_package(fermata) gives fermata::fermata; pkg-config --static fermata does the same for other build systems.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

install(TARGETS fermata EXPORT fermata-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/fermata DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT fermata-targets NAMESPACE fermata:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/fermata)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/fermata)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/fermata-config.cmake.in ${CMAKE_BINARY_DIR}/fermata-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/fermata-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/fermata-config.cmake ${CMAKE_BINARY_DIR}/fermata-config-version.cmake DESTINATION ${package_dir})

# Relative, because `cmake --install --prefix` may put it anywhere.
file(RELATIVE_PATH FERMATA_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_SOURCE_DIR}/cmake/fermata.pc.in ${CMAKE_BINARY_DIR}/fermata.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/fermata.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
