#include "tcp/receive/receive_queue.h"

#include <algorithm>
#include <cstring>

#include "base/ensure.h"
#include "base/hasher.h"

namespace estab::tcp {

ReceiveQueue::ReceiveQueue(const ReceiveQueue& other) : size_(other.size_) {
  for (std::size_t i = 0; i < other.pieces_.size(); ++i)
    pieces_.push_back(copy_of(other.pieces_[i]));
}

ReceiveQueue& ReceiveQueue::operator=(const ReceiveQueue& other) {
  if (this != &other) *this = ReceiveQueue(other);
  return *this;
}

bool ReceiveQueue::append_to_tail(Octets octets) {
  if (pieces_.empty() || pieces_.back().room_behind() < octets.size()) return false;
  Piece& tail = pieces_.back();
  std::memcpy(tail.block.data() + (tail.data - tail.block.data()) + tail.size, octets.data(),
              octets.size());
  tail.size += static_cast<std::uint32_t>(octets.size());
  return true;
}

void ReceiveQueue::append(Incoming in, BlockPool& pool) {
  if (in.octets.empty()) return;
  if (!append_to_tail(in.octets)) {
    pieces_.make_room();
    pieces_.push_back(make_piece(in, pool));
  }
  size_ += in.octets.size();
}

void ReceiveQueue::append(Piece&& piece, BlockPool& pool) {
  make_room();
  size_ += piece.size;
  if (append_to_tail(piece.octets())) {
    pool.give(std::move(piece.block));
  } else {
    pieces_.push_back(std::move(piece));
  }
}

std::size_t ReceiveQueue::peek(std::span<Octets> views) const {
  const std::size_t n = std::min(views.size(), pieces_.size());
  for (std::size_t i = 0; i < n; ++i) views[i] = pieces_[i].octets();
  return n;
}

std::size_t ReceiveQueue::read(MutableOctets into, BlockPool& pool) {
  std::size_t done = 0;
  while (done < into.size() && size_ > 0) {
    const Octets front = pieces_.front().octets();
    const std::size_t n = std::min(front.size(), into.size() - done);
    std::memcpy(into.data() + done, front.data(), n);
    consume(n, pool);
    done += n;
  }
  return done;
}

void ReceiveQueue::consume(std::size_t octets, BlockPool& pool) {
  base::ensure(octets <= size_);
  size_ -= octets;
  while (octets > 0) {
    Piece& front = pieces_.front();
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(octets, front.size));
    front.drop_front(n);
    octets -= n;
    if (front.size > 0) return;
    Piece piece = pieces_.pop_front();
    pool.give(std::move(piece.block));
  }
}

std::uint8_t ReceiveQueue::octet_at(std::size_t index) const {
  for (std::size_t i = 0;; ++i) {
    const Octets octets = pieces_[i].octets();
    if (index < octets.size()) return octets[index];
    index -= octets.size();
  }
}

std::size_t ReceiveQueue::memory() const {
  std::size_t octets = pieces_.memory();
  for (std::size_t i = 0; i < pieces_.size(); ++i) octets += pieces_[i].block.capacity();
  return octets;
}

bool operator==(const ReceiveQueue& a, const ReceiveQueue& b) {
  if (a.size_ != b.size_) return false;
  std::size_t i = 0, j = 0, skip_a = 0, skip_b = 0;
  for (std::size_t left = a.size_; left > 0;) {
    const Octets x = a.pieces_[i].octets().subspan(skip_a);
    const Octets y = b.pieces_[j].octets().subspan(skip_b);
    const std::size_t n = std::min(x.size(), y.size());
    if (std::memcmp(x.data(), y.data(), n) != 0) return false;
    left -= n;
    skip_a = n == x.size() ? (++i, 0) : skip_a + n;
    skip_b = n == y.size() ? (++j, 0) : skip_b + n;
  }
  return true;
}

void ReceiveQueue::hash_into(base::Hasher& hasher) const {
  hasher.add(std::uint64_t{size_});
  for (std::size_t i = 0; i < pieces_.size(); ++i)
    for (std::uint8_t octet : pieces_[i].octets()) hasher.add(std::uint64_t{octet});
}

}  // namespace estab::tcp
