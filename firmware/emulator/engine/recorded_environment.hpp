// SPDX-License-Identifier: Apache-2.0
// A hart's environment, asked once and heard twice: the first run of a hart asks the true one and
// the answers are recorded; the second run, on a twin of the hart, gets them replayed and must ask
// the same. One turn of one hart at a time; not thread-safe.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <d1/isa/hart.hpp>

#include "engine/code_image.hpp"

namespace d1::emulator {

// One question, with all that the answer did to the hart.
struct EnvironmentAnswer {
  enum class Call : std::uint8_t {
    Access,
    RemoteAmo,
    FenceI,
    Fence,
    WaitForInterrupt,
    SemaphoreWait,
    SemaphoreTry,
    SemaphoreRead,
    SemaphorePost,
    NodeBarrier,
    GridBarrier,
    Transfer,
    TransferWait,
    Print,
    Zone,
    Stop,
    ReadCsr,
    WriteCsr
  };
  struct Question {
    Call call = Call::Access;
    std::uint64_t pc = 0;  // of the instruction; 0 for registers
    std::array<std::uint64_t, 4> arguments{};
    friend bool operator==(const Question&, const Question&) = default;
  };
  Question question;
  std::uint64_t data = 0;  // given back
  isa::Outcome outcome = isa::Outcome::Next;
  bool known = false;  // of a register
  std::uint64_t pc = 0;
  isa::TrapRecord trap{};
  isa::WaitRecord wait{};
  std::uint8_t response_valid = 0;
  std::array<std::uint64_t, isa::kHartsPerNode> reservations{};
  CodeView code;  // as it was then
  // Where the window was written through an address outside of it, and how many bytes of `data`.
  std::uint64_t written_at = 0;
  unsigned written_bytes = 0;
};

// Stands between a hart and its environment, and records.
class RecordingEnvironment final : public isa::Environment {
 public:
  void begin(isa::Environment& target, const CodeView& code) {
    target_ = &target;
    code_ = &code;
    answers_.clear();
  }
  [[nodiscard]] const std::vector<EnvironmentAnswer>& answers() const noexcept { return answers_; }

#define D1_ENVIRONMENT_CALLS                                                                     \
  isa::Outcome access(isa::Hart&, const isa::Operation&, std::uint64_t address, unsigned bytes,  \
                      bool write, void* data) override;                                          \
  isa::Outcome remote_amo(isa::Hart&, const isa::Operation&, std::uint64_t address,              \
                          unsigned bytes, unsigned function, std::uint64_t operand,              \
                          std::uint64_t& result) override;                                       \
  isa::Outcome fence_i(isa::Hart&, const isa::Operation&) override;                              \
  isa::Outcome fence(isa::Hart&, const isa::Operation&) override;                                \
  isa::Outcome wait_for_interrupt(isa::Hart&, const isa::Operation&) override;                   \
  isa::Outcome semaphore_wait(isa::Hart&, const isa::Operation&, std::uint64_t index,            \
                              std::uint64_t count) override;                                     \
  isa::Outcome semaphore_try(isa::Hart&, const isa::Operation&, std::uint64_t index,             \
                             std::uint64_t count, std::uint64_t& taken) override;                \
  isa::Outcome semaphore_read(isa::Hart&, const isa::Operation&, std::uint64_t index,            \
                              std::uint64_t& value) override;                                    \
  isa::Outcome semaphore_post(isa::Hart&, const isa::Operation&, std::uint64_t target,           \
                              std::uint64_t count) override;                                     \
  isa::Outcome node_barrier(isa::Hart&, const isa::Operation&, std::uint64_t harts) override;    \
  isa::Outcome grid_barrier(isa::Hart&, const isa::Operation&, std::uint64_t harts) override;    \
  isa::Outcome transfer(isa::Hart&, const isa::Operation&, std::uint64_t descriptors,            \
                        std::uint64_t count) override;                                           \
  isa::Outcome transfer_wait(isa::Hart&, const isa::Operation&) override;                        \
  isa::Outcome print(isa::Hart&, const isa::Operation&, std::uint64_t text, std::uint64_t bytes) \
      override;                                                                                  \
  isa::Outcome zone(isa::Hart&, const isa::Operation&, std::uint64_t mark) override;             \
  isa::Outcome stop(isa::Hart&, const isa::Operation&) override;                                 \
  bool read_csr(const isa::Hart&, unsigned number, std::uint64_t& value) override;               \
  bool write_csr(isa::Hart&, unsigned number, std::uint64_t value) override;

  D1_ENVIRONMENT_CALLS

 private:
  template <typename Ask>
  isa::Outcome record(isa::Hart& hart, const EnvironmentAnswer::Question& question,
                      std::uint64_t& data, Ask&& ask);
  void record_register(const EnvironmentAnswer::Question& question, bool known,
                       std::uint64_t value);

  isa::Environment* target_ = nullptr;
  const CodeView* code_ = nullptr;
  std::vector<EnvironmentAnswer> answers_;
};

// Gives the recorded answers to the twin, in order.
class ReplayingEnvironment final : public isa::Environment {
 public:
  // code: what the twin fetches from; fence.i changes it as it did then.
  void begin(const std::vector<EnvironmentAnswer>& answers, CodeView& code) {
    answers_ = &answers;
    code_ = &code;
    next_ = 0;
    complaint_.reset();
  }
  // What was asked otherwise, or not at all; nothing if all was asked the same.
  [[nodiscard]] std::optional<std::string> complaint() const;

  D1_ENVIRONMENT_CALLS
#undef D1_ENVIRONMENT_CALLS

 private:
  [[nodiscard]] const EnvironmentAnswer* answer(const EnvironmentAnswer::Question& question);
  isa::Outcome replay(isa::Hart& hart, const isa::Operation& operation,
                      const EnvironmentAnswer::Question& question, std::uint64_t& data);

  const std::vector<EnvironmentAnswer>* answers_ = nullptr;
  CodeView* code_ = nullptr;
  std::size_t next_ = 0;
  std::optional<std::string> complaint_;
};

}  // namespace d1::emulator
