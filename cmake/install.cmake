# Installation: the libraries with their headers, found by CMake as estab::core, estab::trace,
# estab::device and estab::host, and by pkg-config as `estab`; and the program.
include(CMakePackageConfigHelpers)

set(libraries estab-core estab-trace estab-device estab-host estab-posix)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/estab)

install(TARGETS ${libraries} EXPORT estab ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# What g++ left in them to optimise a whole program by is for this very version of g++, and would stop another.
if(estab_lto_flags)
  foreach(library ${libraries})
    install(CODE "execute_process(COMMAND ${CMAKE_OBJCOPY} --wildcard --remove-section=.gnu.lto_*
      --remove-section=.gnu.debuglto_* --strip-symbol=__gnu_lto_*
      \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/lib${library}.a COMMAND_ERROR_IS_FATAL ANY)")
  endforeach()
endif()
install(DIRECTORY include/estab DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(EXPORT estab FILE estabTargets.cmake NAMESPACE estab:: DESTINATION ${package_dir})
if(TARGET estab)
  install(TARGETS estab RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(cmake/estabConfig.cmake.in estabConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(estabConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/estabConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/estabConfigVersion.cmake DESTINATION ${package_dir})

# A static linker takes what is still missing from the libraries after it: dependents go first.
set(pkg_config_libs)
foreach(library ${libraries})
  get_target_property(type ${library} TYPE)
  if(type STREQUAL STATIC_LIBRARY)
    string(PREPEND pkg_config_libs " -l${library}")
  endif()
endforeach()
# The prefix is told relative to the file, so that an installed tree can be moved.
set(pkg_config_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH up_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/estab.pc.in estab.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/estab.pc DESTINATION ${pkg_config_dir})
