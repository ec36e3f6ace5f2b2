# SPDX-License-Identifier: Apache-2.0
# Test files in C against the CMocka API.
#
#   d1_add_c_tests(NAME SOURCES files... [HELPERS files...] [LIBRARIES targets...] [LABEL label]
#                  [TIMEOUT seconds] [BUILD_ONLY] [ON_NODES])
#
# Each of SOURCES is a whole test program in C, with a main(). Programs of three kinds come from it:
#   NAME               all of them in one GoogleTest runner: --gtest_filter, --gtest_output=xml,
#                      sharding; each test is a CTest case with that label
#   NAME-cmocka[-FILE] each on its own with the real libcmocka, if that is installed; a CTest case
#                      each. FILE is left out if there is only one
#   NAME-nodes         with ON_NODES: all of them compiled for a node, as a GoogleTest runner that
#                      runs them on a node of the device in D1_DEVICE, or of an emulated one
# HELPERS go into all of these, LIBRARIES into those for the host. With BUILD_ONLY there are no CTest
# cases.
#
# In the runner, files share one program: what they have in common but is meant for each alone must
# be static, or go to a runner of its own.
include_guard(GLOBAL)
include(GoogleTest)
set(D1_C_TESTS_DIR ${CMAKE_CURRENT_LIST_DIR})
# In the project's tree, else in an installed package.
if(EXISTS ${D1_C_TESTS_DIR}/../on_node)
  get_filename_component(D1_HIL_SOURCES ${D1_C_TESTS_DIR}/.. ABSOLUTE)
else()
  get_filename_component(D1_HIL_SOURCES ${D1_DEVICE_DIR}/../hil ABSOLUTE)
endif()
find_library(D1_CMOCKA_LIBRARY cmocka)
find_path(D1_CMOCKA_INCLUDE_DIR cmocka.h)

# d1_name_c_test(SOURCE): its whole path in `source`, what it is called in `stem`, and in `main` what
# its main() becomes where several files share a program. For functions below.
macro(d1_name_c_test file)
  get_filename_component(source ${file} ABSOLUTE)
  get_filename_component(stem ${source} NAME_WE)
  string(MAKE_C_IDENTIFIER d1_main_of_${stem} main)
endmacro()

# d1_c_test_objects(TARGET SOURCE LIBRARIES...): the objects of one test file for the runner, its
# main() under another name.
function(d1_c_test_objects target source main)
  add_library(${target} OBJECT ${source})
  target_link_libraries(${target} PRIVATE OpenD1::hil_cmocka ${ARGN})
  get_target_property(include_directories OpenD1::hil_cmocka INTERFACE_INCLUDE_DIRECTORIES)
  target_include_directories(${target} BEFORE PRIVATE ${include_directories})
  target_compile_definitions(${target} PRIVATE main=${main})
endfunction()

# d1_c_test_with_cmocka(TARGET SOURCES... LIBRARIES): the same file with the real library.
function(d1_c_test_with_cmocka target sources libraries)
  add_executable(${target} ${sources})
  target_include_directories(${target} SYSTEM PRIVATE ${D1_CMOCKA_INCLUDE_DIR})
  target_link_libraries(${target} PRIVATE ${libraries} ${D1_CMOCKA_LIBRARY})
endfunction()

# d1_c_tests_on_nodes(NAME SOURCES files... [HELPERS files...]): the program for a node, and its
# runner on the host.
function(d1_c_tests_on_nodes name)
  cmake_parse_arguments(PARSE_ARGV 1 node "" "" "SOURCES;HELPERS")
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}.files)
  set(sources)
  set(declarations)
  set(mains)
  set(entries)
  foreach(file ${node_SOURCES})
    d1_name_c_test(${file})
    file(CONFIGURE OUTPUT ${folder}/file_${stem}.c @ONLY CONTENT [[
#define main @main@
#include "@source@"
]])
    list(APPEND sources ${folder}/file_${stem}.c)
    string(APPEND declarations "int ${main}(int, char **);\n")
    string(APPEND mains "    {${main}},\n")
    string(APPEND entries "    {\"${stem}\", \"${source}\", nullptr},\n")
  endforeach()
  # Under a name of their own: objects are told apart by it.
  foreach(source ${node_HELPERS})
    get_filename_component(source ${source} ABSOLUTE)
    get_filename_component(file ${source} NAME)
    file(CONFIGURE OUTPUT ${folder}/helper_${file} @ONLY CONTENT "#include \"@source@\"\n")
    list(APPEND sources ${folder}/helper_${file})
  endforeach()
  file(CONFIGURE OUTPUT ${folder}/node_files.c @ONLY CONTENT [[
/* Made by d1_add_c_tests(). */
#include <node_files.h>
@declarations@
const struct d1_test_file d1_test_files[] = {
@mains@};
]])
  file(GLOB core ${D1_HIL_SOURCES}/c_tests/*.c)
  list(FILTER core EXCLUDE REGEX port_host)
  get_target_property(directories OpenD1::hil_cmocka INTERFACE_INCLUDE_DIRECTORIES)
  string(REGEX REPLACE "\\$<(BUILD|INSTALL)_INTERFACE:([^>]*)>" "\\2" directories "${directories}")
  list(FILTER directories INCLUDE REGEX "^/")
  string(MAKE_C_IDENTIFIER ${name} program)
  d1_add_kernel(${program} SOURCES ${sources} ${folder}/node_files.c ${core}
    ${D1_HIL_SOURCES}/on_node/port_node.c ${D1_HIL_SOURCES}/on_node/node_runner.cpp
    INCLUDES ${directories} ${D1_HIL_SOURCES}/on_node EMBED)
  file(CONFIGURE OUTPUT ${folder}/runner.cpp @ONLY CONTENT [[
// Made by d1_add_c_tests().
#include <d1/hil/node_tests.hpp>
#include <@program@_program.hpp>
int main(int argc, char** argv) {
  static constexpr d1::hil::CTestFile files[] = {
@entries@  };
  return d1::hil::run_node_tests(argc, argv, @program@_program, files);
}
]])
  add_executable(${name} ${folder}/runner.cpp)
  target_link_libraries(${name} PRIVATE OpenD1::hil ${program})
endfunction()

function(d1_add_c_tests name)
  cmake_parse_arguments(PARSE_ARGV 1 tests "BUILD_ONLY;ON_NODES" "LABEL;TIMEOUT"
    "SOURCES;HELPERS;LIBRARIES")
  if(NOT tests_SOURCES OR tests_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "d1_add_c_tests(${name}): give SOURCES; got '${tests_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT tests_LABEL)
    set(tests_LABEL unit)
  endif()
  if(NOT tests_TIMEOUT)
    set(tests_TIMEOUT 300)
  endif()
  list(LENGTH tests_SOURCES count)
  set(objects)
  set(declarations)
  set(entries)
  set(originals)
  foreach(file ${tests_SOURCES})
    d1_name_c_test(${file})
    d1_c_test_objects(${name}-${stem}-objects ${source} ${main} ${tests_LIBRARIES})
    list(APPEND objects $<TARGET_OBJECTS:${name}-${stem}-objects>)
    string(APPEND declarations "int ${main}(int, char**);\n")
    string(APPEND entries "    {\"${stem}\", \"${source}\", ${main}},\n")
    set(suffix -${stem})
    if(count EQUAL 1)
      set(suffix)
    endif()
    if(D1_CMOCKA_LIBRARY AND D1_CMOCKA_INCLUDE_DIR)
      d1_c_test_with_cmocka(${name}-cmocka${suffix} "${source};${tests_HELPERS}"
        "${tests_LIBRARIES}")
      list(APPEND originals ${name}-cmocka${suffix})
    endif()
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}_main.cpp @ONLY CONTENT [[
// Made by d1_add_c_tests().
#include <d1/hil/c_tests.hpp>
extern "C" {
@declarations@}
int main(int argc, char** argv) {
  static constexpr d1::hil::CTestFile files[] = {
@entries@  };
  return d1::hil::run_c_tests(argc, argv, files);
}
]])
  add_executable(${name} ${CMAKE_CURRENT_BINARY_DIR}/${name}_main.cpp ${objects} ${tests_HELPERS})
  target_link_libraries(${name} PRIVATE OpenD1::hil ${tests_LIBRARIES})
  if(tests_ON_NODES)
    d1_c_tests_on_nodes(${name}-nodes SOURCES ${tests_SOURCES} HELPERS ${tests_HELPERS})
  endif()
  if(tests_BUILD_ONLY)
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
    PROPERTIES LABELS ${tests_LABEL} TIMEOUT ${tests_TIMEOUT})
  if(tests_ON_NODES)
    gtest_discover_tests(${name}-nodes DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
      TEST_SUFFIX .on_a_node PROPERTIES LABELS ${tests_LABEL} TIMEOUT ${tests_TIMEOUT})
  endif()
  foreach(original ${originals})
    add_test(NAME ${original} COMMAND ${original})
    set_tests_properties(${original} PROPERTIES LABELS ${tests_LABEL} TIMEOUT ${tests_TIMEOUT})
  endforeach()
endfunction()
