# estab_library(NAME FOLDERS dir... [LINK name...] [PRIVATE_LINK target...] [SYSTEM_LINK target...] [HOT]):
# the static library libestab-NAME.a, known as estab::NAME, from every source below src/ in the folders named, unit
# tests (x_test.cpp) left out. A folder without sources yet makes an interface library.
#
# LINK names other libraries of ours, which a user of this one gets too. PRIVATE_LINK targets, and
# our own compiler flags, serve to build it only: an installed library does not ask for them. SYSTEM_LINK targets are
# libraries of the system's that whoever links this one links too. HOT: what each segment passes through, to be
# optimised with the program it is linked into.
function(estab_library name)
  cmake_parse_arguments(arg "HOT" "" "FOLDERS;LINK;PRIVATE_LINK;SYSTEM_LINK" ${ARGN})
  set(sources)
  foreach(folder ${arg_FOLDERS})
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cpp)
    list(APPEND sources ${found})
  endforeach()
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")

  set(target estab-${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    foreach(private estab_flags ${arg_PRIVATE_LINK})
      target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:${private}>)
    endforeach()
    target_link_libraries(${target} PRIVATE ${arg_SYSTEM_LINK})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    if(arg_HOT)
      target_compile_options(${target} PRIVATE ${estab_lto_flags})
    endif()
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(estab::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} ESTAB_LINK "${arg_LINK}"
                        ESTAB_SYSTEM_LINK "${arg_SYSTEM_LINK}")
  target_compile_features(${target} ${scope} cxx_std_23)
  target_include_directories(${target} ${scope}
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  foreach(dependency ${arg_LINK})
    target_link_libraries(${target} ${scope} estab-${dependency})
  endforeach()
endfunction()

# Makes targets part of the target `product`, if there are such targets.
function(estab_part_of_product)
  foreach(target ${ARGN})
    if(TARGET ${target})
      add_dependencies(product ${target})
    endif()
  endforeach()
endfunction()
