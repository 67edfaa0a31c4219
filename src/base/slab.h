// Slab: objects of one type at addresses that never change, each known by a small number. Law: the
// number of an erased object is the next to be given out again, with a generation one higher, so
// that an old (index, generation) pair finds nothing instead of a stranger. Everything is O(1). A
// copy holds copies under the same numbers and will give out the same numbers in future.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/ensure.h"

namespace estab::base {

template <class T>
class Slab {
 public:
  static constexpr std::uint32_t kChunkSize = 64;

  Slab() = default;
  Slab(const Slab& other)
    requires std::copy_constructible<T>
      : size_(other.size_), touched_(other.touched_), free_(other.free_) {
    chunks_.reserve(other.chunks_.size());
    for (const auto& chunk : other.chunks_) chunks_.push_back(chunk->copy(slots_in(*this)));
  }
  Slab(Slab&& other) noexcept { swap(other); }
  Slab& operator=(const Slab& other)
    requires std::copy_constructible<T>
  {
    Slab copy(other);
    swap(copy);
    return *this;
  }
  Slab& operator=(Slab&& other) noexcept {
    Slab taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Slab() = default;

  template <class... Args>
  std::uint32_t emplace(Args&&... args) {
    return free_ != kNone ? emplace_again(std::forward<Args>(args)...)
                          : emplace_new(std::forward<Args>(args)...);
  }

  /// The next emplace needs no memory of the slab's own.
  void make_room() {
    if (free_ == kNone && touched_ == capacity()) chunks_.push_back(std::make_unique<Chunk>());
  }

  void erase(std::uint32_t index) {
    ensure(holds(index));
    Chunk& chunk = chunk_of(index);
    const std::uint32_t at = index % kChunkSize;
    chunk.used &= ~(std::uint64_t{1} << at);
    std::destroy_at(chunk.object(at));
    ++chunk.generations[at];
    chunk.set_link(at, free_);
    free_ = index;
    --size_;
  }

  T& operator[](std::uint32_t index) {
    ensure(holds(index));
    return *chunk_of(index).object(index % kChunkSize);
  }
  const T& operator[](std::uint32_t index) const {
    ensure(holds(index));
    return *chunk_of(index).object(index % kChunkSize);
  }

  bool holds(std::uint32_t index) const {
    return index < touched_ && chunk_of(index).is_used(index % kChunkSize);
  }
  /// The object, or null if there is none of that number now.
  T* get(std::uint32_t index) {
    return holds(index) ? chunk_of(index).object(index % kChunkSize) : nullptr;
  }
  /// How often the object of this number has been erased. The number must have been given out.
  std::uint32_t generation(std::uint32_t index) const {
    ensure(index < touched_);
    return chunk_of(index).generations[index % kChunkSize];
  }
  /// The object, or null if the handle is stale or was never given out.
  T* find(std::uint32_t index, std::uint32_t generation) {
    return const_cast<T*>(std::as_const(*this).find(index, generation));
  }
  const T* find(std::uint32_t index, std::uint32_t generation) const {
    if (!holds(index)) return nullptr;
    const Chunk& chunk = chunk_of(index);
    const std::uint32_t at = index % kChunkSize;
    return chunk.generations[at] == generation ? chunk.object(at) : nullptr;
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// How many objects fit before the next chunk.
  std::size_t capacity() const { return chunks_.size() * kChunkSize; }
  /// Octets of storage owned, beyond the object itself.
  std::size_t memory() const {
    return chunks_.size() * sizeof(Chunk) + chunks_.capacity() * sizeof(chunks_[0]);
  }

  /// Calls f(index, object) in the order of the numbers. f may erase and emplace; an object made
  /// meanwhile may or may not be visited.
  template <class F>
  void for_each(F&& f) {
    visit(*this, f);
  }
  template <class F>
  void for_each(F&& f) const {
    visit(*this, f);
  }

  void swap(Slab& other) noexcept {
    std::swap(chunks_, other.chunks_);
    std::swap(size_, other.size_);
    std::swap(touched_, other.touched_);
    std::swap(free_, other.free_);
  }

  /// Adds each object to a hash, by add(hasher, object), with its number and generation, which the
  /// application knows. Which will be given out is history: what they name then is the same.
  template <class Add>
  void hash_into(auto& hasher, Add&& add) const {
    hasher.add(size_);
    for_each([&](std::uint32_t index, const T& object) {
      hasher.add_all(index, generation(index));
      add(hasher, object);
    });
    if (!hasher.takes_history()) return;
    for (std::uint32_t index = free_; index != kNone;
         index = chunk_of(index).link(index % kChunkSize))
      hasher.add_all(index, generation(index));
  }
  void hash_into(auto& hasher) const {
    hash_into(hasher, [](auto& h, const T& object) { h.add(object); });
  }

  /// Equal objects under equal numbers and generations, and the same numbers to come.
  friend bool operator==(const Slab& a, const Slab& b)
    requires std::equality_comparable<T>
  {
    if (a.size_ != b.size_ || a.touched_ != b.touched_ || a.free_ != b.free_) return false;
    for (std::uint32_t index = 0; index < a.touched_; ++index) {
      const std::uint32_t at = index % kChunkSize;
      if (!a.chunk_of(index).same(b.chunk_of(index), at)) return false;
    }
    return true;
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;

  // A slot holds an object or, while free, the number of the next free slot.
  struct alignas(alignof(T) > 4 ? alignof(T) : 4) Slot {
    std::byte octets[sizeof(T) > 4 ? sizeof(T) : 4];
  };

  struct Chunk {
    std::uint64_t used = 0;
    std::array<std::uint32_t, kChunkSize> generations{};
    std::array<Slot, kChunkSize> slots;  // left uninitialised

    Chunk() {}  // NOLINT(modernize-use-equals-default): that would zero the slots
    Chunk(const Chunk&) = delete;
    Chunk& operator=(const Chunk&) = delete;
    ~Chunk() {
      for (std::uint64_t left = used; left != 0; left &= left - 1)
        std::destroy_at(object(static_cast<std::uint32_t>(std::countr_zero(left))));
    }

    bool is_used(std::uint32_t at) const { return (used >> at & 1) != 0; }
    T* object(std::uint32_t at) { return std::launder(reinterpret_cast<T*>(slots[at].octets)); }
    const T* object(std::uint32_t at) const {
      return std::launder(reinterpret_cast<const T*>(slots[at].octets));
    }
    std::uint32_t link(std::uint32_t at) const {
      std::uint32_t next;
      std::memcpy(&next, slots[at].octets, sizeof next);
      return next;
    }
    void set_link(std::uint32_t at, std::uint32_t next) {
      std::memcpy(slots[at].octets, &next, sizeof next);
    }
    template <class... Args>
    void construct(std::uint32_t at, Args&&... args) {
      ::new (static_cast<void*>(slots[at].octets)) T(std::forward<Args>(args)...);
      used |= std::uint64_t{1} << at;
    }

    bool same(const Chunk& other, std::uint32_t at) const {
      if (generations[at] != other.generations[at] || is_used(at) != other.is_used(at))
        return false;
      return is_used(at) ? *object(at) == *other.object(at) : link(at) == other.link(at);
    }

    /// A copy of the first `touched` slots; the rest was never written.
    std::unique_ptr<Chunk> copy(std::uint32_t touched) const {
      auto made = std::make_unique<Chunk>();
      made->generations = generations;
      for (std::uint32_t at = 0; at < touched; ++at) {
        if (is_used(at))
          made->construct(at, *object(at));
        else
          made->set_link(at, link(at));
      }
      return made;
    }
  };

  // How many slots of the chunk about to be appended to `slab.chunks_` were ever in use.
  static std::uint32_t slots_in(const Slab& slab) {
    const auto before = static_cast<std::uint32_t>(slab.chunks_.size()) * kChunkSize;
    return slab.touched_ - before < kChunkSize ? slab.touched_ - before : kChunkSize;
  }

  Chunk& chunk_of(std::uint32_t index) { return *chunks_[index / kChunkSize]; }
  const Chunk& chunk_of(std::uint32_t index) const { return *chunks_[index / kChunkSize]; }

  template <class... Args>
  std::uint32_t emplace_new(Args&&... args) {
    ensure(touched_ < kNone);
    if (touched_ == capacity()) chunks_.push_back(std::make_unique<Chunk>());
    const std::uint32_t index = touched_;
    chunk_of(index).construct(index % kChunkSize, std::forward<Args>(args)...);
    ++touched_;
    ++size_;
    return index;
  }

  template <class... Args>
  std::uint32_t emplace_again(Args&&... args) {
    const std::uint32_t index = free_;
    const std::uint32_t at = index % kChunkSize;
    Chunk& chunk = chunk_of(index);
    const std::uint32_t next = chunk.link(at);
    try {
      chunk.construct(at, std::forward<Args>(args)...);
    } catch (...) {
      chunk.set_link(at, next);  // half an object may have been written over it
      throw;
    }
    free_ = next;
    ++size_;
    return index;
  }

  template <class Self, class F>
  static void visit(Self& self, F& f) {
    for (std::size_t i = 0; i < self.chunks_.size(); ++i) {
      auto& chunk = *self.chunks_[i];
      for (std::uint64_t left = chunk.used; left != 0; left &= left - 1) {
        const auto at = static_cast<std::uint32_t>(std::countr_zero(left));
        if (chunk.is_used(at)) visit_one(f, static_cast<std::uint32_t>(i) * kChunkSize + at, chunk);
      }
    }
  }
  template <class F, class AnyChunk>
  static void visit_one(F& f, std::uint32_t index, AnyChunk& chunk) {
    auto& object = *chunk.object(index % kChunkSize);
    f(index, object);
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::uint32_t size_ = 0;
  std::uint32_t touched_ = 0;  // slots below this were in use at least once
  std::uint32_t free_ = kNone;
};

}  // namespace estab::base
