// Two notations for the same octet: SeqNum, 32 bits, as on the wire; StreamOffset, 64 bits, which
// never wraps and so can be ordered. Law: everything inside a connection is a StreamOffset; a
// SeqNum is turned into one as soon as it has come in, near a reference, and back only to be
// emitted.
//
// In each direction offset 0 is the SYN, 1 the first octet of data; the FIN takes the offset after
// the last octet (RFC 9293 §3.4).
#pragma once

#include <compare>
#include <cstdint>

#include "estab/segment.h"

namespace estab::tcp {

class StreamOffset {
 public:
  constexpr StreamOffset() = default;
  explicit constexpr StreamOffset(std::int64_t value) : value_(value) {}
  constexpr std::int64_t value() const { return value_; }
  constexpr void hash_into(auto& hasher) const { hasher.add(value_); }

  constexpr auto operator<=>(const StreamOffset&) const = default;
  constexpr StreamOffset& operator+=(std::int64_t n) {
    value_ += n;
    return *this;
  }
  friend constexpr StreamOffset operator+(StreamOffset a, std::int64_t n) {
    return StreamOffset(a.value_ + n);
  }
  friend constexpr StreamOffset operator-(StreamOffset a, std::int64_t n) {
    return StreamOffset(a.value_ - n);
  }
  friend constexpr std::int64_t operator-(StreamOffset a, StreamOffset b) {
    return a.value_ - b.value_;
  }

 private:
  std::int64_t value_ = 0;  // signed: an old duplicate may lie before the SYN
};

/// One direction's numbering: where its wire numbers begin.
class SequenceSpace {
 public:
  constexpr SequenceSpace() = default;
  explicit constexpr SequenceSpace(SeqNum initial) : initial_(initial) {}

  constexpr SeqNum initial() const { return initial_; }
  constexpr SeqNum wire(StreamOffset offset) const {
    return initial_ + static_cast<std::uint32_t>(offset.value());
  }
  /// The offset nearest to `reference` that has this wire number.
  constexpr StreamOffset near(SeqNum number, StreamOffset reference) const {
    return reference + (number - wire(reference));
  }
  friend constexpr bool operator==(const SequenceSpace&, const SequenceSpace&) = default;
  constexpr void hash_into(auto& hasher) const { hasher.add(initial_); }

 private:
  SeqNum initial_;
};

inline constexpr StreamOffset kSynOffset{0};
inline constexpr StreamOffset kFirstOctet{1};

}  // namespace estab::tcp
