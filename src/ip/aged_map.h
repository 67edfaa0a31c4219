// AgedMap: values found by their key, and in the order of their age. Law: everything but a walk is
// O(1); the oldest is always at hand, so that a table with a limit can let go of it and a deadline
// that is the same for all can be read off. Keys may come from the network, so they are hashed with
// a secret.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>

#include "estab/octets.h"

#include "base/ensure.h"
#include "base/flat_index.h"
#include "base/siphash.h"
#include "base/slab.h"

namespace estab::ip {

/// A key gives the octets that make it up, in an array of its own.
template <class Key>
concept OctetKey = std::equality_comparable<Key> && requires(const Key& key) {
  { key.key_octets() } -> std::convertible_to<Octets>;
};

template <OctetKey Key, class Value>
class AgedMap {
 public:
  explicit AgedMap(const base::SipKey& secret) : secret_(secret) {}

  std::size_t size() const { return nodes_.size(); }
  bool empty() const { return nodes_.empty(); }
  /// Octets of storage owned, beyond the object itself and what the values own.
  std::size_t memory() const { return nodes_.memory() + index_.memory(); }

  const Value* find(const Key& key) const {
    const auto at = locate(key);
    return at ? &nodes_[*at].value : nullptr;
  }
  Value* find(const Key& key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

  /// Adds a value as the newest. The key must not be there. The reference is good until the value
  /// is erased.
  Value& insert(const Key& key, Value value) {
    ensure_absent(key);
    index_.make_room();  // so that nothing is left half done if memory is short
    const std::uint32_t at = nodes_.emplace(Node{key, std::move(value)});
    index_.insert(hash(key), at);
    link(at);
    return nodes_[at].value;
  }
  /// Makes the value the newest. The key must be there.
  void touch(const Key& key) {
    const std::uint32_t at = require(key);
    unlink(at);
    link(at);
  }
  /// The key must be there.
  void erase(const Key& key) { remove(require(key)); }

  /// The map must not be empty.
  const Key& oldest_key() const { return nodes_[oldest_].key; }
  const Value& oldest() const { return nodes_[oldest_].value; }
  Value pop_oldest() {
    Value value = std::move(nodes_[oldest_].value);
    remove(oldest_);
    return value;
  }

  /// Erases every value for which f(key, value) is true.
  template <class F>
  void erase_if(F&& f) {
    for (std::uint32_t at = oldest_; at != kNone;) {
      const std::uint32_t next = nodes_[at].newer;
      if (f(std::as_const(nodes_[at].key), std::as_const(nodes_[at].value))) remove(at);
      at = next;
    }
  }

  /// Calls f(key, value) from the oldest to the newest.
  template <class F>
  void for_each(F&& f) const {
    for (std::uint32_t at = oldest_; at != kNone; at = nodes_[at].newer) {
      f(nodes_[at].key, nodes_[at].value);
    }
  }

  void hash_into(auto& hasher) const {
    hasher.add_all(secret_, size());
    for_each([&](const Key& key, const Value& value) { hasher.add_all(key, value); });
  }

  /// Equal keys and values of equal age; where they lie in memory makes no difference.
  friend bool operator==(const AgedMap& a, const AgedMap& b) {
    if (a.secret_ != b.secret_ || a.size() != b.size()) return false;
    std::uint32_t i = a.oldest_, j = b.oldest_;
    for (; i != kNone; i = a.nodes_[i].newer, j = b.nodes_[j].newer) {
      if (a.nodes_[i].key != b.nodes_[j].key || a.nodes_[i].value != b.nodes_[j].value)
        return false;
    }
    return true;
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;

  struct Node {
    Key key;
    Value value;
    std::uint32_t older = kNone, newer = kNone;
  };

  std::uint64_t hash(const Key& key) const { return base::siphash13(secret_, key.key_octets()); }

  std::optional<std::uint32_t> locate(const Key& key) const {
    if (nodes_.empty()) return std::nullopt;
    return index_.find(hash(key), [&](std::uint32_t at) { return nodes_[at].key == key; });
  }
  std::uint32_t require(const Key& key) const {
    const auto at = locate(key);
    base::ensure(at.has_value());
    return *at;
  }
  void ensure_absent(const Key& key) const { base::ensure(!locate(key)); }

  void link(std::uint32_t at) {
    nodes_[at].older = newest_;
    nodes_[at].newer = kNone;
    (newest_ == kNone ? oldest_ : nodes_[newest_].newer) = at;
    newest_ = at;
  }
  void unlink(std::uint32_t at) {
    const Node& node = nodes_[at];
    (node.older == kNone ? oldest_ : nodes_[node.older].newer) = node.newer;
    (node.newer == kNone ? newest_ : nodes_[node.newer].older) = node.older;
  }
  void remove(std::uint32_t at) {
    unlink(at);
    index_.erase(hash(nodes_[at].key), at);
    nodes_.erase(at);
  }

  base::SipKey secret_;
  base::Slab<Node> nodes_;
  base::FlatIndex index_;
  std::uint32_t oldest_ = kNone, newest_ = kNone;
};

}  // namespace estab::ip
