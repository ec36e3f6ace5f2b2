/* SPDX-License-Identifier: Apache-2.0
 *
 * The address of every function of <d1/xd1.h>, so that the compiler emits each under its own name.
 * The list comes from the instruction table: an instruction without an intrinsic does not compile.
 */
#include <d1/xd1.h>

#define NAME_Matrix(id) d1_##id
#define NAME_Simd(id) d1_##id
#define NAME_Address(id) id
#define NAME_None(id) id

const void *const instructions[] = {
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) \
  (const void *)NAME_##unit(id),
#include <d1/isa/table/xd1.def>
#undef D1_INSTRUCTION
};

const void *const registers[] = {
    (const void *)d1_format, (const void *)d1_set_format, (const void *)d1_bias,
    (const void *)d1_set_bias, (const void *)d1_seed, (const void *)d1_set_seed,
    (const void *)d1_set_modes, (const void *)d1_rank, (const void *)d1_nodes,
    (const void *)d1_grid, (const void *)d1_die, (const void *)d1_node,
    (const void *)d1_node_harts};
