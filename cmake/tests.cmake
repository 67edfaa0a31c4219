# Unit tests stand beside the code (src/x/y_test.cpp): one executable a folder. Larger tests have a
# folder each below tests/. Labels: unit, style, requirements, package, sim, interop, fuzz; besides,
# `long` for what takes more than some seconds, and `threads` for what the thread sanitizer watches.
find_package(GTest REQUIRED)
include(GoogleTest)
add_custom_target(tests_of_threads)  # builds the tests labelled so: all that the preset tsan needs

# estab_test(NAME SOURCES file... [LINK target...] [LABELS label...] [RESOURCE_LOCK name]
#            [TIMEOUT seconds]): a GoogleTest program, each TEST in it a test of CTest's. Without
# sources there is no target.
function(estab_test name)
  cmake_parse_arguments(arg "" "TIMEOUT;RESOURCE_LOCK" "LINK;SOURCES;LABELS" ${ARGN})
  if(NOT arg_SOURCES)
    return()
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set(properties TIMEOUT ${arg_TIMEOUT})
  if(arg_RESOURCE_LOCK)
    list(APPEND properties RESOURCE_LOCK "${arg_RESOURCE_LOCK}")
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE estab_flags ${arg_LINK} GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  # What is measured and explored is in libraries; the tests' own code is to be compiled quickly. Under
  # the sanitizers -O1 takes g++ 12 twice as long as -O0.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1> $<$<CONFIG:Debug>:-O0>)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
  # Its PROPERTIES take no lists (of two labels it keeps the first), so the labels are set behind it.
  set(labels ${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake)
  file(CONFIGURE OUTPUT ${labels} @ONLY CONTENT
       "if(@name@_TESTS)
  set_tests_properties(\${@name@_TESTS} PROPERTIES LABELS \"@arg_LABELS@\")
endif()
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${labels})
  if("threads" IN_LIST arg_LABELS)
    add_dependencies(tests_of_threads ${name})
  endif()
endfunction()

foreach(folder base wire ip udp tcp tcp/close tcp/congestion tcp/connection tcp/ecn tcp/loss tcp/open tcp/receive
        tcp/send stack)
  file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*_test.cpp)
  string(REPLACE "/" "_" suffix ${folder})
  estab_test(test_${suffix} LINK estab-device estab-trace estab-core SOURCES ${found})
endforeach()
set(labels_trace unit)
set(labels_device unit threads)
set(labels_host unit threads)
foreach(folder trace device host)
  file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*_test.cpp)
  estab_test(test_${folder} LINK estab-host estab-device estab-trace estab-core SOURCES ${found}
             LABELS ${labels_${folder}})
endforeach()

file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/gateway/*_test.cpp)
estab_test(test_gateway LINK estab-gateway estab-host estab-device estab-trace estab-core SOURCES ${found}
           LABELS unit threads)

file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/sim/*_test.cpp)
estab_test(test_sim LINK estab-sim estab-host estab-device estab-trace estab-core SOURCES ${found}
           LABELS unit sim)

file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/posix/*_test.cpp)
estab_test(test_posix LINK estab-posix estab-core SOURCES ${found} LABELS unit threads)

file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/drill/*_test.cpp)
estab_test(test_drill LINK estab-drill estab-posix estab-trace estab-core SOURCES ${found})

foreach(folder headers purity style requirements package properties paths goodput model interop cli packetdrill alloc attack
               oracle conformance)
  if(EXISTS ${PROJECT_SOURCE_DIR}/tests/${folder}/CMakeLists.txt)
    add_subdirectory(${PROJECT_SOURCE_DIR}/tests/${folder} tests/${folder})
  endif()
endforeach()
