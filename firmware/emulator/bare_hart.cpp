// SPDX-License-Identifier: Apache-2.0
#include <d1/emulator/bare_hart.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <vector>

#include <d1/isa/csr.hpp>
#include <d1/isa/memory.hpp>

#include "engine/engine.hpp"
#include "reservation.hpp"

namespace d1::emulator {

using isa::Cause;
using isa::Hart;
using isa::Operation;
using isa::Outcome;

namespace {
constexpr std::uint64_t kTurnTicks = 4096;  // how often the host interface is looked at
constexpr std::uint64_t kSystemWrite = 64, kSystemExit = 93;  // proxy kernel numbers
}  // namespace

class BareHart::Implementation final : public isa::Environment {
 public:
  struct Range {
    std::uint64_t base, bytes;
    Reservation memory;
  };

  explicit Implementation(const EngineOptions& engine) : engine_(make_engine(engine)) {
    Hart& hart = harts_[0];
    isa::csr_reset(hart);
    for (Hart& each : harts_) each.reservation = isa::kNoReservation;
    hart.v = &vectors_;
    hart.environment = this;
    hart.node_harts = harts_.data();
    hart.status = isa::HartStatus::Runnable;
  }

  [[nodiscard]] Range* find(std::uint64_t address, std::uint64_t bytes) const {
    for (const auto& range : ranges_)
      if (const std::uint64_t offset = address - range->base;
          offset < range->bytes && bytes <= range->bytes - offset)
        return range.get();
    return nullptr;
  }
  [[nodiscard]] std::uint8_t* at(std::uint64_t address, std::uint64_t bytes) const {
    Range* range = find(address, bytes);
    return range == nullptr ? nullptr : range->memory.data() + (address - range->base);
  }

  void snapshot() {
    previous_program_ = std::move(code_.program);  // its block with the fence.i is still in use
    code_.program = std::make_shared<CodeImage>(
        code_base_, std::span<const std::uint8_t>(at(code_base_, code_bytes_), code_bytes_),
        &blocks_decoded_);
    code_.program->set_names(names_);
  }

  BareExit run(std::uint64_t max_instructions);

  // --- Environment: no node around it, so what needs one is illegal ---------------------------
  Outcome access(Hart& hart, const Operation& operation, std::uint64_t address, unsigned bytes,
                 bool write, void* data) override {
    std::uint8_t* memory = at(address, bytes);
    if (memory == nullptr)
      return isa::trap(hart, operation, write ? Cause::StoreAccess : Cause::LoadAccess, address);
    if (write) {
      std::memcpy(memory, data, bytes);
      if (hart.reservations_held) isa::break_reservations(hart, address, bytes);
    } else {
      std::memcpy(data, memory, bytes);
    }
    return Outcome::Next;
  }
  Outcome remote_amo(Hart& hart, const Operation& operation, std::uint64_t address, unsigned,
                     unsigned, std::uint64_t, std::uint64_t&) override {
    return isa::trap(hart, operation, Cause::StoreAccess, address);
  }
  Outcome fence_i(Hart& hart, const Operation& operation) override {
    snapshot();
    hart.pc = operation.next_pc();
    return Outcome::Sync;
  }
  Outcome fence(Hart&, const Operation&) override { return Outcome::Next; }
  Outcome wait_for_interrupt(Hart& hart, const Operation& operation) override {
    if ((hart.mip & hart.mie) != 0) return Outcome::Next;
    hart.pc = operation.pc;
    hart.wait.kind = isa::WaitKind::Interrupt;
    return Outcome::Park;
  }
  Outcome semaphore_wait(Hart& hart, const Operation& operation, std::uint64_t,
                         std::uint64_t) override {
    return isa::illegal(hart, operation);
  }
  Outcome semaphore_try(Hart& hart, const Operation& operation, std::uint64_t, std::uint64_t,
                        std::uint64_t&) override {
    return isa::illegal(hart, operation);
  }
  Outcome semaphore_read(Hart& hart, const Operation& operation, std::uint64_t,
                         std::uint64_t&) override {
    return isa::illegal(hart, operation);
  }
  Outcome semaphore_post(Hart& hart, const Operation& operation, std::uint64_t,
                         std::uint64_t) override {
    return isa::illegal(hart, operation);
  }
  Outcome node_barrier(Hart& hart, const Operation& operation, std::uint64_t) override {
    return isa::illegal(hart, operation);
  }
  Outcome grid_barrier(Hart& hart, const Operation& operation, std::uint64_t) override {
    return isa::illegal(hart, operation);
  }
  Outcome transfer(Hart& hart, const Operation& operation, std::uint64_t, std::uint64_t) override {
    return isa::illegal(hart, operation);
  }
  Outcome transfer_wait(Hart&, const Operation&) override { return Outcome::Next; }
  Outcome print(Hart& hart, const Operation& operation, std::uint64_t text,
                std::uint64_t bytes) override {
    const std::uint8_t* memory = at(text, bytes);
    if (memory == nullptr) return isa::trap(hart, operation, Cause::LoadAccess, text);
    console({reinterpret_cast<const char*>(memory), bytes});
    return Outcome::Next;
  }
  Outcome stop(Hart& hart, const Operation& operation) override {
    hart.pc = operation.next_pc();
    return Outcome::Stop;
  }
  bool read_csr(const Hart&, unsigned number, std::uint64_t& value) override {
    value = 0;  // hart 0 of node 0, in no launch
    return number == 0xf14 || (number >= 0xcc0 && number <= 0xcc5);
  }
  bool write_csr(Hart&, unsigned, std::uint64_t) override { return false; }

  void console(std::string_view text) {
    if (console_) console_(text);
    else std::fwrite(text.data(), 1, text.size(), stdout);
  }
  // True when the program asked to end; fills the code.
  bool serve_host_interface(std::uint64_t& code);

  std::vector<std::unique_ptr<Range>> ranges_;
  std::array<Hart, isa::kHartsPerNode> harts_{};
  isa::VectorRegisters vectors_{};
  std::unique_ptr<Engine> engine_;
  std::atomic<std::uint64_t> blocks_decoded_{0};
  std::shared_ptr<const CodeNames> names_;
  CodeView code_;
  std::shared_ptr<CodeImage> previous_program_;
  UnitShare units_;
  std::uint64_t code_base_ = 0, code_bytes_ = 0;
  std::optional<std::uint64_t> to_host_, from_host_;
  std::function<void(std::string_view)> console_;
};

bool BareHart::Implementation::serve_host_interface(std::uint64_t& code) {
  if (!to_host_) return false;
  std::uint64_t command;
  std::uint8_t* place = at(*to_host_, sizeof(command));
  std::memcpy(&command, place, sizeof(command));
  if (command == 0) return false;
  const std::uint64_t zero = 0, one = 1;
  std::memcpy(place, &zero, sizeof(zero));
  std::uint64_t answer = one;
  if (command >> 56 == 1) {  // console device: character in the low byte
    const char character = static_cast<char>(command);
    console({&character, 1});
    answer = command >> 48 << 48;
  } else if ((command & 1) != 0) {
    code = command >> 1;
    return true;
  } else if (std::uint8_t* call = at(command, 4 * sizeof(std::uint64_t)); call != nullptr) {
    std::array<std::uint64_t, 4> words;  // number, then arguments; the result replaces the number
    std::memcpy(words.data(), call, sizeof(words));
    if (words[0] == kSystemExit) {
      code = words[1];
      return true;
    }
    std::uint64_t result = static_cast<std::uint64_t>(-38);  // ENOSYS
    if (words[0] == kSystemWrite) {
      const std::uint8_t* text = at(words[2], words[3]);
      if (text != nullptr) console({reinterpret_cast<const char*>(text), words[3]});
      result = text != nullptr ? words[3] : static_cast<std::uint64_t>(-14);  // EFAULT
    }
    std::memcpy(call, &result, sizeof(result));
  }
  if (from_host_) std::memcpy(at(*from_host_, sizeof(answer)), &answer, sizeof(answer));
  return false;
}

BareExit BareHart::Implementation::run(std::uint64_t max_instructions) {
  Hart& hart = harts_[0];
  BareExit exit;
  const std::uint64_t first = hart.instret;
  for (;;) {
    // An instruction takes a tick at least: the last turn overshoots a limit by a loop at most.
    const std::uint64_t left = max_instructions - exit.instructions;
    const std::uint64_t budget = max_instructions == 0 ? kTurnTicks : std::min(kTurnTicks, left);
    const TurnEnd end = engine_->run(hart, code_, budget);
    settle(hart, units_);
    exit.instructions = hart.instret - first;
    exit.cycles = hart.clock / isa::kTicksPerCycle;
    exit.pc = hart.pc;
    if (serve_host_interface(exit.code)) return exit;
    if (end == TurnEnd::Unhandled) {
      exit.reason = BareExit::Reason::Trap;
      exit.cause = static_cast<std::uint64_t>(hart.trap.cause);
      exit.value = hart.trap.value;
      return exit;
    }
    if (end != TurnEnd::Budget) {
      exit.reason = BareExit::Reason::Waiting;
      return exit;
    }
    if (max_instructions != 0 && exit.instructions >= max_instructions) {
      exit.reason = BareExit::Reason::Limit;
      return exit;
    }
  }
}

BareHart::BareHart(const EngineOptions& engine)
    : implementation_(std::make_unique<Implementation>(engine)) {}
BareHart::~BareHart() = default;

Result<> BareHart::add_memory(std::uint64_t base, std::uint64_t bytes) {
  if (bytes == 0 || base + bytes < base)
    return fail(ErrorKind::Invalid,
                fmt::format("Memory of {} bytes at {:#x} is empty or wraps around.", bytes, base));
  for (const auto& range : implementation_->ranges_)
    if (base < range->base + range->bytes && range->base < base + bytes)
      return fail(ErrorKind::Invalid,
                  fmt::format("Memory [{:#x}, {:#x}) overlaps [{:#x}, {:#x}).", base, base + bytes,
                              range->base, range->base + range->bytes));
  try {
    implementation_->ranges_.push_back(std::make_unique<Implementation::Range>(
        Implementation::Range{base, bytes, Reservation(bytes)}));
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("The host has no address space for {} bytes of memory.", bytes));
  }
  return {};
}

Result<> BareHart::write(std::uint64_t address, std::span<const std::uint8_t> bytes) {
  std::uint8_t* memory = implementation_->at(address, bytes.size());
  if (memory == nullptr)
    return fail(ErrorKind::Invalid,
                fmt::format("[{:#x}, {:#x}) lies outside the memory of the hart; add RAM there.",
                            address, address + bytes.size()));
  std::memcpy(memory, bytes.data(), bytes.size());
  return {};
}

Result<> BareHart::read(std::uint64_t address, std::span<std::uint8_t> bytes) const {
  const std::uint8_t* memory = implementation_->at(address, bytes.size());
  if (memory == nullptr)
    return fail(ErrorKind::Invalid, fmt::format("[{:#x}, {:#x}) lies outside the memory.", address,
                                                address + bytes.size()));
  std::memcpy(bytes.data(), memory, bytes.size());
  return {};
}

Result<> BareHart::set_code(std::uint64_t base, std::uint64_t bytes) {
  Implementation& self = *implementation_;
  Implementation::Range* range = self.find(base, bytes);
  if (range == nullptr || base % 2 != 0)
    return fail(ErrorKind::Invalid,
                fmt::format("Code [{:#x}, {:#x}) lies outside the memory or at an odd address.",
                            base, base + bytes));
  self.code_base_ = base;
  self.code_bytes_ = bytes;
  self.snapshot();
  // The range that holds the code is the one reached fastest.
  self.harts_[0].memory = {range->memory.data(), range->base, range->bytes};
  return {};
}

void BareHart::set_names(std::vector<NamedFunction> functions) {
  implementation_->names_ = std::make_shared<const CodeNames>(std::move(functions));
}
void BareHart::set_entry(std::uint64_t pc) { implementation_->harts_[0].pc = pc; }
void BareHart::set_host_interface(std::uint64_t to_host, std::optional<std::uint64_t> from_host) {
  implementation_->to_host_ =
      implementation_->at(to_host, 8) != nullptr ? std::optional(to_host) : std::nullopt;
  implementation_->from_host_ =
      from_host && implementation_->at(*from_host, 8) != nullptr ? from_host : std::nullopt;
}
void BareHart::set_console(std::function<void(std::string_view)> console) {
  implementation_->console_ = std::move(console);
}
BareExit BareHart::run(std::uint64_t max_instructions) {
  return implementation_->run(max_instructions);
}
std::uint64_t BareHart::integer_register(unsigned index) const {
  return implementation_->harts_[0].x[index];
}
std::uint64_t BareHart::float_register(unsigned index) const {
  return implementation_->harts_[0].f[index];
}
EngineStatistics BareHart::statistics() const {
  EngineStatistics statistics = implementation_->engine_->statistics();
  statistics.blocks_decoded = implementation_->blocks_decoded_.load();
  statistics.retired = implementation_->harts_[0].instret;
  return statistics;
}
std::uint64_t BareHart::pc() const { return implementation_->harts_[0].pc; }

}  // namespace d1::emulator
