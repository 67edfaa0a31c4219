// BufferBudget: what the buffers of a stack have grown by, all together. Law: never by more than
// StackLimits::buffer_growth. It is room that is granted, not memory: that is taken as octets come.
#pragma once

#include <algorithm>
#include <cstdint>

namespace estab::tcp {

class BufferBudget {
 public:
  std::uint64_t granted() const { return granted_; }
  /// As much of `wanted` as is left of `limit`.
  std::uint32_t take(std::uint32_t wanted, std::uint64_t limit) {
    const std::uint64_t left = limit - std::min(granted_, limit);
    const auto given = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, left));
    granted_ += given;
    return given;
  }
  void give(std::uint32_t octets) { granted_ -= octets; }

 private:
  std::uint64_t granted_ = 0;
};

}  // namespace estab::tcp
