# What can be switched when configuring, and the compiler flags every target of the project gets.
# Inside another project only the libraries are built, and its flags and its folders are its own.
option(ESTAB_BUILD_PROGRAM "Build the program estab" ${PROJECT_IS_TOP_LEVEL})
option(ESTAB_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(ESTAB_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(ESTAB_BUILD_BENCH "Build the benchmarks" OFF)
option(ESTAB_BUILD_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(ESTAB_INSTALL "Have rules to install" ${PROJECT_IS_TOP_LEVEL})
option(ESTAB_WARNINGS_AS_ERRORS "Fail on a warning" ${PROJECT_IS_TOP_LEVEL})
option(ESTAB_LTO "Optimise the program as a whole when it is linked (g++)" OFF)
set(ESTAB_SANITIZE "" CACHE STRING "Sanitizers for every target, as in address,undefined")

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  find_program(CCACHE_PROGRAM ccache)
  if(CCACHE_PROGRAM)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  endif()
endif()

add_library(estab_flags INTERFACE)
target_compile_features(estab_flags INTERFACE cxx_std_23)
target_compile_options(estab_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
# At -O3 g++ 12 sees overlaps, overflows and unset values that are none in the inlined copies of std::string and
# std::vector (its bugs 105651, 105329, 107852).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(estab_flags INTERFACE -Wno-restrict -Wno-array-bounds
                                               -Wno-stringop-overflow -Wno-stringop-overread
                                               -Wno-maybe-uninitialized)
endif()
# Without being told of a processor g++ 12 clears a struct of 64 octets by `rep stos`, which takes any of them some
# thirty cycles to begin; so tuned it takes a few stores. The instructions are those of every x86-64 all the same.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(estab_flags INTERFACE -mtune=skylake)
endif()
# clang 19 finds std::get_temporary_buffer deprecated inside g++ 12's own std::stable_sort.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(estab_flags INTERFACE -Wno-deprecated-declarations)
endif()
if(ESTAB_WARNINGS_AS_ERRORS)
  target_compile_options(estab_flags INTERFACE -Werror)
endif()
# Libraries that are HOT are compiled for both ways of linking; only a target that says so (property ESTAB_LTO) is
# optimised as a whole, since that takes many times as long, and there are many tests.
set(estab_lto_flags)
if(ESTAB_LTO AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(estab_lto_flags -flto=auto -ffat-lto-objects)
  target_link_options(estab_flags INTERFACE
                      $<IF:$<BOOL:$<TARGET_PROPERTY:ESTAB_LTO>>,-flto=auto,-fno-lto>)
endif()
if(ESTAB_SANITIZE)
  target_compile_options(estab_flags INTERFACE -fsanitize=${ESTAB_SANITIZE} -fno-omit-frame-pointer
                                               -fno-sanitize-recover=all)
  target_link_options(estab_flags INTERFACE -fsanitize=${ESTAB_SANITIZE})
endif()
