// ReceiveQueue: octets received in order that the application has not read yet. They can be read in
// place. A well-filled received block is adopted; small ones are gathered in one block.
#pragma once

#include <cstdint>
#include <span>

#include "base/ring.h"
#include "tcp/receive/piece.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp {

class ReceiveQueue {
 public:
  ReceiveQueue() = default;
  ReceiveQueue(const ReceiveQueue& other);
  ReceiveQueue& operator=(const ReceiveQueue& other);
  ReceiveQueue(ReceiveQueue&&) noexcept = default;
  ReceiveQueue& operator=(ReceiveQueue&&) noexcept = default;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// The next piece to be appended needs no memory: it cannot be lost on the way.
  void make_room() { pieces_.make_room(); }
  /// If it throws (std::bad_alloc), nothing has been appended.
  void append(Incoming in, BlockPool& pool);
  void append(Piece&& piece, BlockPool& pool);
  /// Views of the first octets; returns how many views were filled.
  std::size_t peek(std::span<Octets> views) const;
  /// Copies the first octets out and drops them; returns how many.
  std::size_t read(MutableOctets into, BlockPool& pool);
  void consume(std::size_t octets, BlockPool& pool);
  std::uint8_t octet_at(std::size_t index) const;
  void release_all(BlockPool& pool) { consume(size_, pool); }

  /// Gives the storage of an empty queue back.
  void trim() { pieces_.shrink(); }
  std::size_t memory() const;
  friend bool operator==(const ReceiveQueue& a, const ReceiveQueue& b);
  void hash_into(base::Hasher& hasher) const;

 private:
  bool append_to_tail(Octets octets);
  base::Ring<Piece> pieces_;
  std::size_t size_ = 0;
};

}  // namespace estab::tcp
