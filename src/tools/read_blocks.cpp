#include "tools/read_blocks.h"

#include <utility>
#include <vector>

namespace estab::tools {

class ReadBlocks::Shelf {
 public:
  using Memory = std::unique_ptr<std::uint8_t[]>;

  Shelf(std::size_t octets, std::size_t kept) : octets_(octets), kept_(kept) {
    free_.reserve(kept);
  }
  /// One of the size that is kept for whatever fills half of it; others are made as they are asked
  /// for.
  std::size_t size_for(std::size_t octets) const {
    return octets <= octets_ && octets >= octets_ / 2 ? octets_ : octets;
  }
  Memory take(std::size_t size) {
    Memory memory;
    if (size == octets_ && !free_.empty()) {
      memory = std::move(free_.back());
      free_.pop_back();
    } else {
      memory = std::make_unique_for_overwrite<std::uint8_t[]>(size);
    }
    held_ += size;
    return memory;
  }
  void put_back(Memory memory, std::size_t size) {
    held_ -= size;
    if (size == octets_ && free_.size() < kept_) free_.push_back(std::move(memory));
  }
  std::size_t held() const { return held_; }

 private:
  std::size_t octets_, kept_, held_ = 0;
  std::vector<Memory> free_;
};

ReadBlocks::ReadBlocks(std::size_t octets, std::size_t kept)
    : shelf_(std::make_shared<Shelf>(octets, kept)) {}

ReadBlocks::Block ReadBlocks::take(std::size_t octets) {
  const std::size_t size = shelf_->size_for(octets);
  return {shelf_->take(size).release(), [shelf = shelf_, size](std::uint8_t* memory) {
            shelf->put_back(Shelf::Memory(memory), size);
          }};
}

std::size_t ReadBlocks::held() const {
  return shelf_->held();
}

}  // namespace estab::tools
