# The program `estab`: src/tools, one file per subcommand. A file registers its command itself
# (src/tools/commands.h), so there is no list here either. Everything but main is an object library,
# which the program and its unit tests share; a static library would lose the registrations.
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Git QUIET)

file(GLOB tool_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/tools/*.cpp)
list(FILTER tool_sources EXCLUDE REGEX "(_test|/main)\\.cpp$")

set(ESTAB_DESCRIBED "")
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --dirty --tags
                  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE ESTAB_DESCRIBED
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/tools/version.cpp PROPERTIES COMPILE_DEFINITIONS
  "ESTAB_VERSION=\"${PROJECT_VERSION}\";ESTAB_BUILD_TYPE=\"${CMAKE_BUILD_TYPE}\";ESTAB_DESCRIBED=\"${ESTAB_DESCRIBED}\"")

add_library(estab-tools OBJECT ${tool_sources})
target_link_libraries(estab-tools PUBLIC estab_flags estab-gateway estab-sim estab-host estab-device estab-oracle estab-drill estab-posix estab-trace estab-core
                      CLI11::CLI11 OpenSSL::Crypto nlohmann_json::nlohmann_json fmt::fmt)
target_include_directories(estab-tools PUBLIC ${PROJECT_SOURCE_DIR}/src)

add_executable(estab ${PROJECT_SOURCE_DIR}/src/tools/main.cpp)
target_link_libraries(estab PRIVATE estab-tools)
set_target_properties(estab PROPERTIES ESTAB_LTO ON)
