// AnswerCount: how many segments that ask for an answer have had one (RFC 5961 §10). One octet,
// since half-open and TIME-WAIT records have one; it stops at the end instead of beginning anew.
#pragma once

#include <algorithm>
#include <cstdint>

namespace estab::tcp {

class AnswerCount {
 public:
  /// Counts one more, unless there have been `limit` already.
  bool take(std::uint32_t limit) {
    if (count_ >= std::min(limit, kMost)) return false;
    ++count_;
    return true;
  }
  void clear() { count_ = 0; }
  std::uint8_t value() const { return count_; }
  friend bool operator==(AnswerCount, AnswerCount) = default;
  void hash_into(auto& hasher) const { hasher.add(count_); }

 private:
  static constexpr std::uint32_t kMost = 255;
  std::uint8_t count_ = 0;
};

}  // namespace estab::tcp
