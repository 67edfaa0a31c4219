#include "oracle/settled.h"

#include <vector>

#include "oracle/settled_parts.h"

namespace estab::oracle {

SettledClasses settled_classes() {
  static const std::vector<Settled> kClasses = [] {
    std::vector<Settled> all;
    for (const auto part :
         {settled_in_checks(), settled_in_opening(), settled_in_data(), settled_in_calls()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return kClasses;
}

// The host has timestamps on if it put them into a segment that is no SYN, or into a SYN-ACK that
// answers one.
bool has_timestamps(const Difference& d) {
  for (std::size_t i = 0; i <= d.step; ++i)
    for (const SentSegment& sent : d.estab.answers[i].sent)
      if (sent.timestamp_echo && sent.flags.ack()) return true;
  return false;
}

}  // namespace estab::oracle
