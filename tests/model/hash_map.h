// HashMap: from a 64-bit hash, or any other number, to a 32-bit number, for tens of millions of
// them: 12 octets each, and what open addressing leaves free. Nothing is ever taken out.
#pragma once

#include <cstdint>
#include <vector>

namespace estab::model {

class HashMap {
 public:
  struct Found {
    std::uint32_t& value;
    bool fresh;
  };
  /// The value under this hash; `value` is put there if there was none. Good until the next call.
  Found insert(std::uint64_t hash, std::uint32_t value) {
    if ((size_ + 1) * 4 > keys_.size() * 3) grow();
    if (hash == kNone) hash = 1;
    const std::size_t at = place(hash);
    const bool fresh = keys_[at] == kNone;
    if (fresh) {
      keys_[at] = hash;
      values_[at] = value;
      ++size_;
    }
    return {values_[at], fresh};
  }
  const std::uint32_t* find(std::uint64_t hash) const {
    if (keys_.empty()) return nullptr;
    const std::size_t at = place(hash == kNone ? 1 : hash);
    return keys_[at] == kNone ? nullptr : &values_[at];
  }
  std::size_t size() const { return size_; }
  std::size_t memory() const { return keys_.capacity() * 12; }

 private:
  static constexpr std::uint64_t kNone = 0;

  std::size_t place(std::uint64_t hash) const {
    const std::size_t mask = keys_.size() - 1;
    std::size_t at = (hash * 0x9e3779b97f4a7c15 >> 20) & mask;
    while (keys_[at] != kNone && keys_[at] != hash) at = (at + 1) & mask;
    return at;
  }
  void grow() {
    std::vector<std::uint64_t> keys(keys_.empty() ? 1024 : keys_.size() * 2);
    std::vector<std::uint32_t> values(keys.size());
    keys.swap(keys_);
    values.swap(values_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i] == kNone) continue;
      const std::size_t at = place(keys[i]);
      keys_[at] = keys[i];
      values_[at] = values[i];
    }
  }

  std::vector<std::uint64_t> keys_{};
  std::vector<std::uint32_t> values_{};
  std::size_t size_ = 0;
};

}  // namespace estab::model
