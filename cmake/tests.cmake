# Unit tests stand beside the code (src/x/y_test.cpp): one executable a folder. Larger tests have a
# folder each below tests/. Labels: unit, style, requirements, package, sim, interop, fuzz; `long`
# besides for what takes more than some seconds.
find_package(GTest REQUIRED)
include(GoogleTest)

# estab_test(NAME SOURCES file... [LINK target...] [LABELS label...] [RESOURCE_LOCK name...]
#            [TIMEOUT seconds]): a GoogleTest program, each TEST in it a test of CTest's. Without
# sources there is no target.
function(estab_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LINK;SOURCES;LABELS;RESOURCE_LOCK" ${ARGN})
  if(NOT arg_SOURCES)
    return()
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set(properties TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
  if(arg_RESOURCE_LOCK)
    list(APPEND properties RESOURCE_LOCK "${arg_RESOURCE_LOCK}")
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE estab_flags ${arg_LINK} GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()

foreach(folder base wire ip udp tcp tcp/congestion tcp/ecn tcp/loss tcp/send tcp/legacy stack)
  file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*_test.cpp)
  string(REPLACE "/" "_" suffix ${folder})
  estab_test(test_${suffix} LINK estab-device estab-trace estab-core SOURCES ${found})
endforeach()
foreach(folder trace device host)
  file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*_test.cpp)
  estab_test(test_${folder} LINK estab-host estab-device estab-trace estab-core SOURCES ${found})
endforeach()

file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/posix/*_test.cpp)
estab_test(test_posix LINK estab-posix estab-core SOURCES ${found})

file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/drill/*_test.cpp)
estab_test(test_drill LINK estab-drill estab-posix estab-trace estab-core SOURCES ${found})

foreach(folder headers purity style requirements package sim model interop cli packetdrill alloc attack
               oracle conformance)
  if(EXISTS ${PROJECT_SOURCE_DIR}/tests/${folder}/CMakeLists.txt)
    add_subdirectory(${PROJECT_SOURCE_DIR}/tests/${folder} tests/${folder})
  endif()
endforeach()
