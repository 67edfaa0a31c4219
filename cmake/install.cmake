# Installation: the libraries with their headers, each a component for find_package (estab::core, ...)
# and a package for pkg-config (estab-core, ...; all of them: estab); and the program.
include(CMakePackageConfigHelpers)

set(components core trace device host sim posix)  # each after those it needs
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/estab)
set(pkg_config_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(pkg_config_name_Libmnl::Libmnl libmnl)

# What a component needs is said to CMake and pkg-config component by component: who wants estab::core
# alone need not have libmnl.
set(needs_of_components)
foreach(component ${components})
  install(TARGETS estab-${component} EXPORT estab-${component} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT estab-${component} NAMESPACE estab:: DESTINATION ${package_dir})
  get_target_property(ours estab-${component} ESTAB_LINK)
  get_target_property(system estab-${component} ESTAB_SYSTEM_LINK)
  string(APPEND needs_of_components "set(estab_needs_${component} ${ours})\n"
                                    "set(estab_system_needs_${component} ${system})\n")
endforeach()

# What g++ left in them to optimise a whole program by is for this very version of g++, and would stop another.
if(estab_lto_flags)
  foreach(component ${components})
    install(CODE "execute_process(COMMAND ${CMAKE_OBJCOPY} --wildcard --remove-section=.gnu.lto_*
      --remove-section=.gnu.debuglto_* --strip-symbol=__gnu_lto_*
      \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/libestab-${component}.a
      COMMAND_ERROR_IS_FATAL ANY)")
  endforeach()
endif()
install(DIRECTORY include/estab DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
if(TARGET estab)
  install(TARGETS estab RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(cmake/estabConfig.cmake.in estabConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(estabConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/estabConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/estabConfigVersion.cmake
              ${CMAKE_CURRENT_SOURCE_DIR}/cmake/FindLibmnl.cmake DESTINATION ${package_dir})

# estab_pkg_config(NAME LIBS REQUIRES): the libraries are static, so that what they need is always
# linked, and stands under Requires. The prefix is told relative to the file, so that an installed tree
# can be moved.
file(RELATIVE_PATH up_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
function(estab_pkg_config name libs requires)
  configure_file(cmake/estab.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${pkg_config_dir})
endfunction()
foreach(component ${components})
  get_target_property(ours estab-${component} ESTAB_LINK)
  get_target_property(system estab-${component} ESTAB_SYSTEM_LINK)
  list(TRANSFORM ours PREPEND estab-)
  foreach(target ${system})
    list(APPEND ours ${pkg_config_name_${target}})
  endforeach()
  list(JOIN ours " " requires)
  estab_pkg_config(estab-${component} "-L\${libdir} -lestab-${component}" "${requires}")
endforeach()
list(TRANSFORM components PREPEND estab- OUTPUT_VARIABLE all)
list(REVERSE all)
list(JOIN all " " requires)
estab_pkg_config(estab "" "${requires}")
