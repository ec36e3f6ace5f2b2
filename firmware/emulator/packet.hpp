// SPDX-License-Identifier: Apache-2.0
// What a node sends out during a quantum. Packets wait in the outbox of the host thread that ran
// the node and are committed at the quantum's end in the order (departure, source, hart, sequence),
// which no number of host threads changes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <d1/abi/transfer.h>

namespace d1::emulator {

// A node of the machine in one number: die * node positions of a die + node.
using NodeIndex = std::uint32_t;

enum class PacketKind : std::uint8_t {
  Load,         // scalar load from another node or HBM
  Store,        // scalar store to another node or HBM
  Amo,          // atomic operation on another node or HBM
  Post,         // semaphore post to another node
  Transfer,     // a descriptor
  GridBarrier,  // all harts of the node that take part have arrived
  Complete,     // to the DIP: the node's part of its launch ended (value: 1 well, 2 trap)
  Print,        // to the DIP: text
  Stopped       // to the DIP: a trap that no handler took
};

inline constexpr NodeIndex kHbmDestination = ~NodeIndex{0};  // of Load, Store and Amo

struct Packet {
  std::uint64_t departure = 0;  // ticks
  NodeIndex source = 0;
  std::uint32_t sequence = 0;   // per source node
  std::uint8_t hart = 0;
  PacketKind kind = PacketKind::Post;
  std::uint8_t bytes = 0;       // Load, Store, Amo: width of the access
  std::uint8_t function = 0;    // Amo: funct5
  NodeIndex destination = 0;
  std::uint32_t offset = 0;     // SRAM offset, or the semaphore's number
  std::uint64_t value = 0;      // data, operand, or count
  d1_transfer transfer{};       // Transfer; its `remote` is the address of an access to HBM
  std::uint32_t text_at = 0, text_bytes = 0;  // Print: where in text
  const std::string* text = nullptr;          // of its outbox
};

// Packets that stay where they are, in chunks that are kept: of thousands of nodes that send once,
// a vector's growth would leave twice their room unused.
class PacketList {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // A new one, with nothing in it.
  Packet& add() {
    if (size_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<Chunk>());
    Packet& packet = (*chunks_[size_ / kChunk])[size_ % kChunk];
    ++size_;
    return packet = {};
  }
  [[nodiscard]] Packet& back() { return (*chunks_[(size_ - 1) / kChunk])[(size_ - 1) % kChunk]; }
  [[nodiscard]] const Packet& operator[](std::size_t index) const {
    return (*chunks_[index / kChunk])[index % kChunk];
  }
  void truncate(std::size_t size) noexcept { size_ = size; }

 private:
  static constexpr std::size_t kChunk = 32;  // own: packets, together about a page
  using Chunk = std::array<Packet, kChunk>;

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::size_t size_ = 0;
};

// In lines of the host's cache of its own: each host thread has one.
struct alignas(64) Outbox {
  PacketList packets;
  std::string text;

  void clear() {
    packets.truncate(0);
    text.clear();
  }
};

}  // namespace d1::emulator
