// SPDX-License-Identifier: Apache-2.0
#include "engine/hart_comparison.hpp"

#include <fmt/format.h>

#include <cstring>

namespace d1::emulator {

using isa::Hart;
using isa::HartState;

namespace {

constexpr const char* kIntegerNames[] = {"zero", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                         "s0",   "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                         "a6",   "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                         "s8",   "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr const char* kUnitNames[] = {"issue",  "alu",       "address",   "simd",
                                      "matrix", "load port", "store port"};

std::string hex(const void* bytes, std::size_t count) {
  std::string text = "0x";
  for (std::size_t i = count; i-- > 0;)
    text += fmt::format("{:02x}", static_cast<const unsigned char*>(bytes)[i]);
  return text;
}

// Hands each thing that is compared to visit(name, its value here, its value there, bytes).
template <typename Visit>
void each_field(const Hart& a, const Hart& b, Visit&& visit) {
  for (unsigned i = 0; i < 32; ++i) {
    visit([=] { return std::string(kIntegerNames[i]); }, &a.x[i], &b.x[i], sizeof a.x[i]);
    visit([=] { return fmt::format("f{}", i); }, &a.f[i], &b.f[i], sizeof a.f[i]);
    visit([=] { return fmt::format("v{}", i); }, a.v->bytes[i], b.v->bytes[i], isa::kVlenBytes);
  }
  for (unsigned i = 0; i < isa::kUnits; ++i)
    visit([=] { return fmt::format("ticks of unit {}", kUnitNames[i]); }, &a.units[i], &b.units[i],
          sizeof a.units[i]);
  const auto field = [&](const char* name, const auto HartState::*member) {
    visit([=] { return std::string(name); }, &(a.*member), &(b.*member), sizeof(a.*member));
  };
  field("pc", &HartState::pc);
  field("clock", &HartState::clock);
  field("work", &HartState::work);
  field("instret", &HartState::instret);
  field("mstatus", &HartState::mstatus);
  field("mtvec", &HartState::mtvec);
  field("mepc", &HartState::mepc);
  field("mcause", &HartState::mcause);
  field("mtval", &HartState::mtval);
  field("mscratch", &HartState::mscratch);
  field("mie", &HartState::mie);
  field("mip", &HartState::mip);
  field("mcountinhibit", &HartState::mcountinhibit);
  field("mcycle's offset", &HartState::mcycle_offset);
  field("minstret's offset", &HartState::minstret_offset);
  field("vstart", &HartState::vstart);
  field("vl", &HartState::vl);
  field("vtype (sew, lmul, ta, ma, ill)", &HartState::vtype);
  field("vxrm", &HartState::vxrm);
  field("vxsat", &HartState::vxsat);
  field("frm", &HartState::frm);
  field("fflags", &HartState::fflags);
  field("d1fmt", &HartState::float_formats);
  field("hart id", &HartState::hart_id);
  field("status", &HartState::status);
  field("response valid", &HartState::response_valid);
  field("response", &HartState::response);
  field("d1bias", &HartState::d1_bias);
  field("d1seed", &HartState::d1_seed);
  visit([] { return std::string("cause of the last trap"); }, &a.trap.cause, &b.trap.cause,
        sizeof a.trap.cause);
  visit([] { return std::string("value of the last trap"); }, &a.trap.value, &b.trap.value,
        sizeof a.trap.value);
  visit([] { return std::string("kind of wait"); }, &a.wait.kind, &b.wait.kind, sizeof a.wait.kind);
  visit([] { return std::string("index waited for"); }, &a.wait.index, &b.wait.index,
        sizeof a.wait.index);
  visit([] { return std::string("amount waited for"); }, &a.wait.amount, &b.wait.amount,
        sizeof a.wait.amount);
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i)
    visit([=] { return fmt::format("reservation of hart {}", i); }, &a.node_harts[i].reservation,
          &b.node_harts[i].reservation, sizeof a.reservation);
}

}  // namespace

bool same_state(const Hart& a, const Hart& b) noexcept {
  bool same = true;
  each_field(a, b, [&](const auto&, const void* here, const void* there, std::size_t bytes) {
    same = same && std::memcmp(here, there, bytes) == 0;
  });
  return same;
}

std::vector<std::string> state_differences(const Hart& interpreted, const Hart& translated) {
  std::vector<std::string> lines;
  each_field(interpreted, translated,
             [&](const auto& name, const void* here, const void* there, std::size_t bytes) {
               if (std::memcmp(here, there, bytes) == 0) return;
               lines.push_back(fmt::format("{}: interpreted {}, translated {}", name(),
                                           hex(here, bytes), hex(there, bytes)));
             });
  return lines;
}

}  // namespace d1::emulator
