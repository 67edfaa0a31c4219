// Ring: a growable double-ended queue in one run of memory. Law: it owns no storage until the first
// element comes, and 24 octets then suffice to hold it; the capacity is a power of two, so that
// positions wrap by masking; elements move when it grows, so nobody keeps a pointer to one across a
// push.
#pragma once

#include <bit>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/ensure.h"

namespace estab::base {

template <class T>
class Ring {
  template <class Element, class Owner>
  class Iterator;

 public:
  using value_type = T;
  using iterator = Iterator<T, Ring>;
  using const_iterator = Iterator<const T, const Ring>;

  Ring() = default;
  Ring(const Ring& other)
    requires std::copy_constructible<T>
  {
    // A whole Ring first, so that its destructor clears up if copying an element throws.
    Ring copy;
    if (other.size_ > 0) copy.regrow(std::bit_ceil(other.size_));
    for (const T& element : other) copy.emplace_back(element);
    swap(copy);
  }
  Ring(Ring&& other) noexcept { swap(other); }
  Ring& operator=(const Ring& other)
    requires std::copy_constructible<T>
  {
    Ring copy(other);
    swap(copy);
    return *this;
  }
  Ring& operator=(Ring&& other) noexcept {
    Ring taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Ring() {
    clear();
    shrink();
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Octets of storage owned, beyond the object itself.
  std::size_t memory() const { return capacity_ * sizeof(T); }

  /// The next push needs no memory, and so cannot fail.
  void make_room() {
    if (size_ == capacity_) grow();
  }
  void push_back(T value) { emplace_back(std::move(value)); }
  template <class... Args>
  T& emplace_back(Args&&... args) {
    if (size_ == capacity_) return grow_and_append(T(std::forward<Args>(args)...));
    T* made = std::construct_at(slot(size_), std::forward<Args>(args)...);
    ++size_;
    return *made;
  }
  void push_front(T value) {
    if (size_ == capacity_) grow();
    std::construct_at(slot(capacity_ - 1), std::move(value));
    head_ = (head_ - 1) & (capacity_ - 1);
    ++size_;
  }

  /// Takes the first element out.
  T pop_front() {
    T value = std::move(front());
    std::destroy_at(slot(0));
    head_ = (head_ + 1) & (capacity_ - 1);
    --size_;
    return value;
  }
  /// Destroys the first element.
  void drop_front() {
    std::destroy_at(&front());
    head_ = (head_ + 1) & (capacity_ - 1);
    --size_;
  }
  /// Takes the last element out.
  T pop_back() {
    T value = std::move(back());
    std::destroy_at(slot(size_ - 1));
    --size_;
    return value;
  }

  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - std::size_t{1}]; }
  const T& back() const { return (*this)[size_ - std::size_t{1}]; }
  T& operator[](std::size_t index) {
    ensure(index < size_);
    return *slot(static_cast<std::uint32_t>(index));
  }
  const T& operator[](std::size_t index) const {
    ensure(index < size_);
    return *slot(static_cast<std::uint32_t>(index));
  }

  /// Takes out what equals `value`, wherever it stands; the others keep their order.
  void remove(const T& value) {
    for (std::size_t left = size_; left > 0; --left) {
      T element = pop_front();
      if (!(element == value)) push_back(std::move(element));
    }
  }
  /// Destroys every element and keeps the storage.
  void clear() {
    for (std::uint32_t i = 0; i < size_; ++i) std::destroy_at(slot(i));
    head_ = 0;
    size_ = 0;
  }
  /// Gives the storage back if the ring is empty.
  void shrink() {
    if (size_ > 0 || capacity_ == 0) return;
    std::allocator<T>().deallocate(elements_, capacity_);
    elements_ = nullptr;
    capacity_ = 0;
    head_ = 0;
  }

  void swap(Ring& other) noexcept {
    std::swap(elements_, other.elements_);
    std::swap(head_, other.head_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  iterator begin() { return {this, 0}; }
  iterator end() { return {this, size_}; }
  const_iterator begin() const { return {this, 0}; }
  const_iterator end() const { return {this, size_}; }

  /// Equal elements in equal order; where they lie in memory makes no difference.
  friend bool operator==(const Ring& a, const Ring& b)
    requires std::equality_comparable<T>
  {
    if (a.size_ != b.size_) return false;
    for (std::uint32_t i = 0; i < a.size_; ++i)
      if (!(*a.slot(i) == *b.slot(i))) return false;
    return true;
  }

 private:
  static constexpr std::uint32_t kFirstCapacity = 4;
  static constexpr std::uint32_t kMaxCapacity = std::uint32_t{1} << 31;

  T* slot(std::uint32_t index) const { return elements_ + ((head_ + index) & (capacity_ - 1)); }

  void grow() {
    ensure(capacity_ < kMaxCapacity);
    regrow(capacity_ == 0 ? kFirstCapacity : capacity_ * 2);
  }

  // By value: the new element may have been made from one that growing moves away.
  [[gnu::noinline]] T& grow_and_append(T value) {
    grow();
    T* made = std::construct_at(slot(size_), std::move(value));
    ++size_;
    return *made;
  }

  void regrow(std::uint32_t capacity) {
    static_assert(std::is_nothrow_move_constructible_v<T>, "growing must not lose elements");
    T* fresh = std::allocator<T>().allocate(capacity);
    const std::uint32_t unwrapped = capacity_ - head_ < size_ ? capacity_ - head_ : size_;
    T* middle = std::uninitialized_move_n(elements_ + head_, unwrapped, fresh).second;
    std::uninitialized_move_n(elements_, size_ - unwrapped, middle);
    std::destroy_n(elements_ + head_, unwrapped);
    std::destroy_n(elements_, size_ - unwrapped);
    if (capacity_ > 0) std::allocator<T>().deallocate(elements_, capacity_);
    elements_ = fresh;
    capacity_ = capacity;
    head_ = 0;
  }

  T* elements_ = nullptr;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

/// A forward iterator by position: good until elements are taken out at the front.
template <class T>
template <class Element, class Owner>
class Ring<T>::Iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using pointer = Element*;
  using reference = Element&;

  Iterator() = default;
  Iterator(Owner* owner, std::uint32_t index) : owner_(owner), index_(index) {}

  reference operator*() const { return (*owner_)[index_]; }
  pointer operator->() const { return &(*owner_)[index_]; }
  Iterator& operator++() {
    ++index_;
    return *this;
  }
  Iterator operator++(int) {
    Iterator before = *this;
    ++index_;
    return before;
  }
  bool operator==(const Iterator&) const = default;

 private:
  Owner* owner_ = nullptr;
  std::uint32_t index_ = 0;
};

}  // namespace estab::base
