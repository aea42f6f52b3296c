# SPDX-License-Identifier: GPL-2.0-or-later
# Debian packages by `cpack` in the build folder: one for each component, with what Debian's policy
# wants beside the files: copyright, change log, the library's name for who depends on it.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME q2p)
set(CPACK_PACKAGE_VENDOR "The Q2P toolkit")
set(CPACK_PACKAGE_CONTACT "The Q2P toolkit's maintainers <maintainers@q2p.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each has its own
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

set(q2p_debian ${PROJECT_BINARY_DIR}/debian)
file(CONFIGURE OUTPUT ${q2p_debian}/triggers CONTENT "activate-noawait ldconfig\n")
file(CONFIGURE OUTPUT ${q2p_debian}/shlibs CONTENT "libq2p 0 libq2p0 (>= ${PROJECT_VERSION})\n")
file(CONFIGURE OUTPUT ${q2p_debian}/changelog CONTENT
"q2p (${PROJECT_VERSION}) unstable; urgency=medium

  * Made by cpack from the tree of this version.

 -- ${CPACK_PACKAGE_CONTACT}  Sat, 21 Nov 2026 12:00:00 +0000
")
add_custom_command(OUTPUT ${q2p_debian}/changelog.gz DEPENDS ${q2p_debian}/changelog
  COMMAND gzip -9nkf ${q2p_debian}/changelog)
add_custom_target(debian-changelog ALL DEPENDS ${q2p_debian}/changelog.gz)

# q2p_deb(PACKAGE SECTION SUMMARY TEXT)
function(q2p_deb package section summary text)
  string(TOUPPER ${package} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "Q2P peer-to-peer protocol: ${summary}\n${text}"
    PARENT_SCOPE)
  install(FILES ${PROJECT_SOURCE_DIR}/libq2p/cmake/copyright ${q2p_debian}/changelog.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${package})
endfunction()
q2p_deb(libq2p0 libs "library"
  "libq2p joins peers through a seed, punches holes through their NATs and
carries byte strings in datagrams of 512 bytes. It needs no threads, and no
sockets unless its driver is wanted.")
q2p_deb(libq2p-dev libdevel "development files"
  "Headers, static library, CMake package and pkg-config file of libq2p, and
two programs to copy from: hello.c, and embed_libuv.c for a foreign loop.")
q2p_deb(q2p-tools net "q2p and q2p-sim"
  "q2p runs a node, sends and receives files, and checks, decodes and replays
captures. q2p-sim lets nodes meet behind NATs of all kinds in virtual time;
/usr/share/q2p/scenarios has what to start from.")
if(Q2P_BUILD_DISSECTOR)
  q2p_deb(wireshark-q2p net "plugin for Wireshark and TShark"
    "It shows every event and field of all dialects, puts transmissions together
again, and tells what is lost, what is late and what is malformed.")
endif()
set(CPACK_DEBIAN_LIBQ2P-DEV_PACKAGE_DEPENDS "libq2p0 (= ${PROJECT_VERSION}), nettle-dev")
set(CPACK_DEBIAN_LIBQ2P0_PACKAGE_CONTROL_EXTRA
  ${q2p_debian}/triggers ${q2p_debian}/shlibs)

if(Q2P_BUILD_SIMULATOR)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/simulator/scenarios
    DESTINATION ${CMAKE_INSTALL_DATADIR}/q2p COMPONENT q2p-tools)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/libq2p/examples/hello.c
  ${PROJECT_SOURCE_DIR}/libq2p/examples/embed_libuv.c
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libq2p-dev/examples COMPONENT libq2p-dev)
include(CPack)
