# The program `estab`: src/tools, one file per subcommand.
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
file(GLOB tool_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/tools/*.cpp)
list(FILTER tool_sources EXCLUDE REGEX "_test\\.cpp$")
if(tool_sources)
  add_executable(estab ${tool_sources})
  target_link_libraries(estab PRIVATE estab_flags estab-host estab-device estab-trace estab-core
                                      CLI11::CLI11 nlohmann_json::nlohmann_json fmt::fmt-header-only)
  target_include_directories(estab PRIVATE ${PROJECT_SOURCE_DIR}/src)
endif()
