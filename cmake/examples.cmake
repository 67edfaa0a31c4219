# Every file of examples/ is a program of its own, built as an application would build it: public
# headers and an exported target, no more.
file(GLOB example_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.cpp)
foreach(source ${example_sources})
  cmake_path(GET source STEM stem)
  add_executable(example_${stem} ${source})
  target_link_libraries(example_${stem} PRIVATE estab_flags estab::host estab::sim)
endforeach()
# Some need no device, and say by their exit code whether all went well.
foreach(stem sans_io bad_network socketpair forwarder)
  if(ESTAB_BUILD_TESTS AND TARGET example_${stem})
    add_test(NAME example.${stem} COMMAND example_${stem})
    set_tests_properties(example.${stem} PROPERTIES LABELS unit TIMEOUT 60)
  endif()
endforeach()
