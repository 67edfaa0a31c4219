// A TCP segment as a value, and the numbers in it. These are the words in which tests, traces,
// failure messages and the wire parser talk to each other.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <optional>

#include "estab/address.h"
#include "estab/octets.h"

namespace estab {

/// A sequence number as it stands on the wire: modulo 2^32 (RFC 9293 §3.4). It has no operator<,
/// since "less" has no meaning without a reference; `a - b` is the signed distance, right whenever
/// the two are less than 2^31 apart.
class SeqNum {
 public:
  constexpr SeqNum() = default;
  explicit constexpr SeqNum(std::uint32_t value) : value_(value) {}
  constexpr std::uint32_t value() const { return value_; }

  friend constexpr SeqNum operator+(SeqNum a, std::uint32_t n) { return SeqNum(a.value_ + n); }
  friend constexpr SeqNum operator-(SeqNum a, std::uint32_t n) { return SeqNum(a.value_ - n); }
  friend constexpr std::int32_t operator-(SeqNum a, SeqNum b) {
    return static_cast<std::int32_t>(a.value_ - b.value_);
  }
  friend constexpr bool operator==(SeqNum, SeqNum) = default;

 private:
  std::uint32_t value_ = 0;
};

/// The control bits (RFC 9293 §3.1), with ECE and CWR of RFC 3168 and AE of RFC 9768. The reserved
/// bits beside them are not kept: they are sent as zero and ignored on receipt.
class TcpFlags {
 public:
  constexpr TcpFlags() = default;
  explicit constexpr TcpFlags(std::uint16_t wire) : bits_(wire) {}
  /// The low nine bits of the two octets in which the flags stand.
  constexpr std::uint16_t wire() const { return bits_; }

  constexpr bool fin() const { return bits_ & kFin; }
  constexpr bool syn() const { return bits_ & kSyn; }
  constexpr bool rst() const { return bits_ & kRst; }
  constexpr bool psh() const { return bits_ & kPsh; }
  constexpr bool ack() const { return bits_ & kAck; }
  constexpr bool urg() const { return bits_ & kUrg; }
  constexpr bool ece() const { return bits_ & kEce; }
  constexpr bool cwr() const { return bits_ & kCwr; }
  constexpr bool ae() const { return bits_ & kAe; }

  friend constexpr TcpFlags operator|(TcpFlags a, TcpFlags b) {
    return TcpFlags(static_cast<std::uint16_t>(a.bits_ | b.bits_));
  }
  constexpr TcpFlags without(TcpFlags other) const {
    return TcpFlags(static_cast<std::uint16_t>(bits_ & ~other.bits_));
  }
  friend constexpr bool operator==(TcpFlags, TcpFlags) = default;

  static constexpr std::uint16_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16, kUrg = 32,
                                 kEce = 64, kCwr = 128, kAe = 256;

 private:
  std::uint16_t bits_ = 0;
};

inline constexpr TcpFlags kFin{TcpFlags::kFin}, kSyn{TcpFlags::kSyn}, kRst{TcpFlags::kRst},
    kPsh{TcpFlags::kPsh}, kAck{TcpFlags::kAck}, kUrg{TcpFlags::kUrg}, kEce{TcpFlags::kEce},
    kCwr{TcpFlags::kCwr}, kAe{TcpFlags::kAe};

/// RFC 7323 §3.2.
struct TcpTimestamps {
  std::uint32_t value = 0;  ///< TSval
  std::uint32_t echo = 0;   ///< TSecr
  friend constexpr bool operator==(const TcpTimestamps&, const TcpTimestamps&) = default;
};

/// One SACK block: octets [left, right) have been received (RFC 2018 §3).
struct SackBlock {
  SeqNum left, right;
  friend constexpr bool operator==(const SackBlock&, const SackBlock&) = default;
};

/// At most four SACK blocks, held in place.
class SackBlocks {
 public:
  static constexpr std::size_t kMax = 4;
  constexpr bool add(SackBlock block) {
    if (count_ == kMax) return false;
    blocks_[count_++] = block;
    return true;
  }
  constexpr std::size_t size() const { return count_; }
  constexpr bool empty() const { return count_ == 0; }
  constexpr const SackBlock& operator[](std::size_t i) const { return blocks_[i]; }
  constexpr const SackBlock* begin() const { return blocks_.data(); }
  constexpr const SackBlock* end() const { return blocks_.data() + count_; }
  friend constexpr bool operator==(const SackBlocks& a, const SackBlocks& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<SackBlock, kMax> blocks_{};
  std::uint8_t count_ = 0;
};

/// AccECN0 and AccECN1 (RFC 9768 §3.2.3): payload octets received so far by the mark they came
/// with, modulo 2^24. The fields that are there are the first of their order; the others are zero
/// here.
struct AccurateEcnOption {
  enum class Order : std::uint8_t {
    e0b_first,  ///< kind 172: EE0B, ECEB, EE1B
    e1b_first,  ///< kind 174: EE1B, ECEB, EE0B
  };
  Order order = Order::e0b_first;
  std::uint8_t fields = 0;  ///< 0..3
  std::uint32_t e0b = 0, ceb = 0, e1b = 0;

  bool has_e0b() const { return fields >= (order == Order::e0b_first ? 1 : 3); }
  bool has_ceb() const { return fields >= 2; }
  bool has_e1b() const { return fields >= (order == Order::e1b_first ? 1 : 3); }
  friend constexpr bool operator==(const AccurateEcnOption&, const AccurateEcnOption&) = default;
};

/// A Fast Open cookie (RFC 7413 §4.1.1): an even number of octets, 4 to 16; or none at all, which
/// asks for one.
class FastOpenCookie {
 public:
  static constexpr std::size_t kLeast = 4, kMost = 16;
  constexpr FastOpenCookie() = default;
  /// Nothing if no cookie has that many octets.
  static constexpr std::optional<FastOpenCookie> from(Octets octets) {
    const std::size_t size = octets.size();
    if (size % 2 != 0 || size > kMost || (size > 0 && size < kLeast)) return std::nullopt;
    FastOpenCookie cookie;
    cookie.size_ = static_cast<std::uint8_t>(size);
    std::ranges::copy(octets, cookie.octets_.begin());
    return cookie;
  }
  constexpr bool empty() const { return size_ == 0; }
  constexpr Octets octets() const { return Octets(octets_).first(size_); }
  friend constexpr bool operator==(const FastOpenCookie&, const FastOpenCookie&) = default;

 private:
  std::array<std::uint8_t, kMost> octets_{};  // zero behind the cookie
  std::uint8_t size_ = 0;
};

/// The option that carries it, in a SYN or SYN-ACK.
struct FastOpenOption {
  FastOpenCookie cookie;
  /// As it was before it had a number of its own: kind 254 with the identifier 0xF989 (RFC 7413
  /// §9).
  bool experimental = false;
  friend constexpr bool operator==(const FastOpenOption&, const FastOpenOption&) = default;
};

/// The options the stack understands. What it does not know is skipped by the parser (MUST-6).
struct TcpOptions {
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> window_scale;
  bool sack_permitted = false;
  std::optional<TcpTimestamps> timestamps;
  SackBlocks sack;
  std::optional<AccurateEcnOption> accurate_ecn;
  std::optional<FastOpenOption> fast_open;
  friend bool operator==(const TcpOptions&, const TcpOptions&) = default;
};

/// A TCP header and its payload. The payload is a view: the frame must outlive it.
struct Segment {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  SeqNum seq;
  SeqNum ack;  ///< meaningful only when flags.ack()
  TcpFlags flags;
  std::uint16_t window = 0;  ///< as on the wire, not scaled
  std::uint16_t urgent_pointer = 0;
  TcpOptions options;
  Octets payload;

  /// SEG.LEN: the payload, and one each for SYN and FIN (RFC 9293 §3.4).
  std::uint32_t length() const {
    return static_cast<std::uint32_t>(payload.size()) + (flags.syn() ? 1 : 0) +
           (flags.fin() ? 1 : 0);
  }
};

/// What names a connection: both ends, seen from here.
struct FourTuple {
  IpAddress local_address, remote_address;
  std::uint16_t local_port = 0, remote_port = 0;

  Endpoint local() const { return {local_address, local_port}; }
  Endpoint remote() const { return {remote_address, remote_port}; }
  Family family() const { return local_address.family(); }
  friend bool operator==(const FourTuple&, const FourTuple&) = default;
};

}  // namespace estab
