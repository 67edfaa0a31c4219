// SourceCounts: how many things each address has made this stack hold. Law: an address stands here
// as long as its count is not zero, so the memory is bounded by what is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "estab/address.h"

#include "base/flat_index.h"
#include "base/slab.h"

namespace estab::ip {

class SourceCounts {
 public:
  /// `hash`, here and below, is that of the address, keyed with a secret.
  std::uint32_t of(std::uint64_t hash, const IpAddress& address) const {
    const auto at = find(hash, address);
    return at ? sources_[*at].count : 0;
  }
  std::size_t total() const { return total_; }

  /// The next add() needs no memory, and so cannot fail.
  void make_room() {
    sources_.make_room();
    index_.make_room();
  }
  void add(std::uint64_t hash, const IpAddress& address) {
    if (const auto at = find(hash, address)) {
      ++sources_[*at].count;
    } else {
      make_room();
      index_.insert(hash, sources_.emplace(Source{address, 1}));
    }
    ++total_;
  }
  void remove(std::uint64_t hash, const IpAddress& address) {
    const auto at = find(hash, address);
    if (!at) return;
    --total_;
    if (--sources_[*at].count > 0) return;
    index_.erase(hash, *at);
    sources_.erase(*at);
  }

  std::size_t memory() const { return sources_.memory() + index_.memory(); }

 private:
  struct Source {
    IpAddress address;
    std::uint32_t count;
  };

  std::optional<std::uint32_t> find(std::uint64_t hash, const IpAddress& address) const {
    return index_.find(hash, [&](std::uint32_t at) { return sources_[at].address == address; });
  }

  base::Slab<Source> sources_;
  base::FlatIndex index_;
  std::size_t total_ = 0;
};

}  // namespace estab::ip
