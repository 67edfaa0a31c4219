// Fields: what a value consists of, said once. A class names its members in one function,
//
//   auto fields() const {
//     const auto& [tuple, state, segments_in, slot] = *this;  // does not compile if one is missing
//     return base::fields(tuple, state, base::history(segments_in), base::derived(slot));
//   }
//
// and from that it is compared and hashed; so the two cannot disagree, and a member added to the
// class stops the compiler until somebody has said here what it means. Copying is the compiler's.
//
// Law: two values that compare equal hash alike. A hash of the future (see hasher.h) leaves out
// what decides nothing still to come, and only that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/hasher.h"

namespace estab::base {

/// A member that is compared and, if it `decides` anything still to come, hashed in any case.
template <class T>
struct Field {
  const T& value;
  bool decides = true;

  void hash_into(Hasher& hasher) const {
    if (decides || hasher.takes_history()) hasher.add(value);
  }
};

/// The same for a number of the timestamps option, which a clock made.
struct TimestampField {
  const std::uint32_t& value;
  bool decides = true;

  void hash_into(Hasher& hasher) const {
    if (decides || hasher.takes_history()) hasher.add_timestamp(value);
  }
};

/// A member whose part in the hash needs to know more than the member itself does.
template <class T, class Hash>
struct HashedBy {
  const T& value;
  Hash hash;

  void hash_into(Hasher& hasher) const { hash(hasher, value); }
};

/// A member that follows from others, or says where something lies: neither compared nor hashed.
struct Derived {
  void hash_into(Hasher&) const {}
};

/// Keeps count of what has happened, and decides nothing.
template <class T>
Field<T> history(const T& value) {
  return {value, false};
}
inline TimestampField timestamp(const std::uint32_t& value) {
  return {value};
}
/// For what decides something only while a condition holds.
struct If {
  bool holds;

  template <class T>
  Field<T> decides(const T& value) const {
    return {value, holds};
  }
  TimestampField decides_timestamp(const std::uint32_t& value) const { return {value, holds}; }
};
/// `hash(hasher, value)` adds it to a hash.
template <class T, class Hash>
HashedBy<T, Hash> hashed_by(const T& value, Hash hash) {
  return {value, std::move(hash)};
}
template <class T>
Derived derived(const T&) {
  return {};
}

namespace detail {

template <class T>
Field<T> as_field(const T& value) {
  return {value};
}
template <class T>
Field<T> as_field(const Field<T>& field) {
  return field;
}
template <class T, class Hash>
HashedBy<T, Hash> as_field(const HashedBy<T, Hash>& field) {
  return field;
}
inline TimestampField as_field(const TimestampField& field) {
  return field;
}
inline Derived as_field(Derived field) {
  return field;
}

template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}
/// What is shared is compared, not where it lies.
template <class T>
bool same(const std::shared_ptr<T>& a, const std::shared_ptr<T>& b) {
  return a == b || (a && b && *a == *b);
}
template <class Member>
bool same_field(const Member& a, const Member& b) {
  return same(a.value, b.value);
}
inline bool same_field(Derived, Derived) {
  return true;
}

}  // namespace detail

/// The members of one object. It refers to them, and is gone before they are.
template <class... Members>
class Fields {
 public:
  explicit Fields(Members... members) : members_(std::move(members)...) {}

  void hash_into(Hasher& hasher) const {
    std::apply([&](const auto&... member) { (member.hash_into(hasher), ...); }, members_);
  }
  friend bool operator==(const Fields& a, const Fields& b) {
    return a.is_same(b, std::index_sequence_for<Members...>());
  }

 private:
  template <std::size_t... kIndex>
  bool is_same(const Fields& other, std::index_sequence<kIndex...>) const {
    return (detail::same_field(std::get<kIndex>(members_), std::get<kIndex>(other.members_)) &&
            ...);
  }

  std::tuple<Members...> members_;
};

template <class... Given>
auto fields(const Given&... given) {
  return Fields<decltype(detail::as_field(given))...>(detail::as_field(given)...);
}

}  // namespace estab::base
