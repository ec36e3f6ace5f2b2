// SPDX-License-Identifier: Apache-2.0
#include "instruction_pool.hpp"

namespace d1::difftest {

namespace {

using isa::Extension;
using enum isa::InstructionId;

bool is_control(InstructionId id) {
  return has_operand(id, Operand::imm_b) || id == jal || id == jalr || id == mret;
}

bool is_float(InstructionId id) {
  for (const Operand each : {Operand::fd, Operand::fs1, Operand::fs2})
    if (has_operand(id, each)) return true;
  return false;
}

void sort_vector(InstructionPool& pool, InstructionId id) {
  if (isa::facts(id).extension == Extension::V && !is_vector(id)) return;  // vset*
  if (is_memory(id)) {
    pool.vector_memory.push_back(id);
    return;
  }
  const unsigned kind = isa::facts(id).match >> 12 & 7;
  (kind == 1 || kind == 5 ? pool.vector_float : pool.vector_integer).push_back(id);
}

InstructionPool make_pool() {
  InstructionPool pool;
  for (unsigned number = 1; number < static_cast<unsigned>(InstructionId::Count); ++number) {
    const auto id = static_cast<InstructionId>(number);
    const auto& facts = isa::facts(id);
    const bool memory = has_operand(id, Operand::base_rs1);
    if (is_control(id) || facts.extension == Extension::Zicsr) continue;
    if (facts.extension == Extension::V || facts.extension == Extension::Zvfh ||
        facts.extension == Extension::Zvfbfmin || facts.extension == Extension::Zvfbfwma) {
      sort_vector(pool, id);
    } else if (facts.extension == Extension::Xd1) {
      const bool packets = facts.unit == isa::Unit::Simd || facts.unit == isa::Unit::Matrix;
      if (packets)
        pool.matrix.push_back(id);
      else if (id != d1_halt)
        pool.outside.push_back(id);
    } else if (facts.extension == Extension::Privileged || id == fence_i || id == wfi) {
      continue;
    } else if (id == ecall || id == ebreak || id == fence || id == pause) {
      pool.outside.push_back(id);
    } else if (has_operand(id, Operand::aqrl)) {
      pool.atomics.push_back(id);
    } else if (is_float(id)) {
      (memory ? pool.float_memory : pool.floats).push_back(id);
    } else {
      (memory ? pool.loads_stores : pool.integer).push_back(id);
    }
  }
  return pool;
}

}  // namespace

const InstructionPool& instruction_pool() {
  static const InstructionPool kPool = make_pool();
  return kPool;
}

}  // namespace d1::difftest
