// BufferGrowth: by how much a buffer has grown beyond what it began with (estab::BufferSize).
//
// Law: what it has grown by was taken from the stack's budget, and goes back there: when the
// connection has been quiet, when its settings say so, and when it ends. Where the budget is used
// up a buffer stays as it is, and StackCounters::buffer_growth_refused counts it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "estab/config.h"

#include "tcp/connection/context.h"

namespace estab::tcp {

class BufferGrowth {
 public:
  /// The octets the buffer holds at most.
  std::uint32_t size(const BufferSize& buffer) const { return buffer.initial + octets_; }

  /// Makes room for so many octets, as far as the buffer's own limit and the budget allow.
  void grow_to(const Context& context, const BufferSize& buffer, std::uint64_t octets) {
    octets = std::min<std::uint64_t>(octets, buffer.most);
    if (octets <= size(buffer)) return;
    const auto wanted = static_cast<std::uint32_t>(octets - size(buffer));
    const std::uint32_t given = context.buffers.take(wanted, context.config.limits.buffer_growth);
    if (given < wanted) ++context.counters.buffer_growth_refused;
    octets_ += given;
  }
  /// Gives back what is beyond so many octets.
  void shrink_to(BufferBudget& budget, const BufferSize& buffer, std::uint64_t octets) {
    const std::uint64_t kept = octets - std::min<std::uint64_t>(octets, buffer.initial);
    if (kept >= octets_) return;
    budget.give(octets_ - static_cast<std::uint32_t>(kept));
    octets_ = static_cast<std::uint32_t>(kept);
  }
  void give_back(BufferBudget& budget) {
    budget.give(octets_);
    octets_ = 0;
  }

  friend bool operator==(const BufferGrowth&, const BufferGrowth&) = default;
  void hash_into(auto& hasher) const { hasher.add(octets_); }

 private:
  std::uint32_t octets_ = 0;
};

}  // namespace estab::tcp
