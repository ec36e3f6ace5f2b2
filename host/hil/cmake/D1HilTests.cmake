# SPDX-License-Identifier: Apache-2.0
# Tests on a device, in C++ with GoogleTest and d1::hil::Rig.
#
#   d1_add_hil_tests(NAME SOURCES files... [LIBRARIES targets...] [LABEL label] [TIMEOUT seconds])
#
# makes the program NAME, and a CTest case of each test. The tests find `d1` for daemons of their own;
# D1_HIL_TARGET, D1_HIL_POWER and D1_HIL_ARTEFACTS are taken from the environment (d1/hil/rig.hpp).
include_guard(GLOBAL)
include(GoogleTest)
if(TARGET d1)
  set(D1_PROGRAMS_DIR $<TARGET_FILE_DIR:d1>)
endif()

function(d1_add_hil_tests name)
  cmake_parse_arguments(PARSE_ARGV 1 tests "" "LABEL;TIMEOUT" "SOURCES;LIBRARIES")
  if(NOT tests_SOURCES)
    message(FATAL_ERROR "d1_add_hil_tests(${name}): SOURCES are missing.")
  endif()
  if(tests_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "d1_add_hil_tests(${name}): unknown arguments ${tests_UNPARSED_ARGUMENTS}.")
  endif()
  if(NOT tests_LABEL)
    set(tests_LABEL hil)
  endif()
  if(NOT tests_TIMEOUT)
    set(tests_TIMEOUT 300)
  endif()
  add_executable(${name} ${tests_SOURCES})
  target_link_libraries(${name} PRIVATE OpenD1::hil ${tests_LIBRARIES} GTest::gtest_main)
  if(TARGET d1)
    add_dependencies(${name} d1)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
    PROPERTIES LABELS ${tests_LABEL} TIMEOUT ${tests_TIMEOUT}
    ENVIRONMENT "D1_PROGRAMS=${D1_PROGRAMS_DIR}")
endfunction()
