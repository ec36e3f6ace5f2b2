// SPDX-License-Identifier: Apache-2.0
// Makes the items of a program: straight-line code of one profile, and single jumps. Which
// registers play which role is drawn once a program.
#pragma once

#include <array>

#include "../differential/random_state.hpp"
#include "instruction_pool.hpp"
#include "program.hpp"
#include "program_generator.hpp"

namespace d1::difftest {

[[nodiscard]] bool is_profile_of_vectors(Profile profile);

class BlockGenerator {
 public:
  BlockGenerator(Random& random, Profile profile, Program& program);

  void straight(unsigned instructions);
  void instruction(InstructionId id);
  // Which vtype vector instructions are chosen for.
  void set_type(int sew_log2, int lmul_log2) { sew_log2_ = sew_log2, lmul_log2_ = lmul_log2; }
  void access();  // a scalar load or store
  void move_pointer();
  // vsetvli of a type with AVL and vl in these registers, and the vector code behind it.
  void strip(unsigned avl, unsigned vl);
  void change_modes();  // CSR writes and vset*, in a block or two of their own
  void step();          // one of the differential tester
  void random_branch(int label);
  void branch(InstructionId id, unsigned rs1, unsigned rs2, int label);
  void jump(unsigned rd, int label);
  void jump_register(unsigned rd, unsigned rs1);
  void address(unsigned rd, int label);

  // The new item at the end, to be filled.
  [[nodiscard]] Item& item() { return program_.items.emplace_back(); }
  [[nodiscard]] unsigned counter(unsigned depth) const { return counters_[depth]; }
  [[nodiscard]] unsigned link_register() const { return link_; }
  [[nodiscard]] unsigned address_register() const { return address_; }
  [[nodiscard]] unsigned data_register() { return pick(data_); }
  [[nodiscard]] const std::vector<unsigned>& pointers() const { return pointers_; }
  [[nodiscard]] unsigned width_log2() const { return width_log2_; }

 private:
  using Registers = std::vector<unsigned>;
  unsigned pick(const Registers& from) {
    return from[random_.below(static_cast<unsigned>(from.size()))];
  }
  [[nodiscard]] InstructionId pick(const std::vector<InstructionId>& from) {
    return from[random_.below(static_cast<unsigned>(from.size()))];
  }
  unsigned source();       // an integer register to read
  unsigned destination();  // one to write
  std::uint32_t with_registers(std::uint32_t word, InstructionId id);
  void put(std::uint32_t word) { Assembler(item().code).word(word); }

  void one_instruction();
  void plain(InstructionId id);
  void compressed();
  void compressed_branch(int label);
  void memory(InstructionId id);
  void atomic(InstructionId id);
  void reservation();
  void floating_point();
  void vector(InstructionId id);
  unsigned stride();
  void load_indices(const RegisterGroup& group, const RegisterChoice& registers);
  void matrix(InstructionId id);
  void rare();
  void configure(bool whole);
  std::int32_t choose_type();
  InstructionId vector_access_id();
  InstructionId from_palette(const std::vector<InstructionId>& from);

  Random& random_;
  Profile profile_;
  Program& program_;
  const InstructionPool& pool_;
  Registers data_, pointers_, floats_;
  std::array<unsigned, 3> counters_{};
  unsigned link_ = 1, address_ = 5;
  unsigned width_log2_ = 0;
  int sew_log2_ = 5, lmul_log2_ = 0;    // of the code that is made
  std::vector<InstructionId> palette_;  // few vector instructions, so that regions are alike
};

}  // namespace d1::difftest
