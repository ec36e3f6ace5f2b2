// SPDX-License-Identifier: Apache-2.0
#include "debug/debug_port.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>

#include <d1/isa/csr.hpp>

namespace d1::emulator {

namespace {

using Bytes = DebugPort::Bytes;
constexpr std::uint64_t kTicks = isa::kTicksPerCycle;

template <typename Record>
void append(Bytes& to, const Record& record) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&record);
  to.insert(to.end(), bytes, bytes + sizeof record);
}

template <typename Record>
Bytes bytes_of(const std::vector<Record>& records) {
  Bytes bytes(records.size() * sizeof(Record));
  if (!records.empty()) std::memcpy(bytes.data(), records.data(), bytes.size());
  return bytes;
}

}  // namespace

Result<Bytes> DebugPort::answer(const d1_debug_request& request,
                                std::span<const std::uint8_t> data) {
  switch (request.verb) {
    case D1_DEBUG_MACHINE: return machine();
    case D1_DEBUG_NODES: return nodes();
    case D1_DEBUG_HARTS: return harts(data);
    case D1_DEBUG_REGISTERS: return registers(request);
    case D1_DEBUG_SET_REGISTER: return set_register(request, data);
    case D1_DEBUG_READ: return read(request);
    case D1_DEBUG_WRITE: return write(request, data);
    case D1_DEBUG_NODE: return node_state(request);
    case D1_DEBUG_LAUNCHES: return bytes_of(dip_.describe_launches());
    case D1_DEBUG_QUEUES: return bytes_of(dip_.describe_queues());
    case D1_DEBUG_PROGRAMS: return programs();
    case D1_DEBUG_ELF: return elf(request);
    case D1_DEBUG_STUCK: return verdict();
    default:
      return fail(ErrorKind::Unsupported,
                  fmt::format("This device knows no request {} of the debug interface; it may be "
                              "older than the tool.",
                              request.verb));
  }
}

// --- where --------------------------------------------------------------------------------------

Result<NodeIndex> DebugPort::node_of(std::uint64_t die, std::uint64_t node) const {
  const MachineDescription& description = machine_.description();
  const std::uint32_t dies = machine_.geometry().die_count(), places = machine_.positions_per_die();
  if (die < dies && node < places &&
      machine_.usable(static_cast<std::uint32_t>(die), static_cast<std::uint32_t>(node)))
    return machine_.id_of(static_cast<std::uint32_t>(die), static_cast<std::uint32_t>(node));
  return fail(ErrorKind::Invalid,
              fmt::format("There is no node {} on die {}: the device has dies 0 to {} of {} x {} "
                          "nodes, numbered row by row, of which some are missing.",
                          node, die, dies - 1, description.die_rows, description.die_columns));
}

Result<Node*> DebugPort::hart_of(const d1_debug_request& request) const {
  auto id = node_of(request.argument[0], request.argument[1]);
  if (!id) return std::unexpected(std::move(id.error()));
  if (request.argument[2] >= isa::kHartsPerNode)
    return fail(ErrorKind::Invalid, fmt::format("There is no hart {}: a node has harts 0 to {}.",
                                                request.argument[2], isa::kHartsPerNode - 1));
  return machine_.find(*id);
}

// --- the whole ----------------------------------------------------------------------------------

Bytes DebugPort::machine() const {
  const MachineDescription& description = machine_.description();
  d1_debug_machine record{};
  record.version = D1_DEBUG_VERSION;
  record.flags = (activity_.has_host ? D1_DEBUG_HAS_HOST : 0) |
                 (activity_.running ? D1_DEBUG_RUNNING : 0);
  record.die_rows = description.grid_rows;
  record.die_columns = description.grid_columns;
  record.node_rows = description.die_rows;
  record.node_columns = description.die_columns;
  record.nodes = static_cast<std::uint32_t>(description.usable_nodes());
  record.halts = activity_.halts;
  record.hbm_bytes = machine_.hbm_bytes();
  record.clock_hz = description.clock_hz;
  for (const std::uint64_t each : scheduler_.retired()) record.instructions += each;
  record.packets = fabric_.packets();
  record.packet_bytes = fabric_.bytes();
  record.process = static_cast<std::uint32_t>(::getpid());
  const std::size_t length = std::min(description.name.size(), sizeof record.name - 1);
  std::memcpy(record.name, description.name.data(), length);
  Bytes bytes;
  append(bytes, record);
  return bytes;
}

d1_debug_node DebugPort::describe(NodeIndex id) const {
  const NodeId place = machine_.place(id);
  d1_debug_node record{};
  record.die = place.die;
  record.node = place.node;
  const Node* const node = machine_.find(id);
  if (node == nullptr) return record;
  record.held = static_cast<std::uint8_t>(node->held_harts());
  record.rank = node->rank();
  record.launch = node->launch() != nullptr ? node->launch()->id : 0;
  record.program = node->code().program != nullptr ? node->code().program->id() : 0;
  record.instructions = node->instructions();
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i) {
    const isa::Hart& hart = node->hart(i);
    record.hart_status[i] = static_cast<std::uint8_t>(hart.status);
    if (hart.status == isa::HartStatus::Parked)
      record.wait_kind[i] = static_cast<std::uint8_t>(hart.wait.kind);
    record.cycle = std::max(record.cycle, hart.clock / kTicks);
  }
  for (unsigned unit = 0; unit < D1_DEBUG_UNITS; ++unit)
    record.unit_cycles[unit] = node->unit_ticks()[unit] / kTicks;
  return record;
}

Bytes DebugPort::nodes() const {
  std::vector<d1_debug_node> records;
  for (NodeIndex id = 0; id < machine_.positions(); ++id) {
    const NodeId place = machine_.place(id);
    if (machine_.usable(place.die, place.node)) records.push_back(describe(id));
  }
  return bytes_of(records);
}

d1_debug_hart DebugPort::describe_hart(const Node& node, unsigned hart) const {
  d1_debug_hart record{};
  record.report = report_of(node, machine_.place(node.id()), node.rank(), hart);
  record.instructions = node.hart(hart).instret;
  record.program = node.code().program != nullptr ? node.code().program->id() : 0;
  record.launch = node.launch() != nullptr ? node.launch()->id : 0;
  return record;
}

Result<Bytes> DebugPort::harts(std::span<const std::uint8_t> places) const {
  std::vector<d1_debug_hart> records;
  const auto add = [&](NodeIndex id) {
    const Node* const node = machine_.find(id);
    if (node == nullptr) return;
    for (unsigned hart = 0; hart < isa::kHartsPerNode; ++hart)
      if (node->hart(hart).status != isa::HartStatus::Reset)
        records.push_back(describe_hart(*node, hart));
  };
  if (places.empty()) {
    for (NodeIndex id = 0; id < machine_.positions(); ++id) add(id);
    return bytes_of(records);
  }
  if (places.size() % sizeof(std::uint32_t) != 0)
    return fail(ErrorKind::Invalid,
                fmt::format("{} bytes are no list of places, which have 4 bytes each.",
                            places.size()));
  for (std::size_t at = 0; at < places.size(); at += sizeof(std::uint32_t)) {
    std::uint32_t place;
    std::memcpy(&place, &places[at], sizeof place);
    auto id = node_of(place >> 16, place & 0xffff);
    if (!id) return std::unexpected(std::move(id.error()));
    add(*id);
  }
  return bytes_of(records);
}

// --- a hart -------------------------------------------------------------------------------------

Result<Bytes> DebugPort::registers(const d1_debug_request& request) const {
  auto node = hart_of(request);
  if (!node) return std::unexpected(std::move(node.error()));
  d1_debug_registers record{};
  Bytes csrs;
  if (*node != nullptr) {
    const isa::Hart& hart = (*node)->hart(static_cast<unsigned>(request.argument[2]));
    record.pc = hart.pc;
    std::copy(hart.x.begin(), hart.x.end(), record.x);
    std::copy(hart.f.begin(), hart.f.end(), record.f);
    std::memcpy(record.v, hart.v->bytes, sizeof record.v);
    isa::Hart copy = hart;  // reading is not supposed to change anything, and takes no const hart
    for (unsigned number = 0; number < 0x1000; ++number) {
      const isa::CsrFacts* const facts = isa::csr_facts(number);
      if (facts == nullptr || facts->first != facts->last) continue;  // runs count nothing
      d1_debug_csr csr{number, 0, 0};
      if (!isa::csr_read(copy, number, csr.value)) continue;  // its unit is off
      append(csrs, csr);
      ++record.csrs;
    }
  }
  Bytes bytes;
  append(bytes, record);
  bytes.insert(bytes.end(), csrs.begin(), csrs.end());
  return bytes;
}

Result<Bytes> DebugPort::set_register(const d1_debug_request& request,
                                      std::span<const std::uint8_t> value) {
  auto node = hart_of(request);
  if (!node) return std::unexpected(std::move(node.error()));
  const auto set = static_cast<unsigned>(request.argument[3] >> 16);
  const auto number = static_cast<unsigned>(request.argument[3] & 0xffff);
  const std::size_t wanted = set == D1_DEBUG_SET_V ? isa::kVlenBytes : sizeof(std::uint64_t);
  if (value.size() != wanted)
    return fail(ErrorKind::Invalid, fmt::format("A value of {} bytes was given for a register of "
                                                "{}.",
                                                value.size(), wanted));
  if (*node == nullptr)
    return fail(ErrorKind::Invalid,
                fmt::format("Node {} on die {} has not run since power-on; its harts are in reset, "
                            "which sets all registers when it ends.",
                            request.argument[1], request.argument[0]));
  isa::Hart& hart = (*node)->hart_to_change(static_cast<unsigned>(request.argument[2]));
  std::uint64_t word = 0;
  std::memcpy(&word, value.data(), sizeof word);
  const bool known = set <= D1_DEBUG_SET_PC && (set >= D1_DEBUG_SET_CSR || number < 32);
  switch (known ? set : ~0u) {
    case D1_DEBUG_SET_X:
      if (number != 0) hart.x[number] = word;
      return Bytes();
    case D1_DEBUG_SET_F: hart.f[number] = word; return Bytes();
    case D1_DEBUG_SET_V:
      std::memcpy(hart.v->bytes[number], value.data(), value.size());
      return Bytes();
    case D1_DEBUG_SET_CSR:
      if (isa::csr_write(hart, number, word)) return Bytes();
      return fail(ErrorKind::Invalid,
                  fmt::format("CSR {:#x} does not exist, may only be read, or its unit is off.",
                              number));
    case D1_DEBUG_SET_PC:
      if (word % 2 == 0 && (*node)->code().find(word) != nullptr) {
        hart.pc = word;
        return Bytes();
      }
      return fail(ErrorKind::Invalid,
                  fmt::format("The pc cannot be {:#x}: no code was loaded there.", word));
    default:
      return fail(ErrorKind::Invalid,
                  fmt::format("There is no register {} of set {}.", number, set));
  }
}

// --- memory -------------------------------------------------------------------------------------

Result<Bytes> DebugPort::read(const d1_debug_request& request) const {
  const auto [address, bytes] = std::pair(request.argument[0], request.argument[1]);
  if (bytes > D1_DEBUG_MAX_BYTES)
    return fail(ErrorKind::Invalid, fmt::format("{} bytes were asked for; a request takes {} at "
                                                "most.",
                                                bytes, D1_DEBUG_MAX_BYTES));
  const std::uint8_t* const memory = dip_.device_memory(address, bytes);
  if (memory == nullptr) return no_memory(address, bytes);
  return Bytes(memory, memory + bytes);
}

Result<Bytes> DebugPort::write(const d1_debug_request& request,
                               std::span<const std::uint8_t> bytes) {
  std::uint8_t* const memory = dip_.device_memory(request.argument[0], bytes.size());
  if (memory == nullptr) return no_memory(request.argument[0], bytes.size());
  if (!bytes.empty()) std::memcpy(memory, bytes.data(), bytes.size());
  return Bytes();
}

std::unexpected<Error> DebugPort::no_memory(std::uint64_t address, std::uint64_t bytes) const {
  return fail(ErrorKind::Invalid,
              fmt::format("Device address {:#x} with {} bytes is not in the SRAM of a usable node "
                          "nor in the {} bytes of HBM.",
                          address, bytes, machine_.hbm_bytes()));
}

Result<Bytes> DebugPort::node_state(const d1_debug_request& request) const {
  auto id = node_of(request.argument[0], request.argument[1]);
  if (!id) return std::unexpected(std::move(id.error()));
  d1_debug_node_state record{};
  const Node* const node = machine_.find(*id);
  if (node != nullptr) node->describe(record);
  record.node = describe(*id);
  std::memcpy(&record.mailbox, machine_.sram(*id) + D1_MAILBOX_ADDRESS, sizeof record.mailbox);
  Bytes bytes;
  append(bytes, record);
  return bytes;
}

// --- programs -----------------------------------------------------------------------------------

Bytes DebugPort::programs() const {
  std::map<std::uint64_t, d1_debug_program> found;  // by id: in the order of their making
  for (NodeIndex id = 0; id < machine_.positions(); ++id) {
    const Node* const node = machine_.find(id);
    if (node == nullptr || node->code().program == nullptr) continue;
    const CodeImage& image = *node->code().program;
    d1_debug_program& record = found[image.id()];
    record.id = image.id();
    record.base = image.base();
    record.bytes = image.bytes().size();
    record.elf_bytes = image.elf() != nullptr ? image.elf()->size() : 0;
    ++record.nodes;
  }
  Bytes bytes;
  for (const auto& [id, record] : found) append(bytes, record);
  return bytes;
}

Bytes DebugPort::verdict() const {
  const Verdict verdict = dip_.verdict();
  Bytes bytes;
  append(bytes, verdict.head);
  for (const d1_debug_wait& each : verdict.waits) append(bytes, each);
  return bytes;
}

Result<Bytes> DebugPort::elf(const d1_debug_request& request) const {
  for (NodeIndex id = 0; id < machine_.positions(); ++id) {
    const Node* const node = machine_.find(id);
    if (node == nullptr || node->code().program == nullptr) continue;
    const CodeImage& image = *node->code().program;
    if (image.id() == request.argument[0])
      return image.elf() != nullptr ? Bytes(image.elf()->begin(), image.elf()->end()) : Bytes();
  }
  return fail(ErrorKind::Invalid, fmt::format("No node has program {} any more.",
                                              request.argument[0]));
}

}  // namespace d1::emulator
