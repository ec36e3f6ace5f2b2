// SPDX-License-Identifier: Apache-2.0
// Configuration space and interrupts, as a bus driver meets them.
#include <gtest/gtest.h>
#include <linux/pci_regs.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <bit>
#include <cerrno>

#include "interrupts.hpp"
#include "pci_config.hpp"

namespace d1::server {
namespace {

using vfio_user::Descriptor;

class PciConfigTest : public ::testing::Test {
 protected:
  template <typename Word>
  Word read(std::uint32_t offset) const {
    std::array<std::uint8_t, sizeof(Word)> bytes;
    config.read(offset, bytes);
    return std::bit_cast<Word>(bytes);
  }
  template <typename Word>
  PciConfig::Asked write(std::uint32_t offset, Word value) {
    return config.write(offset, std::bit_cast<std::array<std::uint8_t, sizeof(Word)>>(value));
  }
  // Where the capability stands, by walking the list.
  std::uint32_t capability(std::uint8_t id) const {
    unsigned steps = 0;
    for (std::uint32_t at = read<std::uint8_t>(PCI_CAPABILITY_LIST); at != 0 && steps < 48;
         at = read<std::uint8_t>(at + 1), ++steps)
      if (read<std::uint8_t>(at) == id) return at;
    return 0;
  }

  PciConfig config{{D1_BAR0_BYTES, 1u << 29, std::uint64_t{1} << 35}};
};

TEST_F(PciConfigTest, NamesTheDeviceAndItsClass) {
  EXPECT_EQ(read<std::uint16_t>(PCI_VENDOR_ID), D1_PCI_VENDOR_ID);
  EXPECT_EQ(read<std::uint16_t>(PCI_DEVICE_ID), D1_PCI_DEVICE_ID);
  EXPECT_EQ(read<std::uint32_t>(PCI_CLASS_REVISION) >> 8, D1_PCI_CLASS);
}

TEST_F(PciConfigTest, BarsTellTheirSizesWhenWrittenWithOnes) {
  const auto size = [&](unsigned index) {
    const std::uint32_t at = PCI_BASE_ADDRESS_0 + 4 * index;
    (void)write<std::uint64_t>(at, ~std::uint64_t{0});
    return ~(read<std::uint64_t>(at) & ~std::uint64_t{0xf}) + 1;
  };
  EXPECT_EQ(size(0), D1_BAR0_BYTES);
  EXPECT_EQ(size(2), 1u << 29);
  EXPECT_EQ(size(4), std::uint64_t{1} << 35);
  EXPECT_EQ(read<std::uint32_t>(PCI_BASE_ADDRESS_2) & 0xf, 0xcu) << "64 bits, prefetchable";
}

TEST_F(PciConfigTest, TheListHoldsExpressMsixAndPowerManagement) {
  EXPECT_NE(capability(PCI_CAP_ID_PM), 0u);
  EXPECT_NE(capability(PCI_CAP_ID_EXP), 0u);
  const std::uint32_t msix = capability(PCI_CAP_ID_MSIX);
  ASSERT_NE(msix, 0u);
  EXPECT_EQ(read<std::uint16_t>(msix + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_QSIZE,
            D1_MSIX_VECTORS - 1);
  EXPECT_EQ(read<std::uint32_t>(msix + PCI_MSIX_TABLE), D1_REG_MSIX_TABLE);
}

TEST_F(PciConfigTest, WhatIsReadOnlyStaysAndTheRestTakesItsBits) {
  (void)write<std::uint32_t>(PCI_VENDOR_ID, 0);
  EXPECT_EQ(read<std::uint16_t>(PCI_VENDOR_ID), D1_PCI_VENDOR_ID);
  (void)write<std::uint16_t>(PCI_COMMAND, 0xffff);
  EXPECT_EQ(read<std::uint16_t>(PCI_COMMAND),
            PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
}

TEST_F(PciConfigTest, AFunctionLevelResetIsAskedForByItsBitAlone) {
  const std::uint32_t control = capability(PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;
  EXPECT_EQ(write<std::uint16_t>(control, 0x7fff), PciConfig::Asked::Nothing);
  EXPECT_EQ(write<std::uint16_t>(control, PCI_EXP_DEVCTL_BCR_FLR), PciConfig::Asked::Reset);
  EXPECT_EQ(read<std::uint16_t>(control) & PCI_EXP_DEVCTL_BCR_FLR, 0) << "it reads as zero";
}

class InterruptsTest : public ::testing::Test {
 protected:
  static vfio_irq_set request(std::uint32_t flags, std::uint32_t start = 0,
                              std::uint32_t count = 1) {
    vfio_irq_set made{};
    made.flags = flags;
    made.index = VFIO_PCI_MSIX_IRQ_INDEX;
    made.start = start;
    made.count = count;
    return made;
  }
  std::vector<Descriptor> copies() const {
    std::vector<Descriptor> made;
    made.emplace_back(::dup(event.get()));
    return made;
  }
  std::uint64_t raised() const {
    std::uint64_t count = 0;
    return ::read(event.get(), &count, sizeof count) == sizeof count ? count : 0;
  }
  void take_vector(std::uint32_t vector) {
    const auto events = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
    ASSERT_EQ(interrupts.set(request(events, vector), {}, copies()), 0);
  }
  void raise(std::uint32_t vector) { interrupts.raise(VFIO_PCI_MSIX_IRQ_INDEX, vector); }

  Interrupts interrupts;
  Descriptor event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

TEST_F(InterruptsTest, ARaisedVectorWritesItsEventAndNoOther) {
  take_vector(3);
  raise(2);
  EXPECT_EQ(raised(), 0u);
  raise(3);
  raise(3);
  EXPECT_EQ(raised(), 2u);
}

TEST_F(InterruptsTest, AMaskedVectorStaysPendingUntilItIsUnmasked) {
  take_vector(3);
  const auto mask = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK;
  const auto unmask = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK;
  ASSERT_EQ(interrupts.set(request(mask, 3), {}, {}), 0);
  raise(3);
  EXPECT_EQ(raised(), 0u);
  EXPECT_EQ(interrupts.pending(), 1u << 3);
  ASSERT_EQ(interrupts.set(request(unmask, 3), {}, {}), 0);
  EXPECT_EQ(raised(), 1u);
  EXPECT_EQ(interrupts.pending(), 0u);
}

TEST_F(InterruptsTest, BooleansChooseWhichOfARangeAreTriggered) {
  take_vector(1);
  const std::array<std::byte, 3> no{}, second{std::byte{0}, std::byte{1}, std::byte{0}};
  const auto trigger = request(VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 3);
  ASSERT_EQ(interrupts.set(trigger, no, {}), 0);
  EXPECT_EQ(raised(), 0u);
  ASSERT_EQ(interrupts.set(trigger, second, {}), 0);
  EXPECT_EQ(raised(), 1u);
  EXPECT_EQ(interrupts.set(trigger, std::span(no).first(2), {}), EINVAL) << "one boolean too few";
}

TEST_F(InterruptsTest, NoDescriptorsTakeTheEventsAway) {
  take_vector(3);
  const auto events = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
  ASSERT_EQ(interrupts.set(request(events, 3), {}, {}), 0);
  raise(3);
  EXPECT_EQ(raised(), 0u);
}

TEST_F(InterruptsTest, ACountOfZeroSwitchesAllOff) {
  take_vector(3);
  const auto trigger = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
  ASSERT_EQ(interrupts.set(request(trigger, 0, 0), {}, {}), 0);
  raise(3);
  EXPECT_EQ(raised(), 0u);
}

TEST_F(InterruptsTest, WhatTheStructureRulesOutIsRefused) {
  const auto set = [&](std::uint32_t flags, std::uint32_t start, std::uint32_t count) {
    return interrupts.set(request(flags, start, count), {}, {});
  };
  constexpr auto kMask = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK;
  EXPECT_EQ(set(0, 0, 1), EINVAL);
  EXPECT_EQ(set(VFIO_IRQ_SET_DATA_NONE, 0, 1), EINVAL) << "no action";
  EXPECT_EQ(set(kMask | VFIO_IRQ_SET_ACTION_UNMASK, 0, 1), EINVAL) << "two actions";
  EXPECT_EQ(set(kMask, D1_MSIX_VECTORS, 1), EINVAL);
  EXPECT_EQ(set(kMask, 1, ~0u), EINVAL) << "wraps";
  EXPECT_EQ(set(1u << 30, 0, 1), EINVAL) << "a bit nobody knows";
  const auto events = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
  EXPECT_EQ(interrupts.set(request(events, 0, 2), {}, copies()), EINVAL)
      << "two vectors and one descriptor";
}

}  // namespace
}  // namespace d1::server
