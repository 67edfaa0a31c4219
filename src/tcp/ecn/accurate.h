// AccECN of one connection (RFC 9768), once its SYNs have agreed on it: both roles an end has.
#pragma once

#include "tcp/ecn/feedback.h"
#include "tcp/ecn/reflector.h"

namespace estab::tcp {

struct AccurateEcn {
  explicit AccurateEcn(const AccurateOpening& opening)
      : reflector(opening.syn_ack), feedback(opening) {}

  Reflector reflector;  ///< of what the peer sends
  Feedback feedback;    ///< on what this end sends

  friend bool operator==(const AccurateEcn&, const AccurateEcn&) = default;
  void hash_into(auto& hasher) const {
    const auto& [counts, follows] = *this;
    hasher.add_all(counts, follows);
  }
};

}  // namespace estab::tcp
