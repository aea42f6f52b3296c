# SPDX-License-Identifier: GPL-2.0-or-later
# What `cmake --install` puts where: the library for programs (libq2p0), and what one needs to
# build programs with it (libq2p-dev): headers, static library, CMake package, pkg-config file.
include(CMakePackageConfigHelpers)

set_target_properties(q2p_shared PROPERTIES EXPORT_NAME q2p)
install(TARGETS q2p_shared q2p_static EXPORT q2p
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libq2p0 NAMELINK_COMPONENT libq2p-dev
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libq2p-dev
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/q2p ${CMAKE_CURRENT_BINARY_DIR}/include/q2p
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT libq2p-dev FILES_MATCHING PATTERN "*.h")

set(q2p_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/q2p)
install(EXPORT q2p NAMESPACE q2p:: FILE q2pTargets.cmake DESTINATION ${q2p_cmake_dir}
  COMPONENT libq2p-dev)
configure_package_config_file(cmake/q2pConfig.cmake.in q2pConfig.cmake
  INSTALL_DESTINATION ${q2p_cmake_dir})
write_basic_package_version_file(q2pConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/q2pConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/q2pConfigVersion.cmake
  DESTINATION ${q2p_cmake_dir} COMPONENT libq2p-dev)

# Relative to the file itself, so that a tree that is moved, or installed with DESTDIR, works.
file(RELATIVE_PATH q2p_pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/libq2p.pc.in libq2p.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libq2p.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT libq2p-dev)
