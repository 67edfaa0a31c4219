// Hasher: a 64-bit hash of a value, gathered piece by piece. Law: the same pieces in the same order
// give the same hash on every machine, and the pieces' borders count. It is not keyed: for
// comparing and finding values of our own, not for keys that a peer chooses (those go to
// siphash.h).
//
//   Hasher hasher;
//   hasher.add_all(state, deadline, peer.address, peer.port);
//   return hasher.finish();
//
// A Hasher::of_future(now) is for telling apart what will happen, not what has happened: times are
// added as distances from `now`, numbers that a clock made (initial sequence numbers, timestamps)
// as distances from what that clock shows now, and whoever adds a value leaves out what only keeps
// count (takes_history() says so). Two stacks that differ by nothing else then hash alike.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <variant>

#include "estab/address.h"
#include "estab/octets.h"
#include "estab/segment.h"
#include "estab/time.h"

#include "base/byte_order.h"

namespace estab::base {

class Hasher {
 public:
  constexpr Hasher() = default;
  static constexpr Hasher of_future(Instant now) {
    Hasher hasher;
    hasher.origin_ = now;
    hasher.takes_history_ = false;
    return hasher;
  }
  /// Whether statistics count too.
  constexpr bool takes_history() const { return takes_history_; }
  /// What times are counted from.
  constexpr Instant origin() const { return origin_; }

  constexpr void add(std::uint64_t word) { hash_ = (std::rotl(hash_, 29) ^ mix(word)) * kOdd; }

  template <class T>
    requires std::integral<T> || std::is_enum_v<T>
  constexpr void add(T number) {
    add(static_cast<std::uint64_t>(number));
  }
  /// Equal numbers hash alike: -0.0 as 0.0.
  constexpr void add(double number) { add(std::bit_cast<std::uint64_t>(number + 0.0)); }
  constexpr void add(Duration duration) { add(duration.count().value()); }
  constexpr void add(Instant instant) {
    add(instant == kNever ? instant.time_since_epoch() : instant - origin_);
  }

  /// A number of a space that began at an ISN: those advance by one every 4 microseconds.
  constexpr void add(SeqNum number) { add((number - ticks(std::chrono::microseconds(4))).value()); }
  /// A number of the timestamps option: those advance by one every millisecond.
  constexpr void add_timestamp(std::uint32_t number) {
    add(number - ticks(std::chrono::milliseconds(1)));
  }

  void add(Octets octets) {
    add(octets.size());
    std::size_t at = 0;
    for (; octets.size() - at >= 8; at += 8) add(load_le64(&octets[at]));
    std::uint64_t rest = 0;
    for (; at < octets.size(); ++at) rest = rest << 8 | octets[at];
    if (octets.size() % 8 != 0) add(rest);
  }
  void add(const IpAddress& address) {
    add(load_be64(address.octets().data()));
    add(load_be64(address.octets().data() + 8));
    if (address.zone() != 0) add(address.zone());
  }
  void add(const FastOpenCookie& cookie) { add(cookie.octets()); }
  constexpr void add(TcpFlags flags) { add(flags.wire()); }
  void add(const Endpoint& endpoint) { add_all(endpoint.address, endpoint.port); }

  template <class T>
  constexpr void add(const std::optional<T>& value) {
    add(value.has_value());
    if (value) add(*value);
  }
  /// What is shared, not where it lies.
  template <class T>
  constexpr void add(const std::shared_ptr<T>& value) {
    add(value != nullptr);
    if (value) add(*value);
  }
  template <class... Ts>
  constexpr void add(const std::variant<Ts...>& value) {
    add(value.index());
    std::visit([this](const auto& held) { this->add(held); }, value);
  }

  /// A value that knows what it consists of (see fields.h), or how it is hashed.
  template <class T>
    requires requires(const T& value, Hasher& hasher) { value.hash_into(hasher); }
  constexpr void add(const T& value) {
    value.hash_into(*this);
  }
  /// A value of the public interface, which knows nothing of hashing: public_fields.h tells.
  template <class T>
    requires requires(const T& value) { public_fields(value); }
  constexpr void add(const T& value) {
    add(public_fields(value));
  }
  template <std::ranges::forward_range Range>
    requires(!requires(const Range& range, Hasher& hasher) { range.hash_into(hasher); })
  constexpr void add(const Range& range) {
    if constexpr (std::convertible_to<const Range&, Octets>) {
      add(Octets(range));
    } else {
      add(std::uint64_t{std::ranges::size(range)});
      for (const auto& element : range) add(element);
    }
  }

  template <class... Ts>
  constexpr void add_all(const Ts&... values) {
    (add(values), ...);
  }

  constexpr std::uint64_t finish() const { return mix(hash_); }

 private:
  static constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;

  static constexpr std::uint64_t mix(std::uint64_t word) {
    word = (word ^ word >> 32) * 0xd6e8feb86659fd93;
    word = (word ^ word >> 32) * 0xd6e8feb86659fd93;
    return word ^ word >> 32;
  }

  constexpr std::uint32_t ticks(Duration tick) const {
    return static_cast<std::uint32_t>(origin_.time_since_epoch() / tick);
  }

  std::uint64_t hash_ = kOdd;
  Instant origin_{};
  bool takes_history_ = true;
};

}  // namespace estab::base
