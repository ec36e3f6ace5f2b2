# SPDX-License-Identifier: Apache-2.0
# Installs the build into an empty prefix, moves that prefix, and uses it as a stranger would.
function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${what} failed (${result}):\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run("installing" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
file(RENAME ${WORK}/first ${WORK}/prefix)  # nothing may depend on where it was installed to
set(prefix ${WORK}/prefix)
set(examples ${prefix}/${DATA}/opend1/examples)
# An empty cache, and no build tree to fall back to.
set(ENV{XDG_CACHE_HOME} ${WORK}/cache)
unset(ENV{D1_DEVICE_DIR})

configure_file(${CONSUMER} ${WORK}/source/CMakeLists.txt COPYONLY)
run("configuring the consumer" ${CMAKE_COMMAND} -G ${GENERATOR} -S ${WORK}/source -B ${WORK}/build
  -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=${C_COMPILER}
  -DCMAKE_CXX_COMPILER=${CXX_COMPILER} -DEXAMPLES=${examples} -DSANITIZE=${SANITIZE})
run("building the consumer" ${CMAKE_COMMAND} --build ${WORK}/build)
foreach(language cpp c)
  run("the ${language} example" ${CMAKE_COMMAND} -E chdir ${examples} ${WORK}/build/example_${language})
  if(NOT output MATCHES "100000 sums on 354 nodes are right")
    message(FATAL_ERROR "the ${language} example printed: ${output}")
  endif()
endforeach()
# The template of a test project, as it stands: each test on the host, with libcmocka, on a node.
if(NOT SANITIZE)
  run("copying the template" ${CMAKE_COMMAND} -E copy_directory ${prefix}/${DATA}/opend1/template
    ${WORK}/template)
  run("configuring the template" ${CMAKE_COMMAND} -G ${GENERATOR} -S ${WORK}/template
    -B ${WORK}/template/build -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_C_COMPILER=${C_COMPILER}
    -DCMAKE_CXX_COMPILER=${CXX_COMPILER})
  run("building the template" ${CMAKE_COMMAND} --build ${WORK}/template/build)
  run("the template's tests" ${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/template/build -L hil)
  if(NOT output MATCHES "Ring.gives_back_in_order.on_a_node" OR
     NOT output MATCHES "Device.IsLostWithinASecondWhenItsDaemonDies" OR
     NOT output MATCHES "100% tests passed, 0 tests failed out of 11")
    message(FATAL_ERROR "the template's tests said: ${output}")
  endif()
endif()
# Kernels were compiled with the SDK of the prefix: the build tree is named nowhere in them.
file(GLOB cached ${WORK}/cache/opend1/*.elf)
if(NOT cached)
  message(FATAL_ERROR "no program was put into the compile cache")
endif()
foreach(program ${cached})
  file(STRINGS ${program} strays REGEX "${BUILD}/device")
  if(strays)
    message(FATAL_ERROR "${program} was compiled with the SDK of the build tree: ${strays}")
  endif()
endforeach()

find_program(PKG_CONFIG pkg-config)
if(PKG_CONFIG AND NOT SANITIZE)
  run("the pkg-config build" ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${prefix}/${LIB}/pkgconfig
    sh -c "${C_COMPILER} -std=c11 ${examples}/vector_add.c -o ${WORK}/with_pkg_config $(pkg-config --cflags --libs opend1)")
  run("its program" ${CMAKE_COMMAND} -E chdir ${examples} ${WORK}/with_pkg_config)
  # What an older standard breaks begins with its reason.
  execute_process(COMMAND ${CXX_COMPILER} -std=c++20 -I${prefix}/include -fsyntax-only
    ${examples}/vector_add.cpp RESULT_VARIABLE result ERROR_VARIABLE output)
  if(result EQUAL 0 OR NOT output MATCHES "need C\\+\\+23")
    message(FATAL_ERROR "C++20 was not refused: ${output}")
  endif()
endif()
