// SPDX-License-Identifier: Apache-2.0
#include <d1/abi/commands.h>
#include <d1/abi/memory_map.h>
#include <fmt/format.h>
#include <d1/driver/status_error.hpp>

namespace d1::driver {
namespace {

std::string describe_address(std::uint64_t address) {
  switch (d1_address_kind(address)) {
    case D1_ADDRESS_LOCAL:
      return fmt::format("{:#x} (an SRAM offset)", address);
    case D1_ADDRESS_NODE:
      return fmt::format("{:#x} (die {}, node {}, offset {:#x})", address, d1_address_die(address),
                         d1_address_node(address), d1_address_offset(address));
    case D1_ADDRESS_HBM:
      return fmt::format("{:#x} (HBM offset {:#x})", address, d1_address_hbm(address));
    default:
      return fmt::format("{:#x} (grid rank {}, offset {:#x})", address, d1_address_rank(address),
                         d1_address_offset(address));
  }
}

}  // namespace

std::string_view command_name(std::uint8_t opcode) noexcept {
  switch (opcode) {
#define D1_NAME(code, name) \
  case code:                \
    return name;
    D1_COMMAND_NAMES(D1_NAME)
#undef D1_NAME
    default:
      return "unknown";
  }
}

Error status_error(std::uint8_t opcode, std::uint16_t status, std::uint64_t detail) {
  const auto name = command_name(opcode);
  switch (status) {
    case D1_STATUS_BAD_OPCODE:
      return {ErrorKind::Unsupported,
              fmt::format("The device does not know a command with opcode {:#04x} ({}); it may be "
                          "older than this driver.",
                          opcode, name)};
    case D1_STATUS_BAD_FIELD:
      return {ErrorKind::Invalid,
              fmt::format("The device refused a {} command because of the field at byte {}: its "
                          "value is out of range or a reserved bit is set.",
                          name, detail)};
    case D1_STATUS_BAD_ADDRESS:
      return {ErrorKind::Invalid,
              fmt::format("A {} command named the device address {}, or ran past the end of the "
                          "memory there; addresses must lie in the SRAM or HBM of this DPU.",
                          name, describe_address(detail))};
    case D1_STATUS_DMA_FAULT:
      return {ErrorKind::Invalid,
              fmt::format("A {} command reached for the I/O address {:#x}, which is not mapped for "
                          "that access.",
                          name, detail)};
    case D1_STATUS_BAD_GRID:
      return {ErrorKind::Invalid,
              fmt::format("A {} command named a grid that is not defined, or defined one that does "
                          "not fit the DPU (handle or row {}).",
                          name, detail)};
    case D1_STATUS_BUSY:
      return {ErrorKind::ResourceExhausted,
              fmt::format("A {} command found rank {} of its grid running another launch; order "
                          "the two with one stream or an event, or use grids that do not overlap.",
                          name, detail)};
    case D1_STATUS_TRAP:
      return {ErrorKind::KernelTrap, fmt::format("The kernel trapped on rank {}.", detail)};
    case D1_STATUS_TIMEOUT:
      return {ErrorKind::Timeout,
              fmt::format("The {} reached its limit of emulated cycles.", name)};
    case D1_STATUS_ABORTED:
      return {ErrorKind::Cancelled, fmt::format("The {} command was given up on request.", name)};
    case D1_STATUS_NOT_FOUND:
      return {ErrorKind::Invalid,
              fmt::format("The {} command found no command {} in flight; it may have ended.", name,
                          detail)};
    case D1_STATUS_MEMORY_ERROR:
      return {ErrorKind::Hardware,
              fmt::format("A {} command read the device address {}, where memory has an error that "
                          "could not be corrected; write those 64 bytes anew, or avoid them.",
                          name, describe_address(detail))};
    case D1_STATUS_DMA_ERROR:
      return {ErrorKind::Hardware,
              fmt::format("The PCIe transfer of a {} command broke off; what it should have "
                          "written is undefined. Repeat it; if it fails again the link is bad.",
                          name)};
    case D1_STATUS_UNREACHABLE:
      return {ErrorKind::Hardware,
              fmt::format("A {} command needs die {}, which is lost; use a grid without it, or "
                          "reset the machine.",
                          name, detail)};
    default:
      return {ErrorKind::Protocol,
              fmt::format("The device completed a {} command with status {}, which the contract "
                          "does not know (detail {:#x}).",
                          name, status, detail)};
  }
}

}  // namespace d1::driver
