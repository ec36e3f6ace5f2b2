// SPDX-License-Identifier: Apache-2.0
#include "oracle_faults.hpp"

#include <fmt/format.h>

#include "comparison.hpp"
#include "machine_image.hpp"
#include "work_folder.hpp"

namespace d1::difftest {

namespace {

using enum isa::InstructionId;

struct OracleFault {
  const char* heading;  // as in ORACLE.md
  void (*emit)(Assembler& out);
  const char* differs;  // how the line that tells of it begins; null: the oracle aborts
};

constexpr std::int32_t kCsrVxrm = 0x00a, kCsrVlenb = 0xc22, kCsrMepc = 0x341;
constexpr std::uint32_t kUnmasked = 1U << 25;

void configure(Assembler& out, unsigned vl, unsigned vstart) {
  out.op(vsetivli, {.rd = 0, .rs1 = vl, .immediate = vtype_bits(5, 0, false, false)});
  if (vstart != 0) out.op(csrrwi, {.rs1 = vstart, .immediate = kCsrVstart});
}

constexpr OracleFault kFaults[] = {
    {"1. csrrs and csrrc of a read-only CSR with a register that holds 0",
     [](Assembler& out) {
       out.add_immediate(5, 0, 0);
       out.op(csrrs, {.rd = 6, .rs1 = 5, .immediate = kCsrVlenb});
     },
     "traps"},
    {"2. vstart stays when it is not below vl",
     [](Assembler& out) {
       configure(out, 4, 4);
       out.op(vle32_v, {.rd = 8, .rs1 = 0, .bits = kUnmasked});
     },
     "vstart"},
    {"3. Moves of element 0 leave vstart",
     [](Assembler& out) {
       configure(out, 4, 2);
       out.op(vmv_x_s, {.rd = 5, .rs2 = 8});
     },
     "vstart"},
    {"4. Conversions that truncate abort the oracle",
     [](Assembler& out) {
       configure(out, 4, 0);
       out.op(vfcvt_rtz_x_f_v, {.rd = 8, .rs2 = 16, .bits = kUnmasked});
     },
     nullptr},
    {"5. vslideup leaves vstart",
     [](Assembler& out) {
       configure(out, 4, 2);
       out.op(vslideup_vi, {.rd = 8, .rs1 = 1, .rs2 = 16, .immediate = 1, .bits = kUnmasked});
     },
     "vstart"},
    {"6. vxrm keeps bits that do not exist",
     [](Assembler& out) { out.op(csrrwi, {.rs1 = 31, .immediate = kCsrVxrm}); }, "vcsr"},
    {"7. ctzw counts on into the upper half",
     [](Assembler& out) {
       out.add_immediate(5, 0, 1);
       out.op(slli, {.rd = 5, .rs1 = 5, .immediate = 40});
       out.op(ctzw, {.rd = 6, .rs1 = 5});
     },
     "x6"},
};

// Those of M-mode.
bool machine_faults_show(const std::string& oracle, const WorkFolder& folder) {
  MachineCase each;
  each.steps.emplace_back();
  Assembler out(each.steps[0].code);
  load_address(out, 5, kMachineArena + 2);
  out.op(amoadd_w, {.rd = 6, .rs1 = 5});
  out.op(csrrwi, {.rs1 = 1, .immediate = kCsrMepc});
  out.read_csr(7, kCsrMepc);
  const auto outcomes = run_machine({&each, 1}, oracle, folder.path());
  const bool amo = outcomes && outcomes->amo_causes_mended == 1;
  const bool mepc = outcomes && outcomes->ours[0].x[7] == 0 && outcomes->oracle[0].x[7] == 1;
  fmt::print("{} 8. Faults of AMOs are load faults\n", amo ? "there   " : "NOT SEEN");
  fmt::print("{} 9. mepc keeps bit 0\n", mepc ? "there   " : "NOT SEEN");
  return amo && mepc;
}

}  // namespace

int check_oracle_faults(const OracleRun::Options& options, const std::string& machine_oracle) {
  const WorkFolder folder;
  const Comparer comparer(options, folder.path());
  int result = 0;
  for (const OracleFault& fault : kFaults) {
    Case each;
    each.pointer = 31;
    each.steps.emplace_back();
    Assembler out(each.steps[0].code);
    fault.emit(out);
    const auto outcomes = comparer.run({&each, 1});
    bool shows = false;
    if (!outcomes) {
      shows = fault.differs == nullptr && outcomes.error().kind() == ErrorKind::Internal;
    } else if (fault.differs != nullptr) {
      const auto lines = differences(each, outcomes->ours[0], outcomes->oracle[0]);
      shows = !lines.empty() && lines[0].starts_with(fault.differs);
    }
    fmt::print("{} {}\n", shows ? "there   " : "NOT SEEN", fault.heading);
    if (!shows) result = 1;
  }
  if (!machine_faults_show(machine_oracle, folder)) result = 1;
  return result;
}

}  // namespace d1::difftest
