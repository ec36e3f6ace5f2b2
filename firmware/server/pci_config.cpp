// SPDX-License-Identifier: Apache-2.0
#include "pci_config.hpp"

#include <d1/abi/registers.h>
#include <linux/pci_regs.h>

#include <algorithm>

namespace d1::server {
namespace {

constexpr std::uint32_t kPower = 0x40, kMsix = 0x50, kExpress = 0x60;
constexpr std::uint16_t kLink = PCI_EXP_LNKSTA_CLS_16_0GB | PCI_EXP_LNKSTA_NLW_X1 << 4;  // x16

}  // namespace

PciConfig::PciConfig(const Bars& bars) {
  set(PCI_VENDOR_ID, 2, D1_PCI_VENDOR_ID);
  set(PCI_DEVICE_ID, 2, D1_PCI_DEVICE_ID);
  set(PCI_COMMAND, 2, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
  set(PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
  set(PCI_CLASS_REVISION, 4, std::uint64_t{D1_PCI_CLASS} << 8 | D1_ABI_VERSION);
  set(PCI_CACHE_LINE_SIZE, 1, 0, 0xff);
  set(PCI_SUBSYSTEM_VENDOR_ID, 2, D1_PCI_VENDOR_ID);
  set(PCI_SUBSYSTEM_ID, 2, D1_PCI_DEVICE_ID);
  set(PCI_CAPABILITY_LIST, 1, kPower);
  set(PCI_INTERRUPT_LINE, 1, 0, 0xff);
  add_bar(0, bars.bar0, false);
  add_bar(2, bars.bar2, true);
  add_bar(4, bars.bar4, true);

  set(kPower, 1, PCI_CAP_ID_PM);
  set(kPower + 1, 1, kMsix);
  set(kPower + PCI_PM_PMC, 2, 3);
  set(kPower + PCI_PM_CTRL, 2, PCI_PM_CTRL_NO_SOFT_RESET, PCI_PM_CTRL_STATE_MASK);

  set(kMsix, 1, PCI_CAP_ID_MSIX);
  set(kMsix + 1, 1, kExpress);
  set(kMsix + PCI_MSIX_FLAGS, 2, D1_MSIX_VECTORS - 1,
      PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
  set(kMsix + PCI_MSIX_TABLE, 4, D1_REG_MSIX_TABLE);  // in BAR0
  set(kMsix + PCI_MSIX_PBA, 4, D1_REG_MSIX_PENDING);

  set(kExpress, 1, PCI_CAP_ID_EXP);
  set(kExpress + PCI_EXP_FLAGS, 2, PCI_EXP_TYPE_ENDPOINT << 4 | 2);
  set(kExpress + PCI_EXP_DEVCAP, 4, PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR);
  set(kExpress + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_RELAX_EN, 0x7fff);
  set(kExpress + PCI_EXP_LNKCAP, 4, kLink);
  set(kExpress + PCI_EXP_LNKSTA, 2, kLink);
  initial_ = values_;
}

void PciConfig::set(std::uint32_t offset, unsigned bytes, std::uint64_t value,
                    std::uint64_t writable) {
  for (unsigned i = 0; i < bytes; ++i) {
    values_[offset + i] = static_cast<std::uint8_t>(value >> 8 * i);
    writable_[offset + i] = static_cast<std::uint8_t>(writable >> 8 * i);
  }
}

// The bits below the size read 0 (and say what it is): written with ones, a BAR tells its size.
void PciConfig::add_bar(unsigned index, std::uint64_t bytes, bool prefetchable) {
  const std::uint64_t kind =
      PCI_BASE_ADDRESS_MEM_TYPE_64 | (prefetchable ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0);
  set(PCI_BASE_ADDRESS_0 + 4 * index, 8, kind, ~(bytes - 1));
}

void PciConfig::read(std::uint32_t offset, std::span<std::uint8_t> data) const {
  std::copy_n(values_.begin() + offset, data.size(), data.begin());
}

PciConfig::Asked PciConfig::write(std::uint32_t offset, std::span<const std::uint8_t> data) {
  constexpr std::uint32_t kReset = kExpress + PCI_EXP_DEVCTL + 1;  // its upper byte
  Asked asked = Asked::Nothing;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::size_t at = offset + i;
    values_[at] = static_cast<std::uint8_t>((values_[at] & ~writable_[at]) |
                                            (data[i] & writable_[at]));
    if (at == kReset && (data[i] & PCI_EXP_DEVCTL_BCR_FLR >> 8) != 0) asked = Asked::Reset;
  }
  return asked;
}

void PciConfig::reset() { values_ = initial_; }

}  // namespace d1::server
