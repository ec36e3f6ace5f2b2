// SPDX-License-Identifier: Apache-2.0
// Loads and stores of consecutive and strided elements, of masks and of whole registers.
#include <semantics/vector_memory.hpp>

namespace d1::isa {
namespace vector {
namespace {

// Consecutive elements of one group, unmasked: one copy if the window holds them all.
template <Direction direction, typename T>
Outcome move_run(Hart& hart, const Operation& operation, const Body& body) {
  const std::uint64_t base = hart.x[operation.rs1];
  if (!body.empty()) {
    const std::uint64_t address = base + std::uint64_t{body.start} * sizeof(T);
    const unsigned bytes = (body.end - body.start) * unsigned{sizeof(T)};
    if (in_window(hart, address, bytes)) [[likely]] {
      std::uint8_t* const memory = hart.memory.host + (address - hart.memory.base);
      std::uint8_t* const registers = bytes_of(hart, operation.rd) + body.start * sizeof(T);
      if constexpr (direction == Direction::Load) {
        std::memcpy(registers, memory, bytes);
      } else {
        std::memcpy(memory, registers, bytes);
        if (hart.reservations_held) [[unlikely]]
          break_reservations(hart, address, bytes);
      }
      return Outcome::Next;
    }
  }
  return move_elements<direction, T>(hart, operation, body, 1, 1, [base](unsigned index) {
    return base + std::uint64_t{index} * sizeof(T);
  });
}

// What a fault after the first element means.
enum class Fault : std::uint8_t { Traps, EndsVector };

template <Direction direction, typename T>
Outcome unit_stride(Hart& hart, const Operation& operation, Fault fault = Fault::Traps) {
  constexpr unsigned width = kWidthLog2<T>;
  const int emul = static_cast<int>(width) - hart.vtype.sew_log2 + hart.vtype.lmul_log2;
  const unsigned fields = operation.fields();
  if (!usable(hart) || !fields_ok(operation, fields, emul)) return illegal(hart, operation);
  if (direction == Direction::Load && !destination_ok(operation)) return illegal(hart, operation);
  Body body = body_of(hart, operation);
  const std::uint64_t base = hart.x[operation.rs1];
  const std::uint64_t step = fields * sizeof(T);
  const Outcome outcome =
      fields == 1 && !body.masked
          ? move_run<direction, T>(hart, operation, body)
          : move_elements<direction, T>(hart, operation, body, fields, registers_of(emul),
                                        [=](unsigned index) { return base + index * step; });
  if (outcome != Outcome::Next) {
    if (outcome != Outcome::Trap || fault == Fault::Traps || hart.vstart == 0) return outcome;
    hart.vl = hart.vstart;
    body.end = static_cast<unsigned>(hart.vl);
  }
  if constexpr (direction == Direction::Store) return finish(hart);
  return finish_load(hart, operation, body, fields, width, emul);
}

template <Direction direction, typename T>
Outcome strided(Hart& hart, const Operation& operation) {
  constexpr unsigned width = kWidthLog2<T>;
  const int emul = static_cast<int>(width) - hart.vtype.sew_log2 + hart.vtype.lmul_log2;
  const unsigned fields = operation.fields();
  if (!usable(hart) || !fields_ok(operation, fields, emul)) return illegal(hart, operation);
  if (direction == Direction::Load && !destination_ok(operation)) return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  const std::uint64_t base = hart.x[operation.rs1], stride = hart.x[operation.rs2];
  const Outcome outcome =
      move_elements<direction, T>(hart, operation, body, fields, registers_of(emul),
                                  [=](unsigned index) { return base + index * stride; });
  if (outcome != Outcome::Next) return outcome;
  if constexpr (direction == Direction::Store) return finish(hart);
  return finish_load(hart, operation, body, fields, width, emul);
}

template <Direction direction>
Outcome mask_bytes(Hart& hart, const Operation& operation) {
  if (!usable(hart)) return illegal(hart, operation);
  const Body body = {static_cast<unsigned>(hart.vstart), static_cast<unsigned>(hart.vl + 7) / 8,
                     false};
  const Outcome outcome = move_run<direction, std::uint8_t>(hart, operation, body);
  if (outcome != Outcome::Next) return outcome;
  if (direction == Direction::Load && agnostic_fill && !body.empty())  // a mask's tail, always
    std::memset(bytes_of(hart, operation.rd) + body.end, 0xff, kVlenBytes - body.end);
  return finish(hart);
}

template <Direction direction, typename T>
Outcome whole_registers(Hart& hart, const Operation& operation) {
  const unsigned registers = operation.fields();
  if (vector_off(hart) || operation.rd % registers != 0) return illegal(hart, operation);
  const unsigned elements = registers * kVlenBytes / unsigned{sizeof(T)};
  const Body body = {static_cast<unsigned>(hart.vstart), elements, false};
  const Outcome outcome = move_run<direction, T>(hart, operation, body);
  return outcome == Outcome::Next ? finish(hart) : outcome;
}

}  // namespace
}  // namespace vector

namespace exec {

#define D1_DEFINE(id, ...) \
  Outcome id(Hart& hart, const Operation& operation) { return vector::__VA_ARGS__; }
#define D1_WIDTH(width)                                                                   \
  D1_DEFINE(vle##width##_v,                                                               \
            unit_stride<vector::Direction::Load, std::uint##width##_t>(hart, operation))  \
  D1_DEFINE(vle##width##ff_v, unit_stride<vector::Direction::Load, std::uint##width##_t>( \
                                  hart, operation, vector::Fault::EndsVector))            \
  D1_DEFINE(vse##width##_v,                                                               \
            unit_stride<vector::Direction::Store, std::uint##width##_t>(hart, operation)) \
  D1_DEFINE(vlse##width##_v,                                                              \
            strided<vector::Direction::Load, std::uint##width##_t>(hart, operation))      \
  D1_DEFINE(vsse##width##_v,                                                              \
            strided<vector::Direction::Store, std::uint##width##_t>(hart, operation))     \
  D1_WHOLE(1, width) D1_WHOLE(2, width) D1_WHOLE(4, width) D1_WHOLE(8, width)
#define D1_WHOLE(count, width)        \
  D1_DEFINE(vl##count##re##width##_v, \
            whole_registers<vector::Direction::Load, std::uint##width##_t>(hart, operation))

D1_WIDTH(8)
D1_WIDTH(16)
D1_WIDTH(32)
D1_WIDTH(64)

D1_DEFINE(vs1r_v, whole_registers<vector::Direction::Store, std::uint8_t>(hart, operation))
D1_DEFINE(vs2r_v, whole_registers<vector::Direction::Store, std::uint8_t>(hart, operation))
D1_DEFINE(vs4r_v, whole_registers<vector::Direction::Store, std::uint8_t>(hart, operation))
D1_DEFINE(vs8r_v, whole_registers<vector::Direction::Store, std::uint8_t>(hart, operation))
D1_DEFINE(vlm_v, mask_bytes<vector::Direction::Load>(hart, operation))
D1_DEFINE(vsm_v, mask_bytes<vector::Direction::Store>(hart, operation))

#undef D1_WHOLE
#undef D1_WIDTH
#undef D1_DEFINE

}  // namespace exec
}  // namespace d1::isa
