#include "tcp/send/send_queue.h"

#include <algorithm>
#include <cstring>

#include "base/ensure.h"
#include "base/hasher.h"

namespace estab::tcp {

namespace {
constexpr std::size_t kLargestLoan = 1u << 30;  // a piece counts its octets in 32 bits
constexpr std::size_t kWholePieces = 64;
// About what a piece, and the count of its owner's uses, take themselves.
constexpr std::size_t kSmallLoan = 128;
}  // namespace

// A copy cuts its octets into the same pieces, with the same room behind the last: what goes into
// one frame depends on that. Lent octets do not change: copies share them.
SendQueue::SendQueue(const SendQueue& other)
    : begin_(other.begin_), end_(other.end_), unusable_(other.unusable_) {
  for (const Piece& piece : other.pieces_) {
    pieces_.push_back({piece.begin, piece.data, piece.size, {}, piece.owner});
    if (!piece.block) continue;
    Piece& copy = pieces_.back();
    const std::size_t skipped = static_cast<std::size_t>(piece.data - piece.block.data());
    copy.block = Block(piece.block.capacity());
    copy.data = copy.block.data() + skipped;
    std::memcpy(copy.block.data() + skipped, piece.data, piece.size);
  }
}

SendQueue& SendQueue::operator=(const SendQueue& other) {
  if (this != &other) *this = SendQueue(other);
  return *this;
}

// Copies as much as fits behind what the last block of ours already holds.
std::uint32_t SendQueue::fill_tail(Octets octets) {
  if (pieces_.empty() || !pieces_.back().block) return 0;
  Piece& tail = pieces_.back();
  const auto n = static_cast<std::uint32_t>(std::min(tail.room_behind(), octets.size()));
  std::memcpy(tail.block.data() + (tail.data - tail.block.data()) + tail.size, octets.data(), n);
  tail.size += n;
  return n;
}

void SendQueue::push(Piece&& piece) {
  pieces_.make_room();
  if (!pieces_.empty()) unusable_ += pieces_.back().room_behind();
  pieces_.push_back(std::move(piece));
}

SendQueue::Piece SendQueue::pop_front() {
  Piece piece = pieces_.pop_front();
  if (!pieces_.empty()) unusable_ -= piece.room_behind();
  return piece;
}

void SendQueue::append(Octets octets, BlockPool& pool) {
  const StreamOffset end = end_;
  try {
    append_pieces(octets, pool);
  } catch (...) {
    cut_back(end);
    throw;
  }
}

// Without memory for all of what was handed over, none of it was.
void SendQueue::cut_back(StreamOffset end) {
  while (!pieces_.empty() && pieces_.back().begin >= end) {
    (void)pieces_.pop_back();
    if (!pieces_.empty()) unusable_ -= pieces_.back().room_behind();
  }
  if (!pieces_.empty()) {
    Piece& tail = pieces_.back();
    tail.size = static_cast<std::uint32_t>(end - tail.begin);
  }
  end_ = end;
}

void SendQueue::append_pieces(Octets octets, BlockPool& pool) {
  while (!octets.empty()) {
    const std::uint32_t filled = fill_tail(octets);
    end_ += filled;
    octets = octets.subspan(filled);
    if (octets.empty()) return;
    Piece piece;
    piece.begin = end_;
    pieces_.make_room();
    piece.block = pool.take(std::min(octets.size(), BlockPool::kSizes.back()));
    piece.data = piece.block.data();
    push(std::move(piece));
  }
}

void SendQueue::append_owned(Octets octets, const std::shared_ptr<const void>& owner,
                             BlockPool& pool) {
  if (octets.size() <= kSmallLoan) return append(octets, pool);
  const StreamOffset end = end_;
  try {
    append_loans(octets, owner);
  } catch (...) {
    cut_back(end);
    throw;
  }
}

void SendQueue::append_loans(Octets octets, const std::shared_ptr<const void>& owner) {
  while (!octets.empty()) {
    Piece piece;
    piece.begin = end_;
    piece.data = octets.data();
    piece.size = static_cast<std::uint32_t>(std::min(octets.size(), kLargestLoan));
    piece.owner = owner;
    const std::uint32_t size = piece.size;
    push(std::move(piece));
    end_ += size;
    octets = octets.subspan(size);
  }
}

void SendQueue::release_until(StreamOffset offset, BlockPool& pool) {
  base::ensure(offset <= end_);
  if (offset <= begin_) return;
  begin_ = offset;
  while (!pieces_.empty() && pieces_.front().end() <= offset) {
    Piece piece = pop_front();
    pool.give(std::move(piece.block));
  }
}

std::size_t SendQueue::index_of(StreamOffset offset) const {
  std::size_t low = 0, high = pieces_.size();
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    (pieces_[middle].begin <= offset ? low : high) = middle;
  }
  return low;
}

SendQueue::Gathered SendQueue::gather(StreamOffset from, std::uint32_t length,
                                      std::span<Octets> views) const {
  base::ensure(from >= begin_ && from + length <= end_);
  Gathered result;
  if (length == 0) return result;
  for (std::size_t i = index_of(from); length > 0 && result.pieces < views.size(); ++i) {
    const Piece& piece = pieces_[i];
    const auto skip = static_cast<std::uint32_t>(from - piece.begin);
    const std::uint32_t n = std::min(length, piece.size - skip);
    views[result.pieces++] = Octets(piece.data + skip, n);
    result.octets += n;
    length -= n;
    from += n;
  }
  return result;
}

std::size_t SendQueue::memory() const {
  std::size_t octets = pieces_.memory();
  for (std::size_t i = 0; i < pieces_.size(); ++i) octets += pieces_[i].block.capacity();
  return octets;
}

namespace {

/// Walks the octets of a queue in order, whatever pieces they lie in.
template <class Visit>
void each_view(const SendQueue& queue, Visit&& visit) {
  std::array<Octets, kWholePieces> views;
  StreamOffset at = queue.begin();
  while (at < queue.end()) {
    const auto want = static_cast<std::uint32_t>(
        std::min<std::int64_t>(queue.end() - at, std::int64_t{kLargestLoan}));
    const auto part = queue.gather(at, want, views);
    for (std::size_t i = 0; i < part.pieces; ++i) visit(views[i]);
    at += part.octets;
  }
}

}  // namespace

bool operator==(const SendQueue& a, const SendQueue& b) {
  if (a.begin_ != b.begin_ || a.end_ != b.end_ || a.unusable_ != b.unusable_) return false;
  std::array<Octets, 1> left, right;
  for (StreamOffset at = a.begin_; at < a.end_;) {
    const auto want =
        static_cast<std::uint32_t>(std::min<std::int64_t>(a.end_ - at, std::int64_t{kLargestLoan}));
    const auto n = std::min(a.gather(at, want, left).octets, b.gather(at, want, right).octets);
    if (std::memcmp(left[0].data(), right[0].data(), n) != 0) return false;
    at += n;
  }
  return true;
}

void SendQueue::hash_into(base::Hasher& hasher) const {
  hasher.add_all(begin_.value(), end_.value(), unusable_);
  each_view(*this, [&](Octets octets) {  // octet by octet: where the pieces end must not matter
    for (std::uint8_t octet : octets) hasher.add(std::uint64_t{octet});
  });
}

}  // namespace estab::tcp
