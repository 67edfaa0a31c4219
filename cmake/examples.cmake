# Every file of examples/ is a program of its own, built as an application would build it: public
# headers and an exported target, no more.
file(GLOB example_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.cpp)
foreach(source ${example_sources})
  cmake_path(GET source STEM stem)
  add_executable(example_${stem} ${source})
  target_link_libraries(example_${stem} PRIVATE estab_flags estab::host)
endforeach()
# One of them needs no device and says by its exit code whether all went well.
if(ESTAB_BUILD_TESTS AND TARGET example_sans_io)
  add_test(NAME example.sans_io COMMAND example_sans_io)
  set_tests_properties(example.sans_io PROPERTIES LABELS unit TIMEOUT 60)
endif()
