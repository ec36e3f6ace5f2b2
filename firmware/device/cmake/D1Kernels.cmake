# SPDX-License-Identifier: Apache-2.0
# Kernels built ahead of time, with the files of D1_DEVICE_DIR: build/<preset>/device inside the
# project, share/opend1/device of an installed package.
#
#   d1_add_kernel(stencil SOURCES stencil.cpp... [EMBED] [INCLUDES dirs...] [DEFINITIONS NAME=1...]
#                 [OPTIONS flags...])
#
# makes the program ${CMAKE_CURRENT_BINARY_DIR}/stencil.elf (target property D1_PROGRAM) with the
# flags that the runtime's compiler uses too, OPTIONS behind them. With EMBED, `stencil` is a library to link, and
# #include <stencil_program.hpp> declares `extern const std::span<const std::byte> stencil_program`.
include_guard(GLOBAL)

if(NOT D1_DEVICE_DIR)
  get_filename_component(D1_DEVICE_DIR ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
endif()
set_property(GLOBAL PROPERTY D1_DEVICE_DIR ${D1_DEVICE_DIR})

find_program(D1_DEVICE_CLANG clang++-19)
find_program(D1_DEVICE_LLD ld.lld-19)
find_program(D1_DEVICE_OBJCOPY llvm-objcopy-19)

# d1_read_flags(FILE RESULT): the arguments in a flags file, ${D1_DEVICE_DIR} replaced.
function(d1_read_flags file result)
  get_property(D1_DEVICE_DIR GLOBAL PROPERTY D1_DEVICE_DIR)
  set(file ${D1_DEVICE_DIR}/toolchain/${file})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines REGEX "^[^#]")
  string(REPLACE "\${D1_DEVICE_DIR}" "${D1_DEVICE_DIR}" lines "${lines}")
  set(${result} ${lines} PARENT_SCOPE)
endfunction()

# d1_device_object(SOURCE OBJECT FLAGS...): one clang run, with its header dependencies.
function(d1_device_object source object)
  add_custom_command(OUTPUT ${object}
    COMMAND ${D1_DEVICE_CLANG} ${ARGN} -MD -MF ${object}.d -c ${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d VERBATIM
    COMMENT "Building device object ${object}")
endfunction()

# d1_embed(TARGET TYPE BINARY SOURCE): a library of a C++ source that takes in a file's bytes.
function(d1_embed target type binary source)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${binary})
  add_library(${target} ${type} ${source})
  add_custom_target(${target}_bytes DEPENDS ${binary})
  add_dependencies(${target} ${target}_bytes)
endfunction()

function(d1_add_kernel name)
  cmake_parse_arguments(PARSE_ARGV 1 kernel "EMBED" "" "SOURCES;INCLUDES;DEFINITIONS;OPTIONS")
  if(NOT kernel_SOURCES OR kernel_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "d1_add_kernel(${name}): give SOURCES; got '${kernel_UNPARSED_ARGUMENTS}'")
  endif()
  d1_read_flags(compile_flags.txt compile_flags)
  d1_read_flags(link_flags.txt link_flags)
  list(TRANSFORM kernel_INCLUDES PREPEND -I)
  list(TRANSFORM kernel_DEFINITIONS PREPEND -D)
  set(objects)
  foreach(source ${kernel_SOURCES})
    get_filename_component(source ${source} ABSOLUTE)
    get_filename_component(stem ${source} NAME_WE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.${stem}.o)
    set(language)
    if(source MATCHES "[.]c$")  # flags about C++ mean nothing there
      set(language -x c -std=c11 -Wno-unused-command-line-argument)
    endif()
    d1_device_object(${source} ${object} ${compile_flags} ${language} ${kernel_INCLUDES}
      ${kernel_DEFINITIONS} ${kernel_OPTIONS})
    list(APPEND objects ${object})
  endforeach()
  get_property(D1_DEVICE_DIR GLOBAL PROPERTY D1_DEVICE_DIR)
  set(program ${CMAKE_CURRENT_BINARY_DIR}/${name}.elf)
  add_custom_command(OUTPUT ${program}
    COMMAND ${D1_DEVICE_LLD} -o ${program} ${objects} ${link_flags}
    DEPENDS ${objects} ${D1_DEVICE_DIR}/program.ld VERBATIM
    COMMENT "Linking device program ${name}.elf")
  if(kernel_EMBED)
    set(symbol ${name}_program)
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.hpp @ONLY CONTENT [[
#pragma once
#include <cstddef>
#include <span>
extern const std::span<const std::byte> @symbol@;
]])
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.cpp @ONLY CONTENT [[
#include "@symbol@.hpp"
__asm__(".section .rodata\n.balign 64\n@symbol@_first: .incbin \"@program@\"\n"
        "@symbol@_last: .byte 0\n.previous\n");
extern "C" const std::byte @symbol@_first[], @symbol@_last[];
extern const std::span<const std::byte> @symbol@{@symbol@_first, @symbol@_last};
]])
    d1_embed(${name} OBJECT ${program} ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.cpp)
    target_include_directories(${name} INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
    target_compile_features(${name} PUBLIC cxx_std_20)
  else()
    add_custom_target(${name} ALL DEPENDS ${program})
  endif()
  set_target_properties(${name} PROPERTIES D1_PROGRAM ${program})
endfunction()
