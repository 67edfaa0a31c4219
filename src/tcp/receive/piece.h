// Piece: a run of received octets, in the block they came in or in one they were copied to.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#include "estab/block.h"
#include "estab/octets.h"

namespace estab::tcp {

struct Piece {
  Block block;
  const std::uint8_t* data = nullptr;  // inside block
  std::uint32_t size = 0;

  Octets octets() const { return {data, size}; }
  void drop_front(std::uint32_t n) {
    data += n;
    size -= n;
  }
  std::size_t room_behind() const {
    return block ? block.capacity() - static_cast<std::size_t>(data - block.data()) - size : 0;
  }
};

/// Octets as they came in: a view, and the block around it if that may be kept.
struct Incoming {
  Octets octets;
  Block* owner = nullptr;
};

/// A piece of its own holding `in`: the very block if it is at least half full, else a copy. So a
/// peer that sends small segments cannot make us hold large blocks.
inline Piece make_piece(Incoming in, BlockPool& pool) {
  Piece piece;
  piece.size = static_cast<std::uint32_t>(in.octets.size());
  if (in.owner && *in.owner && in.octets.size() * 2 >= in.owner->capacity()) {
    piece.data = in.octets.data();
    piece.block = std::move(*in.owner);
    return piece;
  }
  piece.block = pool.take(in.octets.size());
  std::memcpy(piece.block.data(), in.octets.data(), in.octets.size());
  piece.data = piece.block.data();
  return piece;
}

/// The same octets at the same place in a block of the same size: what later fits behind them, and
/// so where the next piece begins, is the same too.
inline Piece copy_of(const Piece& other) {
  const auto skipped = other.data - other.block.data();
  Piece piece;
  piece.size = other.size;
  piece.block = Block(other.block.capacity());
  piece.data = piece.block.data() + skipped;
  std::memcpy(piece.block.data() + skipped, other.data, other.size);
  return piece;
}

}  // namespace estab::tcp
