// SendQueue: the octets an application has handed over and the peer has not acknowledged. Octets
// are copied in once (or lent, with an owner that keeps them alive) and stay where they are until
// acknowledged: segments and retransmissions point at them.
//
// Laws. Octets [begin(), end()) are present; nothing in between ever moves or changes. What is held
// for them stays within the limit that room() is asked about, save one block at either end: a block
// that a loan follows takes no more octets, so what it has left counts as held, and a loan that
// costs more to keep than to copy is copied.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "estab/block.h"
#include "estab/octets.h"

#include "base/ring.h"
#include "tcp/sequence.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp {

class SendQueue {
 public:
  SendQueue() = default;
  SendQueue(const SendQueue& other);
  SendQueue& operator=(const SendQueue& other);
  SendQueue(SendQueue&&) noexcept = default;
  SendQueue& operator=(SendQueue&&) noexcept = default;

  StreamOffset begin() const { return begin_; }
  StreamOffset end() const { return end_; }
  std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  bool empty() const { return begin_ == end_; }
  /// Octets that may be appended until `limit` is held.
  std::size_t room(std::size_t limit) const {
    const std::size_t held = size() + unusable_;
    return limit > held ? limit - held : 0;
  }

  /// All or, if it throws (std::bad_alloc), nothing.
  void append(Octets octets, BlockPool& pool);
  void append_owned(Octets octets, const std::shared_ptr<const void>& owner, BlockPool& pool);
  /// The peer has everything before `offset`.
  void release_until(StreamOffset offset, BlockPool& pool);
  void release_all(BlockPool& pool) { release_until(end_, pool); }

  struct Gathered {
    std::size_t pieces = 0;
    std::uint32_t octets = 0;
  };
  /// Views of at most `length` octets from `from` on; fewer if `views` are too few.
  Gathered gather(StreamOffset from, std::uint32_t length, std::span<Octets> views) const;

  /// Gives the storage of an empty queue back.
  void trim() { pieces_.shrink(); }
  std::size_t memory() const;
  friend bool operator==(const SendQueue& a, const SendQueue& b);
  void hash_into(base::Hasher& hasher) const;

 private:
  struct Piece {
    StreamOffset begin;
    const std::uint8_t* data = nullptr;
    std::uint32_t size = 0;
    Block block;                        // ours, or
    std::shared_ptr<const void> owner;  // the application's
    StreamOffset end() const { return begin + size; }
    std::size_t room_behind() const {
      return block ? block.capacity() - static_cast<std::size_t>(data - block.data()) - size : 0;
    }
  };
  void push(Piece&& piece);
  Piece pop_front();
  std::size_t index_of(StreamOffset offset) const;
  std::uint32_t fill_tail(Octets octets);
  void append_pieces(Octets octets, BlockPool& pool);
  void append_loans(Octets octets, const std::shared_ptr<const void>& owner);
  void cut_back(StreamOffset end);

  base::Ring<Piece> pieces_;
  StreamOffset begin_ = kFirstOctet;
  StreamOffset end_ = kFirstOctet;
  std::size_t unusable_ = 0;  // octets of room in blocks that are not the last piece
};

}  // namespace estab::tcp
