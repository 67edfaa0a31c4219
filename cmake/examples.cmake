# Every file of examples/ is a program of its own, built as an application would build it: public
# headers and an exported target, no more.
file(GLOB example_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.cpp)
foreach(source ${example_sources})
  cmake_path(GET source STEM stem)
  add_executable(example_${stem} ${source})
  target_link_libraries(example_${stem} PRIVATE estab_flags estab::host)
endforeach()
# Those that need no interface of the kernel's say by their exit code whether all went well.
if(ESTAB_BUILD_TESTS)
  foreach(name sans_io socketpair)
    if(TARGET example_${name})
      add_test(NAME example.${name} COMMAND example_${name})
      set_tests_properties(example.${name} PROPERTIES LABELS unit TIMEOUT 60)
    endif()
  endforeach()
endif()
