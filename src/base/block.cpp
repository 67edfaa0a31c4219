// Blocks and their pool. Law: a block of the pool has one of kSizes as its capacity and lies on the
// list of that size; any other block goes straight back to the allocator.
#include "estab/block.h"

#include <limits>
#include <new>
#include <utility>

namespace estab {
namespace {

constexpr std::size_t kNoSize = BlockPool::kSizes.size();

/// The list whose blocks hold at least so many octets.
std::size_t size_that_holds(std::size_t octets) {
  std::size_t which = 0;
  while (which < kNoSize && BlockPool::kSizes[which] < octets) ++which;
  return which;
}

}  // namespace

Block::Block(std::size_t capacity) {
  if (capacity > std::numeric_limits<std::size_t>::max() - sizeof(Header)) throw std::bad_alloc();
  void* storage = ::operator new(sizeof(Header) + capacity, std::align_val_t{alignof(Header)});
  header_ = ::new (storage) Header{capacity, nullptr};
}

void Block::free_storage() {
  ::operator delete(std::exchange(header_, nullptr), std::align_val_t{alignof(Header)});
}

BlockPool::BlockPool(BlockPool&& other) noexcept
    : max_free_octets(other.max_free_octets),
      free_(std::exchange(other.free_, {})),
      free_octets_(std::exchange(other.free_octets_, 0)) {}

BlockPool& BlockPool::operator=(BlockPool&& other) noexcept {
  if (this == &other) return *this;
  clear();
  max_free_octets = other.max_free_octets;
  free_ = std::exchange(other.free_, {});
  free_octets_ = std::exchange(other.free_octets_, 0);
  return *this;
}

Block BlockPool::take(std::size_t octets) {
  const std::size_t which = size_that_holds(octets);
  if (which == kNoSize) return Block(octets);
  if (free_[which] == nullptr) return Block(kSizes[which]);
  Block block;
  block.header_ = free_[which];
  free_[which] = std::exchange(block.header_->next, nullptr);
  free_octets_ -= kSizes[which];
  return block;
}

void BlockPool::give(Block&& block) {
  if (!block) return;
  const std::size_t capacity = block.header_->capacity;
  const std::size_t which = size_that_holds(capacity);
  const bool fits = which != kNoSize && kSizes[which] == capacity &&
                    free_octets_ <= max_free_octets && capacity <= max_free_octets - free_octets_;
  if (!fits) return block.reset();
  block.header_->next = std::exchange(free_[which], block.header_);
  block.header_ = nullptr;
  free_octets_ += capacity;
}

void BlockPool::clear() {
  for (Block::Header*& list : free_) {
    while (list != nullptr) {
      Block block;
      block.header_ = list;
      list = list->next;
    }
  }
  free_octets_ = 0;
}

}  // namespace estab
