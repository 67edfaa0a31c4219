// ReceivedRanges: which octets of a direction have arrived, however often and in whatever order.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

#include "estab/segment.h"

namespace estab::sim {

class ReceivedRanges {
 public:
  /// False: every octet of the segment was there already.
  bool add(const Segment& segment) {
    if (!first_) first_ = segment.seq;
    const std::int64_t begin = unwrapped(segment.seq);
    const std::int64_t end = begin + static_cast<std::int64_t>(segment.payload.size());
    auto next = ranges_.upper_bound(begin);
    if (next != ranges_.begin() && std::prev(next)->second >= end) return false;
    std::int64_t from = begin, to = end;
    if (next != ranges_.begin() && std::prev(next)->second >= begin) {
      --next;
      from = next->first;
    }
    while (next != ranges_.end() && next->first <= to) {
      to = std::max(to, next->second);
      next = ranges_.erase(next);
    }
    ranges_.emplace(from, to);
    highest_ = std::max(highest_, to);
    return true;
  }

 private:
  /// The place nearest to what has arrived.
  std::int64_t unwrapped(SeqNum number) const {
    const auto low = static_cast<std::uint32_t>(highest_);
    const std::uint32_t offset = number.value() - first_->value();
    return highest_ + static_cast<std::int32_t>(offset - low);
  }

  std::optional<SeqNum> first_;
  std::int64_t highest_ = 0;
  std::map<std::int64_t, std::int64_t> ranges_;  // begin, end
};

}  // namespace estab::sim
