// Box: at most one value that stands elsewhere, owned, for what most objects of a kind do not need.
// Law: it is a value like any other: a copy has a value of its own, two are equal if what they hold
// is. It costs a pointer while it is empty.
#pragma once

#include <memory>
#include <utility>

namespace estab::base {

template <class T>
class Box {
 public:
  Box() = default;
  Box(const Box& other) : held_(other ? std::make_unique<T>(*other) : nullptr) {}
  Box(Box&&) noexcept = default;
  Box& operator=(const Box& other) {
    if (this != &other) held_ = other ? std::make_unique<T>(*other) : nullptr;
    return *this;
  }
  Box& operator=(Box&&) noexcept = default;
  ~Box() = default;

  /// Puts a new value in.
  template <class... Arguments>
  T& emplace(Arguments&&... arguments) {
    held_ = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    return *held_;
  }
  void reset() { held_.reset(); }

  explicit operator bool() const { return held_ != nullptr; }
  T& operator*() { return *held_; }
  const T& operator*() const { return *held_; }
  T* operator->() { return held_.get(); }
  const T* operator->() const { return held_.get(); }

  friend bool operator==(const Box& a, const Box& b) {
    if (!a || !b) return !a && !b;
    return *a == *b;
  }
  void hash_into(auto& hasher) const {
    hasher.add(held_ != nullptr);
    if (held_) hasher.add(*held_);
  }

 private:
  std::unique_ptr<T> held_;
};

}  // namespace estab::base
