// Puts into words why a segment was sent and what it means. Every word follows from the facts:
// flags, numbers, states, and the reason the sending stack gave. Where no reason was observed (the
// other end is a kernel) only what the segment itself shows is said.
#pragma once

#include <string>
#include <vector>

#include "estab/time.h"

#include "trace/ladder_facts.h"

namespace estab::trace {

/// Sentences and the rules they rest on.
class Words {
 public:
  Words& say(const std::string& sentence);
  /// Cites a rule, as in "RFC 9293 §3.5 (MUST-13)"; repeating one has no effect.
  Words& by(const std::string& rule);
  const std::string& text() const { return text_; }
  std::string rules() const;

 private:
  std::string text_;
  std::vector<std::string> rules_;
};

/// What the receiver made of a segment.
struct ArrivalFacts {
  std::string sender{}, receiver{};
  Segment segment{};
  Fate fate = Fate::arrived;
  std::optional<Verdict> verdict{};
  State before{}, after{};
  std::uint32_t seq = 0;
  std::optional<Duration> took{}, usual{};
  std::optional<Duration> msl{};
  std::string msl_remark{};
};

Words explain_departure(const SegmentFacts& facts);
Words explain_arrival(const ArrivalFacts& facts);
/// Something that is not a segment. Nothing if it needs no line of its own.
std::optional<Words> explain_moment(const std::string& whose, const TraceEvent& event);

/// `10 ms`, `1.5 s`, `250 us`: at most three decimal places.
std::string duration_text(Duration duration);
/// `1 octet`, `5 octets`.
std::string octets_text(std::uint64_t count);
/// Why TIME-WAIT takes two MSL, and how long that is.
std::string two_msl_text(const std::string& whose, const std::optional<Duration>& msl,
                         const std::string& remark);

}  // namespace estab::trace
