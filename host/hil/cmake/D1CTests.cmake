# SPDX-License-Identifier: Apache-2.0
# Test files in C against the CMocka API.
#
#   d1_add_c_tests(NAME SOURCES files... [HELPERS files...] [LIBRARIES targets...] [LABEL label]
#                  [TIMEOUT seconds] [BUILD_ONLY])
#
# Each of SOURCES is a whole test program in C, with a main(). Two kinds of programs come from it:
#   NAME               all of them in one GoogleTest runner: --gtest_filter, --gtest_output=xml,
#                      sharding; each test is a CTest case with that label
#   NAME-cmocka[-FILE] each on its own with the real libcmocka, if that is installed; a CTest case
#                      each. FILE is left out if there is only one
# HELPERS and LIBRARIES go into all of these. With BUILD_ONLY there are no CTest cases.
#
# In the runner, files share one program: what they have in common but is meant for each alone must
# be static, or go to a runner of its own.
include_guard(GLOBAL)
include(GoogleTest)
set(D1_C_TESTS_DIR ${CMAKE_CURRENT_LIST_DIR})
find_library(D1_CMOCKA_LIBRARY cmocka)
find_path(D1_CMOCKA_INCLUDE_DIR cmocka.h)

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

function(d1_add_c_tests name)
  cmake_parse_arguments(PARSE_ARGV 1 tests "BUILD_ONLY" "LABEL;TIMEOUT"
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
  foreach(source ${tests_SOURCES})
    get_filename_component(source ${source} ABSOLUTE)
    get_filename_component(stem ${source} NAME_WE)
    string(MAKE_C_IDENTIFIER d1_main_of_${stem} main)
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
  if(tests_BUILD_ONLY)
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
    PROPERTIES LABELS ${tests_LABEL} TIMEOUT ${tests_TIMEOUT})
  foreach(original ${originals})
    add_test(NAME ${original} COMMAND ${original})
    set_tests_properties(${original} PROPERTIES LABELS ${tests_LABEL} TIMEOUT ${tests_TIMEOUT})
  endforeach()
endfunction()
