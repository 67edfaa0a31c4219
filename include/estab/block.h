// Runs of octets with one owner, and the pool that reuses them. Received frames and queued data
// live in blocks; moving a block from a device into a receive queue is how a copy is saved.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "estab/octets.h"

namespace estab {

/// Owns a fixed number of octets, uninitialised. Move-only; an empty Block owns nothing.
class Block {
 public:
  Block() = default;
  /// At least `capacity` octets. Throws std::bad_alloc.
  explicit Block(std::size_t capacity);
  Block(Block&& other) noexcept : header_(other.header_) { other.header_ = nullptr; }
  Block& operator=(Block&& other) noexcept {
    if (this == &other) return *this;
    reset();
    header_ = std::exchange(other.header_, nullptr);
    return *this;
  }
  ~Block() { reset(); }

  explicit operator bool() const { return header_ != nullptr; }
  /// Null if empty.
  std::uint8_t* data() const {
    return header_ ? reinterpret_cast<std::uint8_t*>(header_ + 1) : nullptr;
  }
  std::size_t capacity() const { return header_ ? header_->capacity : 0; }
  MutableOctets octets() const { return {data(), capacity()}; }
  void reset() {
    if (header_ != nullptr) free_storage();
  }

 private:
  friend class BlockPool;
  void free_storage();
  struct alignas(16) Header {
    std::size_t capacity;
    Header* next;  // in the pool's free list
  };
  Header* header_ = nullptr;
};

/// A free list of blocks in three sizes. Belongs to one thread. Copying a pool gives an empty one:
/// free blocks are no part of a stack's value.
class BlockPool {
 public:
  static constexpr std::array<std::size_t, 3> kSizes = {2048 - 32, 16384 - 32, 65536 + 512};

  BlockPool() = default;
  BlockPool(const BlockPool&) {}
  BlockPool& operator=(const BlockPool&) { return *this; }
  BlockPool(BlockPool&& other) noexcept;
  BlockPool& operator=(BlockPool&& other) noexcept;
  ~BlockPool() { clear(); }

  /// A block of the smallest size that holds `octets`; larger requests get a block of their own.
  Block take(std::size_t octets);
  /// Takes a block back, to be handed out again.
  void give(Block&& block);
  /// Frees every block held.
  void clear();
  /// Octets held in free blocks.
  std::size_t free_octets() const { return free_octets_; }

  /// Free blocks beyond this many octets go back to the allocator.
  std::size_t max_free_octets = 64 << 20;

 private:
  std::array<Block::Header*, kSizes.size()> free_{};
  std::size_t free_octets_ = 0;
};

}  // namespace estab
