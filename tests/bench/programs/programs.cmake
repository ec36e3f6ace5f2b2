# SPDX-License-Identifier: Apache-2.0
# d1_bench_program(NAME [NODE flags...] NATIVE flags...): programs/NAME.cpp three times.
#
#   on a node     library bench_NAME, which embeds the kernel program; the flags of all kernels
#   natively      d1_bench_NAME(), an object for ${D1_BENCH_OBJECTS}
#   on qemu-user  NAME.elf in this folder of the build, in ${D1_BENCH_GUESTS}; the flags of kernels
#
# NODE flags come behind those of kernels, NATIVE flags are all that the host's code is optimised
# by. Freestanding everywhere, so that no loop becomes a call into a library on one side only.
set(D1_BENCH_OBJECTS)
set(D1_BENCH_KERNELS)
set(D1_BENCH_GUESTS)

function(d1_bench_program name)
  cmake_parse_arguments(PARSE_ARGV 1 flags "" "" "NODE;NATIVE")
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/programs)
  set(built ${CMAKE_CURRENT_BINARY_DIR}/${name})
  set(function d1_bench_${name})
  d1_add_kernel(bench_${name} SOURCES ${folder}/${name}.cpp ${folder}/on_node.cpp EMBED
    DEFINITIONS D1_BENCH_NAME=${function} OPTIONS ${flags_NODE})

  d1_device_object(${folder}/${name}.cpp ${built}.native.o -std=c++20 -ffreestanding -fPIE -g1
    -DD1_BENCH_NAME=${function} ${flags_NATIVE})

  d1_read_flags(compile_flags.txt guest_flags)
  list(TRANSFORM guest_flags REPLACE "_zicond" "")  # which qemu 7.2 does not have
  set(objects)
  foreach(source ${name} on_qemu)
    d1_device_object(${folder}/${source}.cpp ${built}.${source}.guest.o ${guest_flags}
      -DD1_BENCH_NAME=${function} ${flags_NODE})
    list(APPEND objects ${built}.${source}.guest.o)
  endforeach()
  add_custom_command(OUTPUT ${built}.elf COMMAND ${D1_DEVICE_LLD} -static -o ${built}.elf ${objects}
    DEPENDS ${objects} VERBATIM COMMENT "Linking qemu-user program ${name}.elf")

  set(D1_BENCH_OBJECTS ${D1_BENCH_OBJECTS} ${built}.native.o PARENT_SCOPE)
  set(D1_BENCH_KERNELS ${D1_BENCH_KERNELS} bench_${name} PARENT_SCOPE)
  set(D1_BENCH_GUESTS ${D1_BENCH_GUESTS} ${built}.elf PARENT_SCOPE)
endfunction()

# Scalar on both sides: what is compared is integer and scalar floating-point code.
set(scalar -fno-vectorize -fno-slp-vectorize)
foreach(name coremark_like sieve sha256 matmul_f64)
  d1_bench_program(${name} NODE ${scalar} NATIVE -O2 ${scalar})
endforeach()
foreach(name saxpy gemm_f32 gemm_f32_auto)
  d1_bench_program(${name} NATIVE -O3 -march=native)
endforeach()

# Plain loops; no errno, since square roots and the like would be calls.
d1_add_kernel(bench_forms SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/programs/forms.cpp
  ${CMAKE_CURRENT_SOURCE_DIR}/programs/forms_on_node.cpp EMBED OPTIONS -fno-math-errno
  DEFINITIONS D1_BENCH_NAME=d1_bench_forms_program)
set(forms ${CMAKE_CURRENT_BINARY_DIR}/forms.native.o)
d1_device_object(${CMAKE_CURRENT_SOURCE_DIR}/programs/forms.cpp ${forms} -std=c++20 -ffreestanding
  -fPIE -g1 -O3 -march=native -fno-math-errno -DD1_BENCH_NAME=d1_bench_forms_program)
list(APPEND D1_BENCH_OBJECTS ${forms})
list(APPEND D1_BENCH_KERNELS bench_forms)

# The host's own matrix instruction; only called where the host has it.
set(peak ${CMAKE_CURRENT_BINARY_DIR}/bf16_peak.native.o)
d1_device_object(${CMAKE_CURRENT_SOURCE_DIR}/programs/bf16_peak.cpp ${peak} -std=c++20 -fPIE -g1
  -O3 -mavx512f -mavx512bf16)
list(APPEND D1_BENCH_OBJECTS ${peak})
