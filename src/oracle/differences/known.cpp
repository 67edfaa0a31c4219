#include "oracle/differences/known.h"

#include <vector>

#include "oracle/differences/parts.h"

namespace estab::oracle {

KnownDifferences known_differences() {
  static const std::vector<KnownDifference> kClasses = [] {
    std::vector<KnownDifference> all;
    for (const auto part :
         {known_in_checks(), known_in_opening(), known_in_data(), known_in_calls()})
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
