# libestab-packetdrill.so: the stack behind packetdrill's --so_filename. It shows one function. What is
# linked into it must be position-independent; hidden names keep that free of cost.
foreach(target estab-core estab-posix)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL STATIC_LIBRARY)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON
                          CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  endif()
endforeach()

if(ESTAB_BUILD_PROGRAM)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/packetdrill/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  set(exports ${PROJECT_SOURCE_DIR}/src/packetdrill/exports.map)
  find_package(Threads REQUIRED)
  add_library(estab-packetdrill SHARED ${sources})
  target_link_libraries(estab-packetdrill PRIVATE estab_flags estab-posix estab-core Threads::Threads)
  target_link_options(estab-packetdrill PRIVATE LINKER:--version-script=${exports})
  if(NOT ESTAB_SANITIZE)  # a sanitizer's own names come with the program
    target_link_options(estab-packetdrill PRIVATE LINKER:--no-undefined)
  endif()
  target_include_directories(estab-packetdrill PRIVATE ${PROJECT_SOURCE_DIR}/src)
  set_target_properties(estab-packetdrill PROPERTIES CXX_VISIBILITY_PRESET hidden
                        VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${exports})
endif()
