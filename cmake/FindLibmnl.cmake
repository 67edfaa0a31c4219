# Finds libmnl, which comes without a description for CMake, as the target Libmnl::Libmnl. Installed
# beside estabConfig.cmake too.
find_path(Libmnl_INCLUDE_DIR NAMES libmnl/libmnl.h)
find_library(Libmnl_LIBRARY NAMES mnl)
mark_as_advanced(Libmnl_INCLUDE_DIR Libmnl_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libmnl REQUIRED_VARS Libmnl_LIBRARY Libmnl_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "on Debian, its package is libmnl-dev")
if(Libmnl_FOUND AND NOT TARGET Libmnl::Libmnl)
  add_library(Libmnl::Libmnl UNKNOWN IMPORTED)
  set_target_properties(Libmnl::Libmnl PROPERTIES IMPORTED_LOCATION ${Libmnl_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${Libmnl_INCLUDE_DIR})
endif()
