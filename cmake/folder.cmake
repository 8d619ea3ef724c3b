# weir_folder(NAME [LIBRARIES lib...]): one folder of src/ as one target, weir_<name>, and its *_test.cc as <name>_test.
#
# What it may include comes from src/LAYERS: each folder's headers are reached through a link of their own under
# build/include/<folder>/<folder>, so that including a folder that is not listed fails to compile.

file(STRINGS ${CMAKE_SOURCE_DIR}/src/LAYERS layer_lines REGEX "^[0-9]")
set(WEIR_FOLDERS)
foreach(line ${layer_lines})
  separate_arguments(words UNIX_COMMAND "${line}")
  list(POP_FRONT words number folder)
  list(APPEND WEIR_FOLDERS ${folder})
  set(WEIR_MAY_USE_${folder} ${words})
endforeach()

function(weir_folder name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test[.]cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_bench|main)[.]cc$")

  set(root ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)

  set(target weir_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(visibility PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_include_directories(${target} ${visibility} ${root})
  foreach(used ${WEIR_MAY_USE_${name}})
    if(TARGET weir_${used})
      target_link_libraries(${target} ${visibility} weir_${used})
    endif()
  endforeach()
  target_link_libraries(${target} ${visibility} fmt::fmt ${ARG_LIBRARIES})

  if(tests)
    add_executable(${name}_test ${tests})
    set_target_properties(${name}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${name}_test PRIVATE ${target} GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_property(GLOBAL APPEND PROPERTY WEIR_TESTS ${name}_test)
  endif()
endfunction()
