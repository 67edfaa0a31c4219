#include "tcp/receive/reassembler.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/fields.h"

namespace estab::tcp {

namespace {

/// The same entry under an earlier or later key; allocates nothing.
template <class Map>
void move_key(Map& map, typename Map::iterator entry, typename Map::key_type key) {
  auto node = map.extract(entry);
  node.key() = key;
  map.insert(std::move(node));
}

}  // namespace

Reassembler::Reassembler(const Reassembler& other)
    : runs_(other.runs_),
      recent_(other.recent_),
      duplicate_(other.duplicate_),
      octets_(other.octets_) {
  for (const auto& [begin, piece] : other.held_) {
    const auto place = held_.emplace_hint(held_.end(), begin, copy_of(piece));
    memory_ += place->second.block.capacity();
  }
}

Reassembler& Reassembler::operator=(const Reassembler& other) {
  if (this != &other) *this = Reassembler(other);
  return *this;
}

Reassembler::Pieces::iterator Reassembler::first_ending_after(StreamOffset offset) {
  // Most segments arrive behind everything held: look there first.
  if (held_.empty() || end_of(*held_.rbegin()) <= offset) return held_.end();
  const auto behind = held_.upper_bound(offset);
  if (behind == held_.begin()) return behind;
  const auto around = std::prev(behind);
  return end_of(*around) > offset ? around : behind;
}

bool Reassembler::insert(Pieces::iterator before, StreamOffset begin, Incoming in, Limits limits,
                         BlockPool& pool) {
  if (held_.size() >= limits.pieces || memory_ + in.octets.size() > limits.memory) return false;
  const auto placed = held_.emplace_hint(before, begin, make_piece(in, pool));
  try {
    add_run({begin, end_of(*placed)});
  } catch (...) {
    held_.erase(placed);
    throw;
  }
  octets_ += placed->second.size;
  memory_ += placed->second.block.capacity();
  return true;
}

Reassembler::Stored Reassembler::store(StreamOffset begin, Incoming in, Limits limits,
                                       BlockPool& pool) {
  const StreamOffset whole_begin = begin;
  const StreamOffset end = begin + static_cast<std::int64_t>(in.octets.size());
  bool added = false, refused = false;
  std::optional<OffsetRange> again;  // the first part of these octets that was held already
  auto next = first_ending_after(begin);
  while (begin < end && !refused) {
    // The part before the next piece held is new; the part inside it is not.
    const StreamOffset gap_end = next != held_.end() ? std::min(next->first, end) : end;
    if (begin < gap_end) {
      const auto skip = static_cast<std::size_t>(begin - whole_begin);
      const auto size = static_cast<std::size_t>(gap_end - begin);
      const bool whole = size == in.octets.size();
      const Incoming part{in.octets.subspan(skip, size), whole ? in.owner : nullptr};
      refused = !insert(next, begin, part, limits, pool);
      added = added || !refused;
    }
    if (next == held_.end()) break;
    const OffsetRange overlap{std::max(begin, next->first), std::min(end, end_of(*next))};
    if (!again && !overlap.empty()) again = overlap;
    if (again && again->end == overlap.begin) again->end = overlap.end;
    begin = std::max(begin, end_of(*next));
    ++next;
  }
  if (again) duplicate_ = again;
  std::erase_if(recent_,
                [&](StreamOffset at) { return run_around(at) == run_around(whole_begin); });
  if (added || !refused) recent_.insert(recent_.begin(), whole_begin);
  if (recent_.size() > SackBlocks::kMax) recent_.resize(SackBlocks::kMax);
  if (added) return Stored::added;
  return refused ? Stored::refused : Stored::duplicate;
}

Piece Reassembler::take_front() {
  auto front = held_.extract(held_.begin());
  octets_ -= front.mapped().size;
  memory_ -= front.mapped().block.capacity();
  return std::move(front.mapped());
}

std::optional<Piece> Reassembler::take_next(StreamOffset next, BlockPool& pool) {
  while (!held_.empty() && end_of(*held_.begin()) <= next) pool.give(std::move(take_front().block));
  std::optional<Piece> result;
  if (!held_.empty() && begin() <= next) {
    const auto passed = static_cast<std::uint32_t>(next - begin());
    next = end_of(*held_.begin());
    result = take_front();
    result->drop_front(passed);
  }
  cut_runs(next);
  return result;
}

void Reassembler::release_all(BlockPool& pool) {
  for (auto& [begin, piece] : held_) pool.give(std::move(piece.block));
  *this = Reassembler();
}

// A run of its own needs memory; what touches others becomes part of the first of them.
void Reassembler::add_run(OffsetRange range) {
  auto first = runs_.lower_bound(range.begin);
  if (first != runs_.begin() && std::prev(first)->second >= range.begin) --first;
  if (first == runs_.end() || first->first > range.end) {
    runs_.emplace_hint(first, range.begin, range.end);
    return;
  }
  auto last = first;
  for (; last != runs_.end() && last->first <= range.end; ++last)
    range.end = std::max(range.end, last->second);
  runs_.erase(std::next(first), last);
  first->second = range.end;
  if (range.begin < first->first) move_key(runs_, first, range.begin);
}

void Reassembler::cut_runs(StreamOffset next) {
  while (!runs_.empty() && runs_.begin()->second <= next) runs_.erase(runs_.begin());
  if (!runs_.empty() && runs_.begin()->first < next) move_key(runs_, runs_.begin(), next);
}

// The unbroken run of held octets that `offset` lies in.
OffsetRange Reassembler::run_around(StreamOffset offset) const {
  const auto behind = runs_.upper_bound(offset);
  if (behind == runs_.begin()) return {offset, offset};
  const auto& [begin, end] = *std::prev(behind);
  return end > offset ? OffsetRange{begin, end} : OffsetRange{offset, offset};
}

// [RFC 2018 4-6, 4-8, 8-2, 4-7, 8-4]
SackBlocks Reassembler::sack_blocks(const SequenceSpace& space, StreamOffset next, std::size_t max,
                                    StreamOffset fin) {
  SackBlocks blocks;
  const auto add = [&](OffsetRange r) {
    if (blocks.size() < max) blocks.add({space.wire(r.begin), space.wire(r.end)});
  };
  const auto add_run = [&](OffsetRange r) { add({r.begin, r.end == fin ? r.end + 1 : r.end}); };
  if (duplicate_) add(*duplicate_);
  duplicate_.reset();
  std::erase_if(recent_, [&](StreamOffset at) { return at < next || run_around(at).empty(); });
  std::array<OffsetRange, SackBlocks::kMax> told{};
  std::size_t count = 0;
  for (StreamOffset at : recent_) {
    const OffsetRange run = run_around(at);
    if (std::find(told.begin(), told.begin() + count, run) != told.begin() + count) continue;
    told[count++] = run;
    add_run(run);
  }
  // As many as possible (RFC 2018 §4), even if nothing recent remains.
  for (auto run = runs_.rbegin(); run != runs_.rend() && blocks.size() < max; ++run) {
    const OffsetRange range{run->first, run->second};
    if (std::find(told.begin(), told.begin() + count, range) == told.begin() + count)
      add_run(range);
  }
  return blocks;
}

bool operator==(const Reassembler& a, const Reassembler& b) {
  if (a.recent_ != b.recent_ || a.duplicate_ != b.duplicate_ || a.octets_ != b.octets_)
    return false;
  return std::equal(a.held_.begin(), a.held_.end(), b.held_.begin(), b.held_.end(),
                    [](const auto& x, const auto& y) {
                      return x.first == y.first &&
                             std::ranges::equal(x.second.octets(), y.second.octets());
                    });
}

void Reassembler::hash_into(base::Hasher& hasher) const {
  const auto& [held, runs, recent, duplicate, octets, memory] = *this;
  hasher.add_all(recent, duplicate, held.size(), base::derived(runs), base::derived(octets),
                 base::derived(memory));
  for (const auto& [begin, piece] : held) hasher.add_all(begin, piece.octets());
}

}  // namespace estab::tcp
