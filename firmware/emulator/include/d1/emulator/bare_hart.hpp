// SPDX-License-Identifier: Apache-2.0
// One hart that runs a bare-metal program at its own addresses, without node, NoC or DIP: what
// `d1 exec` is made of. The host-target interface (HTIF) of the public RISC-V suites is honoured:
// tohost = code << 1 | 1 ends the run, other values are system calls of the proxy kernel (write,
// exit) or characters for the console. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <d1/base/code_names.hpp>
#include <d1/base/error.hpp>
#include <d1/emulator/engine_options.hpp>
#include <d1/emulator/engine_statistics.hpp>

namespace d1::emulator {

struct BareExit {
  enum class Reason : std::uint8_t {
    Exited,     // by tohost; `code` is its exit status
    Limit,      // max_instructions retired
    Trap,       // a trap without a handler; cause, value, pc tell which
    Waiting     // wfi, or another wait that nothing can end
  } reason = Reason::Exited;
  std::uint64_t code = 0;
  std::uint64_t cause = 0, value = 0, pc = 0;
  std::uint64_t instructions = 0;
  std::uint64_t cycles = 0;
};

class BareHart {
 public:
  explicit BareHart(const EngineOptions& engine = engine_options_from_environment());
  ~BareHart();
  BareHart(const BareHart&) = delete;
  BareHart& operator=(const BareHart&) = delete;

  // Zeroed memory at [base, base + bytes); must not overlap what was added before.
  [[nodiscard]] Result<> add_memory(std::uint64_t base, std::uint64_t bytes);
  // Copies into memory; all of it must lie in one range that was added.
  [[nodiscard]] Result<> write(std::uint64_t address, std::span<const std::uint8_t> bytes);
  [[nodiscard]] Result<> read(std::uint64_t address, std::span<std::uint8_t> bytes) const;
  // Makes [base, + bytes) executable with what it holds now. fence.i takes the snapshot anew.
  [[nodiscard]] Result<> set_code(std::uint64_t base, std::uint64_t bytes);
  // Names its functions where translated code is told of by name; before set_code().
  void set_names(std::vector<NamedFunction> functions);
  void set_entry(std::uint64_t pc);
  void set_host_interface(std::uint64_t to_host, std::optional<std::uint64_t> from_host);
  // Text that the program writes; default: standard output.
  void set_console(std::function<void(std::string_view)> console);

  // Runs until the program ends or has retired max_instructions (0: no limit).
  [[nodiscard]] BareExit run(std::uint64_t max_instructions);

  // What the engine did so far.
  [[nodiscard]] EngineStatistics statistics() const;

  // Architectural state, for tests and tools: x0..x31, f0..f31 (raw), pc.
  [[nodiscard]] std::uint64_t integer_register(unsigned index) const;
  [[nodiscard]] std::uint64_t float_register(unsigned index) const;
  [[nodiscard]] std::uint64_t pc() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace d1::emulator
