// SPDX-License-Identifier: Apache-2.0
#include "program_generator.hpp"

#include <algorithm>

#include "block_generator.hpp"

namespace d1::difftest {

namespace {

using enum isa::InstructionId;

constexpr std::size_t kMostItems = 700;
constexpr unsigned kRounds = 24;

// The handler goes on behind what trapped; where that cannot be fetched, at the round's entry; and
// where an interrupt was taken.
// mscratch leads to places for x6 and x7, and to the entry. Reading mhartid counts the trap.
Code make_handler(Random& random) {
  constexpr std::int32_t kScratch = 0x340, kEpc = 0x341, kCause = 0x342, kStatus = 0x300,
                         kPending = 0x344, kHartId = 0xf14;
  Code code;
  Assembler out(code);
  out.write_csr(kScratch, 5, 5);
  out.store(6, 5, 0);
  out.store(7, 5, 8);
  out.read_csr(6, kHartId);
  out.read_csr(6, kCause);
  out.op(blt, {.rs1 = 6, .rs2 = 0, .immediate = 60});  // an interrupt
  out.add_immediate(6, 6, -1);
  out.op(beq, {.rs1 = 6, .rs2 = 0, .immediate = 40});  // a fetch fault
  out.read_csr(6, kEpc);
  out.op(lhu, {.rd = 7, .rs1 = 6});
  out.op(andi, {.rd = 7, .rs1 = 7, .immediate = 3});
  out.add_immediate(7, 7, -3);
  out.op(sltiu, {.rd = 7, .rs1 = 7, .immediate = 1});
  out.op(slli, {.rd = 7, .rs1 = 7, .immediate = 1});
  out.op(add, {.rd = 6, .rs1 = 6, .rs2 = 7});
  out.add_immediate(6, 6, 2);
  out.jump(8);
  out.load(6, 5, 24);
  out.write_csr(kEpc, 6);
  out.jump(12);
  out.op(lui, {.rd = 6, .immediate = static_cast<std::int32_t>(kInterrupt)});
  out.op(csrrc, {.rd = 0, .rs1 = 6, .immediate = kPending});
  if (!random.one_in(4)) {  // units on, and modes that exist
    out.load_immediate(6, 0x6600);
    out.op(csrrs, {.rd = 0, .rs1 = 6, .immediate = kStatus});
    out.op(csrrwi, {.rs1 = random.below(5), .immediate = kCsrFrm});
    out.op(csrrwi, {.rs1 = 0, .immediate = kCsrVstart});
  }
  out.load(6, 5, 0);
  out.load(7, 5, 8);
  out.write_csr(kScratch, 5, 5);
  out.op(mret, {});
  return code;
}

// Lays out segments; what a segment consists of is BlockGenerator's work.
class ProgramGenerator {
 public:
  ProgramGenerator(Random& random, Profile profile)
      : random_(random), profile_(profile), blocks_(random, profile, program_) {}

  Program make();

 private:
  void body(unsigned segments);
  void segment(unsigned depth);
  void loop(unsigned depth);
  void sweep();
  void strip_loop();
  void diamond(unsigned depth);
  void switch_of_two();
  void call();
  void wild_branch();
  void write_code();
  void functions();
  void rounds();

  int new_label() {
    labels_.push_back(kNowhere);
    return static_cast<int>(labels_.size()) - 1;
  }
  void place(int label) {
    labels_[static_cast<unsigned>(label)] = static_cast<int>(program_.items.size());
  }
  [[nodiscard]] bool full() const { return program_.items.size() >= kMostItems; }

  Random& random_;
  Profile profile_;
  Program program_;
  BlockGenerator blocks_;
  std::vector<int> labels_;     // item of each
  std::vector<int> functions_;  // labels
  bool in_function_ = false;
};

void ProgramGenerator::loop(unsigned depth) {
  const unsigned counter = blocks_.counter(depth);
  Assembler(blocks_.item().code)
      .add_immediate(counter, 0, static_cast<std::int32_t>(2 + random_.below(depth == 0 ? 40 : 6)));
  const int head = new_label();
  place(head);
  blocks_.straight(1 + random_.below(14));
  if (depth < 2 && random_.one_in(3)) segment(depth + 1);
  Assembler(blocks_.item().code).add_immediate(counter, counter, -1);
  if (random_.one_in(4)) blocks_.straight(random_.below(4));
  blocks_.branch(random_.one_in(3) ? blt : bne, 0, counter, head);
}

// A loop of one block whose addresses move by constants, often over an edge of the window.
void ProgramGenerator::sweep() {
  const unsigned counter = blocks_.counter(0);
  Assembler(blocks_.item().code)
      .add_immediate(counter, 0, static_cast<std::int32_t>(1 + random_.below(300)));
  const int head = new_label();
  place(head);
  for (unsigned i = 1 + random_.below(3); i > 0; --i) {
    blocks_.access();
    if (random_.one_in(2)) blocks_.straight(1 + random_.below(2));
    if (!random_.one_in(4)) blocks_.move_pointer();
  }
  Assembler(blocks_.item().code).add_immediate(counter, counter, -1);
  blocks_.branch(random_.one_in(3) ? blt : bne, 0, counter, head);
}

// A loop over vectors of any length, the way compilers make them.
void ProgramGenerator::strip_loop() {
  const unsigned left = blocks_.counter(0), length = blocks_.counter(1);
  Assembler(blocks_.item().code)
      .add_immediate(left, 0, static_cast<std::int32_t>(random_.below(300)));
  const int head = new_label();
  place(head);
  blocks_.strip(left, length);
  Assembler(blocks_.item().code).op(sub, {.rd = left, .rs1 = left, .rs2 = length});
  if (random_.one_in(2)) blocks_.move_pointer();
  blocks_.branch(bne, left, 0, head);
}

void ProgramGenerator::diamond(unsigned depth) {
  const int other = new_label(), end = new_label();
  blocks_.random_branch(other);
  blocks_.straight(1 + random_.below(8));
  if (depth < 2 && random_.one_in(4)) segment(depth + 1);
  if (random_.one_in(2)) {
    blocks_.jump(0, end);
    place(other);
    blocks_.straight(1 + random_.below(6));
  } else {
    place(other);
  }
  place(end);
}

void ProgramGenerator::switch_of_two() {
  const int one = new_label(), two = new_label(), end = new_label();
  const unsigned reg = blocks_.address_register();
  blocks_.address(reg, one);
  blocks_.random_branch(two);
  blocks_.address(reg, end);
  place(two);
  blocks_.jump_register(random_.one_in(3) ? blocks_.link_register() : 0, reg);
  blocks_.straight(1 + random_.below(3));  // reached by branches into the middle alone
  place(one);
  blocks_.straight(1 + random_.below(5));
  place(end);
}

void ProgramGenerator::call() {
  if (in_function_ || functions_.empty()) return;
  const int function = functions_[random_.below(static_cast<unsigned>(functions_.size()))];
  if (random_.one_in(2)) {
    blocks_.jump(blocks_.link_register(), function);
  } else {
    blocks_.address(blocks_.address_register(), function);
    blocks_.jump_register(blocks_.link_register(), blocks_.address_register());
  }
}

// To any item before, into the middle of loops too; taken now and then, whatever the data are.
void ProgramGenerator::wild_branch() {
  const auto items = static_cast<unsigned>(program_.items.size());
  const int label = new_label();
  labels_[static_cast<unsigned>(label)] = static_cast<int>(
      items < 40 || random_.one_in(2) ? random_.below(items + 1) : items - random_.below(40));
  const unsigned counter = blocks_.counter(2), chosen = blocks_.data_register();
  Assembler(blocks_.item().code)
      .add_immediate(counter, counter, static_cast<std::int32_t>(1 + 2 * random_.below(9)));
  Assembler(blocks_.item().code).op(andi, {.rd = chosen, .rs1 = counter, .immediate = 12});
  blocks_.branch(beq, chosen, 0, label);
}

// Writes an instruction over another one, which shows after a fence.i.
void ProgramGenerator::write_code() {
  const int place_of_it = new_label(), behind = new_label();
  const unsigned reg = blocks_.address_register();
  const unsigned value = blocks_.data_register();
  blocks_.address(reg, place_of_it);
  Assembler(blocks_.item().code)
      .load_immediate(
          value, isa::encode(addi, {.rd = value,
                                    .rs1 = value,
                                    .immediate = static_cast<std::int32_t>(random_.below(100))}));
  Assembler(blocks_.item().code).op(sw, {.rs1 = reg, .rs2 = value});
  if (random_.one_in(3)) blocks_.straight(1);
  if (!random_.one_in(4)) Assembler(blocks_.item().code).op(fence_i, {});
  if (random_.one_in(2)) blocks_.random_branch(behind);
  place(place_of_it);
  Assembler(blocks_.item().code).op(xori, {.rd = value, .rs1 = value, .immediate = 5});
  place(behind);
}

void ProgramGenerator::segment(unsigned depth) {
  if (full()) return;
  switch (random_.below(12)) {
    case 0:
    case 1:
    case 2:
      return loop(depth);
    case 3:
      if (depth != 0) return loop(depth);
      return is_profile_of_vectors(profile_) ? strip_loop() : sweep();
    case 4:
    case 5:
      return diamond(depth);
    case 6:
      return switch_of_two();
    case 7:
      return call();
    case 8:
      return wild_branch();
    case 9:
      return blocks_.change_modes();
    default:
      return blocks_.straight(1 + random_.below(20));
  }
}

void ProgramGenerator::body(unsigned segments) {
  for (unsigned i = 0; i < segments && !full(); ++i) segment(0);
}

void ProgramGenerator::functions() {
  in_function_ = true;
  for (const int function : functions_) {
    place(function);
    body(1 + random_.below(3));
    blocks_.straight(1 + random_.below(4));
    blocks_.jump_register(0, blocks_.link_register());
  }
}

void ProgramGenerator::rounds() {
  const auto items = static_cast<unsigned>(program_.items.size());
  for (unsigned i = 0; i < kRounds; ++i) {
    Round round;
    round.state_seed = random_.bits();
    round.interrupts = random_.one_in(4);
    if (i > 1) round.entry = static_cast<int>(random_.below(items));
    unsigned ticks = 0;
    while (ticks < 12000 && round.budgets.size() < 60) {
      const unsigned kind = random_.below(8);
      const unsigned budget = kind < 3   ? random_.below(64)
                              : kind < 6 ? random_.below(1024)
                                         : random_.below(8192);
      round.budgets.push_back(budget);
      ticks += budget + 16;
    }
    program_.rounds.push_back(std::move(round));
  }
}

Program ProgramGenerator::make() {
  program_.handler = make_handler(random_);
  program_.data_seed = random_.bits();
  program_.width_log2 = blocks_.width_log2();
  program_.pointers = blocks_.pointers();
  for (unsigned i = random_.below(4); i-- > 0;) functions_.push_back(new_label());
  const int start = new_label();
  place(start);
  blocks_.change_modes();
  if (profile_ == Profile::Steps) {
    for (unsigned i = 0; i < 50; ++i) {
      blocks_.step();
      if (random_.one_in(8)) wild_branch();
    }
  } else {
    body(6 + random_.below(10));
    if (random_.one_in(6)) write_code();
  }
  blocks_.jump(0, start);
  functions();
  for (Item& item : program_.items)
    if (item.target != kNowhere) item.target = labels_[static_cast<unsigned>(item.target)];
  rounds();
  return std::move(program_);
}

}  // namespace

std::string_view name_of(Profile profile) {
  constexpr std::string_view kNames[] = {"integer", "memory",         "float",
                                         "mixed",   "vector integer", "vector float",
                                         "vector",  "matrix",         "steps"};
  return kNames[static_cast<unsigned>(profile)];
}

Program make_program(Random& random, Profile profile) {
  return ProgramGenerator(random, profile).make();
}

}  // namespace d1::difftest
