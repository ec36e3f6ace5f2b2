# SPDX-License-Identifier: Apache-2.0
# How every target of this project is made: one place for warnings, sanitizers and naming.

add_library(d1_options INTERFACE)
target_compile_options(d1_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-sign-conversion -Wno-psabi)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # libstdc++ 12 uses a function it calls deprecated in each stable_sort; g++ still tells of ours.
  target_compile_options(d1_options INTERFACE -Wno-deprecated-declarations)
endif()
target_compile_definitions(d1_options INTERFACE _FILE_OFFSET_BITS=64)
if(D1_SANITIZE)
  target_compile_options(d1_options INTERFACE -fsanitize=${D1_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(d1_options INTERFACE -fsanitize=${D1_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # g++ 12 sees the first all over <regex> once sanitizers have changed the code. The second
    # says that fences are not followed: those of the driver stand beside atomics of the device.
    target_compile_options(d1_options INTERFACE -Wno-maybe-uninitialized -Wno-tsan)
  endif()
endif()
if(D1_FUZZ)
  target_compile_options(d1_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(d1_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
install(TARGETS d1_options EXPORT OpenD1Targets)

# d1_add_library(NAME folder-relative dependencies...): a static library of every *.cpp below the
# current folder, its public headers in include/, exported as OpenD1::NAME.
function(d1_add_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(d1_${name} STATIC ${sources})
  add_library(OpenD1::${name} ALIAS d1_${name})
  set_target_properties(d1_${name} PROPERTIES EXPORT_NAME ${name} OUTPUT_NAME d1_${name})
  target_include_directories(d1_${name}
    PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(d1_${name} PUBLIC ${ARGN} PRIVATE $<BUILD_INTERFACE:d1_options>)
  target_compile_features(d1_${name} PUBLIC cxx_std_23)  # consumers need it, too
  install(TARGETS d1_${name} EXPORT OpenD1Targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/include)
    install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
endfunction()

# d1_add_tests(NAME LABEL dependencies...): one GoogleTest program of every *_test.cpp in the
# current folder; each test becomes a CTest case with that label.
function(d1_add_tests name label)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARGN} d1_options GTest::gtest GTest::gmock
    GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support)
  # Parameters are in the tests' names already; as values they would be addresses, which change.
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
    PROPERTIES LABELS ${label} TIMEOUT 300)
endfunction()

# d1_add_device_tests(NAME LABEL [SERVE "options of d1 serve"] COMMAND...): the same program on a DPU
# of a daemon, by shared memory and by messages alone.
function(d1_add_device_tests name label)
  cmake_parse_arguments(PARSE_ARGV 2 own "" SERVE "")
  foreach(transport vfio-user vfio-user-in-band)
    add_test(NAME ${name}.${transport} COMMAND ${D1_PYTHON} -B
      ${PROJECT_SOURCE_DIR}/tests/support/with_daemon.py --transport ${transport}
      "--serve=${own_SERVE}" -- ${own_UNPARSED_ARGUMENTS})
    set_tests_properties(${name}.${transport} PROPERTIES LABELS ${label} TIMEOUT 300
      ENVIRONMENT "D1_PROGRAMS=$<TARGET_FILE_DIR:d1>")
  endforeach()
endfunction()

# d1_add_engine_tests(NAME LABEL COMMAND...): the same program once more with the interpreter, and
# with a translator that translates every block before it first runs, at each level of the host
# (portable: with what any host can do, so memory is reached by a register, too).
function(d1_add_engine_tests name label)
  add_test(NAME ${name}.interpreted COMMAND ${ARGN})
  set_tests_properties(${name}.interpreted PROPERTIES LABELS ${label} TIMEOUT 300
    ENVIRONMENT "D1_ENGINE=interp")
  foreach(level portable avx2 avx512)
    if(level STREQUAL "portable")
      set(base register)
    else()
      set(base segment)
    endif()
    add_test(NAME ${name}.translated.${level} COMMAND ${ARGN})
    set_tests_properties(${name}.translated.${level} PROPERTIES LABELS ${label} TIMEOUT 300
      ENVIRONMENT "D1_ENGINE=dbt;D1_TRANSLATE_AFTER=0;D1_HOST_LEVEL=${level};D1_MEMORY_BASE=${base}")
  endforeach()
endfunction()
