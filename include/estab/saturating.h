// Saturating: a 64-bit integer whose arithmetic stops at the ends of its range instead of wrapping
// past them. It is what instants and durations count in (time.h), so that "for ever" plus a
// minute is for ever, and not the year 1677: a sum of times needs no care, it cannot overflow.
//
// Law: each operation gives the exact result, or the end of the range nearest to it. As with any
// integer, dividing by zero is an error of the caller's.
//
// It mixes with the built-in integers and turns into std::int64_t where one is wanted, so that
// std::chrono and those who use it see an integer like another:
//
//   estab::Duration limit = std::chrono::hours::max();        // the end: Duration::max()
//   limit * 2 == limit; limit + std::chrono::seconds(5) == limit;
//   std::chrono::nanoseconds plain = limit;                   // the plain type again
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace estab {

class Saturating {
 public:
  static constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

  /// As of a built-in integer: no value, unless it is initialised with {}.
  Saturating() = default;
  template <std::integral Integer>
  // NOLINTNEXTLINE(google-explicit-constructor): it stands wherever a built-in integer does
  constexpr Saturating(Integer value) : value_(clamped(value)) {}
  /// Towards zero; what is no number is zero.
  template <std::floating_point Float>
  explicit constexpr Saturating(Float value) : value_(truncated(value)) {}

  // NOLINTNEXTLINE(google-explicit-constructor): the same
  constexpr operator std::int64_t() const { return value_; }
  /// The same, for those who cannot wait for a conversion: printf, overloads of many types.
  constexpr std::int64_t value() const { return value_; }

  constexpr Saturating operator+() const { return *this; }
  constexpr Saturating operator-() const { return difference(0, value_); }
  constexpr Saturating& operator++() { return *this = sum(value_, 1); }
  constexpr Saturating& operator--() { return *this = difference(value_, 1); }
  constexpr Saturating operator++(int) {
    const Saturating before = *this;
    ++*this;
    return before;
  }
  constexpr Saturating operator--(int) {
    const Saturating before = *this;
    --*this;
    return before;
  }
  constexpr Saturating& operator+=(Saturating b) { return *this = sum(value_, b.value_); }
  constexpr Saturating& operator-=(Saturating b) { return *this = difference(value_, b.value_); }
  constexpr Saturating& operator*=(Saturating b) { return *this = product(value_, b.value_); }
  constexpr Saturating& operator/=(Saturating b) { return *this = quotient(value_, b.value_); }
  constexpr Saturating& operator%=(Saturating b) { return *this = remainder(value_, b.value_); }

  friend constexpr bool operator==(Saturating, Saturating) = default;
  friend constexpr auto operator<=>(Saturating, Saturating) = default;

 private:
  template <std::integral Integer>
  static constexpr std::int64_t clamped(Integer value) {
    if constexpr (std::is_unsigned_v<Integer> && sizeof(Integer) >= sizeof(std::int64_t)) {
      return value > Integer{kMax} ? kMax : static_cast<std::int64_t>(value);
    } else {
      return value;
    }
  }

  // The bounds are powers of two: every floating-point type has them exactly.
  template <std::floating_point Float>
  static constexpr std::int64_t truncated(Float value) {
    constexpr Float kBound = static_cast<Float>(std::uint64_t{1} << 63);
    if (value >= kBound) return kMax;
    if (value < -kBound) return kMin;
    return value == value ? static_cast<std::int64_t>(value) : 0;
  }

  static constexpr Saturating sum(std::int64_t a, std::int64_t b) {
    std::int64_t result;
    if (__builtin_add_overflow(a, b, &result)) [[unlikely]]
      return b < 0 ? kMin : kMax;
    return result;
  }
  static constexpr Saturating difference(std::int64_t a, std::int64_t b) {
    std::int64_t result;
    if (__builtin_sub_overflow(a, b, &result)) [[unlikely]]
      return b < 0 ? kMax : kMin;
    return result;
  }
  static constexpr Saturating product(std::int64_t a, std::int64_t b) {
    std::int64_t result;
    if (__builtin_mul_overflow(a, b, &result)) [[unlikely]]
      return (a < 0) == (b < 0) ? kMax : kMin;
    return result;
  }
  static constexpr Saturating quotient(std::int64_t a, std::int64_t b) {
    return b == -1 ? difference(0, a) : Saturating(a / b);
  }
  static constexpr Saturating remainder(std::int64_t a, std::int64_t b) {
    return b == -1 ? 0 : a % b;
  }

  std::int64_t value_;
};

namespace detail {
/// The two operands of an operator of Saturating: the other may be a built-in integer.
template <class A, class B>
concept SaturatingPair =
    (std::same_as<A, Saturating> && (std::same_as<B, Saturating> || std::integral<B>)) ||
    (std::integral<A> && std::same_as<B, Saturating>);
}  // namespace detail

template <class A, class B>
  requires detail::SaturatingPair<A, B>
constexpr Saturating operator+(A a, B b) {
  return Saturating(a) += b;
}
template <class A, class B>
  requires detail::SaturatingPair<A, B>
constexpr Saturating operator-(A a, B b) {
  return Saturating(a) -= b;
}
template <class A, class B>
  requires detail::SaturatingPair<A, B>
constexpr Saturating operator*(A a, B b) {
  return Saturating(a) *= b;
}
template <class A, class B>
  requires detail::SaturatingPair<A, B>
constexpr Saturating operator/(A a, B b) {
  return Saturating(a) /= b;
}
template <class A, class B>
  requires detail::SaturatingPair<A, B>
constexpr Saturating operator%(A a, B b) {
  return Saturating(a) %= b;
}

// Without these an integer to the right could as well be compared as the std::int64_t this turns
// into.
template <std::integral Integer>
constexpr bool operator==(Saturating a, Integer b) {
  return a == Saturating(b);
}
template <std::integral Integer>
constexpr std::strong_ordering operator<=>(Saturating a, Integer b) {
  return a <=> Saturating(b);
}

}  // namespace estab

// What std::chrono asks of a representation: its ends, and what it becomes beside other types.
template <>
class std::numeric_limits<estab::Saturating> : public std::numeric_limits<std::int64_t> {
 public:
  static constexpr estab::Saturating min() noexcept { return estab::Saturating::kMin; }
  static constexpr estab::Saturating lowest() noexcept { return estab::Saturating::kMin; }
  static constexpr estab::Saturating max() noexcept { return estab::Saturating::kMax; }
};
template <std::integral Integer>
struct std::common_type<estab::Saturating, Integer> {
  using type = estab::Saturating;
};
template <std::integral Integer>
struct std::common_type<Integer, estab::Saturating> {
  using type = estab::Saturating;
};
template <std::floating_point Float>
struct std::common_type<estab::Saturating, Float> {
  using type = Float;
};
template <std::floating_point Float>
struct std::common_type<Float, estab::Saturating> {
  using type = Float;
};
