# What can be switched when configuring, and the compiler flags every target of the project gets.
option(ESTAB_BUILD_PROGRAM "Build the program estab" ${PROJECT_IS_TOP_LEVEL})
option(ESTAB_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(ESTAB_BUILD_BENCH "Build the benchmarks" OFF)
option(ESTAB_BUILD_FUZZ "Build the libFuzzer targets (clang)" OFF)
set(ESTAB_SANITIZE "" CACHE STRING "Sanitizers for every target, as in address,undefined")

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(estab_flags INTERFACE)
target_compile_features(estab_flags INTERFACE cxx_std_23)
target_compile_options(estab_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror)
if(ESTAB_SANITIZE)
  target_compile_options(estab_flags INTERFACE -fsanitize=${ESTAB_SANITIZE} -fno-omit-frame-pointer
                                               -fno-sanitize-recover=all)
  target_link_options(estab_flags INTERFACE -fsanitize=${ESTAB_SANITIZE})
endif()
