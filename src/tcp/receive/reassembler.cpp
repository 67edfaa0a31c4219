#include "tcp/receive/reassembler.h"

#include <algorithm>
#include <cstring>

#include "base/fields.h"

namespace estab::tcp {

Reassembler::Reassembler(const Reassembler& other)
    : runs_(other.runs_),
      recent_(other.recent_),
      duplicate_(other.duplicate_),
      octets_(other.octets_) {
  for (const Held& held : other.held_) {
    held_.push_back({held.begin, copy_of(held.piece)});
    memory_ += held_.back().piece.block.capacity();
  }
}

Reassembler& Reassembler::operator=(const Reassembler& other) {
  if (this != &other) *this = Reassembler(other);
  return *this;
}

std::size_t Reassembler::first_ending_after(StreamOffset offset) const {
  // Most segments arrive behind everything held: look there first.
  if (held_.empty() || held_.back().end() <= offset) return held_.size();
  const auto found = std::partition_point(held_.begin(), held_.end(),
                                          [&](const Held& h) { return h.end() <= offset; });
  return static_cast<std::size_t>(found - held_.begin());
}

bool Reassembler::insert(std::size_t index, StreamOffset begin, Incoming in, Limits limits,
                         BlockPool& pool) {
  if (held_.size() >= limits.pieces || memory_ + in.octets.size() > limits.memory) return false;
  // What may fail for want of memory comes first.
  if (runs_.size() == runs_.capacity()) runs_.reserve(2 * runs_.size() + 4);
  const auto place = held_.begin() + static_cast<std::ptrdiff_t>(index);
  const Held& held = *held_.insert(place, Held{begin, make_piece(in, pool)});
  octets_ += held.piece.size;
  memory_ += held.piece.block.capacity();
  add_run({held.begin, held.end()});
  return true;
}

Reassembler::Stored Reassembler::store(StreamOffset begin, Incoming in, Limits limits,
                                       BlockPool& pool) {
  const StreamOffset whole_begin = begin;
  const StreamOffset end = begin + static_cast<std::int64_t>(in.octets.size());
  bool added = false, refused = false;
  std::optional<OffsetRange> again;  // the first part of these octets that was held already
  std::size_t i = first_ending_after(begin);
  while (begin < end && !refused) {
    // The part before the next piece held is new; the part inside it is not.
    const StreamOffset gap_end = i < held_.size() ? std::min(held_[i].begin, end) : end;
    if (begin < gap_end) {
      const auto skip = static_cast<std::size_t>(begin - whole_begin);
      const auto size = static_cast<std::size_t>(gap_end - begin);
      const bool whole = size == in.octets.size();
      const Incoming part{in.octets.subspan(skip, size), whole ? in.owner : nullptr};
      refused = !insert(i, begin, part, limits, pool);
      added = added || !refused;
      if (!refused) ++i;
    }
    if (i == held_.size()) break;
    const OffsetRange overlap{std::max(begin, held_[i].begin), std::min(end, held_[i].end())};
    if (!again && !overlap.empty()) again = overlap;
    if (again && again->end == overlap.begin) again->end = overlap.end;
    begin = std::max(begin, held_[i].end());
    ++i;
  }
  if (again) duplicate_ = again;
  std::erase_if(recent_,
                [&](StreamOffset at) { return run_around(at) == run_around(whole_begin); });
  if (added || !refused) recent_.insert(recent_.begin(), whole_begin);
  if (recent_.size() > SackBlocks::kMax) recent_.resize(SackBlocks::kMax);
  if (added) return Stored::added;
  return refused ? Stored::refused : Stored::duplicate;
}

std::optional<Piece> Reassembler::take_next(StreamOffset next, BlockPool& pool) {
  const auto take_front = [&] {
    Held front = std::move(held_.front());
    held_.pop_front();
    octets_ -= front.piece.size;
    memory_ -= front.piece.block.capacity();
    return front;
  };
  while (!held_.empty() && held_.front().end() <= next)
    pool.give(std::move(take_front().piece.block));
  std::optional<Piece> result;
  if (!held_.empty() && held_.front().begin <= next) {
    Held front = take_front();
    const StreamOffset end = front.end();
    front.piece.drop_front(static_cast<std::uint32_t>(next - front.begin));
    next = end;
    result = std::move(front.piece);
  }
  cut_runs(next);
  return result;
}

void Reassembler::release_all(BlockPool& pool) {
  for (Held& held : held_) pool.give(std::move(held.piece.block));
  *this = Reassembler();
}

void Reassembler::add_run(OffsetRange range) {
  const auto first = std::partition_point(
      runs_.begin(), runs_.end(), [&](const OffsetRange& run) { return run.end < range.begin; });
  auto last = first;
  for (; last != runs_.end() && last->begin <= range.end; ++last) {
    range.begin = std::min(range.begin, last->begin);
    range.end = std::max(range.end, last->end);
  }
  if (first == last) {
    runs_.insert(first, range);
  } else {
    *first = range;
    runs_.erase(first + 1, last);
  }
}

void Reassembler::cut_runs(StreamOffset next) {
  const auto gone = std::partition_point(runs_.begin(), runs_.end(),
                                         [&](const OffsetRange& run) { return run.end <= next; });
  runs_.erase(runs_.begin(), gone);
  if (!runs_.empty()) runs_.front().begin = std::max(runs_.front().begin, next);
}

// The unbroken run of held octets that `offset` lies in.
OffsetRange Reassembler::run_around(StreamOffset offset) const {
  const auto run = std::partition_point(runs_.begin(), runs_.end(),
                                        [&](const OffsetRange& r) { return r.end <= offset; });
  if (run == runs_.end() || run->begin > offset) return {offset, offset};
  return *run;
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
  for (auto run = runs_.rbegin(); run != runs_.rend() && blocks.size() < max; ++run)
    if (std::find(told.begin(), told.begin() + count, *run) == told.begin() + count) add_run(*run);
  return blocks;
}

bool operator==(const Reassembler& a, const Reassembler& b) {
  if (a.recent_ != b.recent_ || a.duplicate_ != b.duplicate_ || a.octets_ != b.octets_)
    return false;
  return std::equal(a.held_.begin(), a.held_.end(), b.held_.begin(), b.held_.end(),
                    [](const auto& x, const auto& y) {
                      return x.begin == y.begin &&
                             std::ranges::equal(x.piece.octets(), y.piece.octets());
                    });
}

void Reassembler::hash_into(base::Hasher& hasher) const {
  const auto& [held, runs, recent, duplicate, octets, memory] = *this;
  hasher.add_all(recent, duplicate, held.size(), base::derived(runs), base::derived(octets),
                 base::derived(memory));
  for (const Held& part : held) hasher.add_all(part.begin, part.piece.octets());
}

}  // namespace estab::tcp
