// Ladder: one connection drawn as a sequence diagram of two ends, with the state of each, an arrow
// for every segment, and in words why the segment was sent and what it means.
//
//   time       client                                                 server
//       0 ms   CLOSED      │                                        │ LISTEN
//       0 ms   SYN-SENT    ├── S 0:0(0) win 65535 ─────────────────→│ SYN-RECEIVED
//                          │   SYN: client opens. Its first octet   │
//                          │   will be number 1 ...                 │
//
// Numbers are relative to each side's initial sequence number: SYN is 0, the first octet 1. Every
// word follows from what was recorded; an end that was not observed (a kernel, say) has its states
// worked out from the segments it sent and got.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/address.h"
#include "estab/recorder.h"
#include "estab/segment.h"
#include "estab/state.h"
#include "estab/time.h"
#include "estab/trace.h"

namespace estab {

enum class LadderSide : std::uint8_t { left, right };
constexpr LadderSide other(LadderSide side) {
  return side == LadderSide::left ? LadderSide::right : LadderSide::left;
}
constexpr std::size_t index_of(LadderSide side) {
  return static_cast<std::size_t>(side);
}

enum class Glyphs : std::uint8_t { unicode, ascii };
enum class Paint : std::uint8_t { plain, ansi };
enum class Wording : std::uint8_t { shown, hidden };

struct LadderOptions {
  /// The connection to draw, seen from the end that stands on the left. Without it: the first one
  /// recorded, with the end that opened it on the left.
  std::optional<FourTuple> flow{};
  std::string unobserved_name = "peer";  ///< what to call an end nobody observed
  std::uint16_t width = 100;             ///< columns, brought into 80..140
  Glyphs glyphs = Glyphs::unicode;
  Paint paint = Paint::plain;
  Wording wording = Wording::shown;
  /// What happens before this is drawn without words, as it is known or beside the point.
  std::optional<Instant> brief_before{};
  std::optional<Duration> msl{};  ///< named where TIME-WAIT is explained
  std::string msl_remark{};       ///< said after it, as in "shortened for this demonstration"
};

/// What became of a segment.
enum class Fate : std::uint8_t {
  arrived,
  lost,
  under_way,  ///< still on its way when the recording ends
  copied,     ///< a second copy of one that had arrived: somebody on the way made it
};
std::string_view name(Fate fate);

/// One segment, or one moment in which something else happened at an end.
struct LadderEvent {
  enum class Kind : std::uint8_t { segment, moment };

  Kind kind = Kind::segment;
  LadderSide from = LadderSide::left;  ///< who sent it; of a moment, whose it is
  Instant departed{};                  ///< of a moment, when; of a copy, when it arrived
  std::optional<Instant> arrived{};    ///< the departure's time if only one end was observed
  Fate fate = Fate::arrived;
  /// Other things happened at the receiving end, or another segment passed it, while it was on its
  /// way: it is drawn in two halves.
  bool slanted = false;
  std::int64_t departure_order = 0, arrival_order = 0;

  Segment segment{};  ///< numbers as on the wire; without the payload
  std::uint32_t payload_length = 0;
  std::uint32_t seq = 0, ack = 0;  ///< relative
  std::string notation{};          ///< the whole segment in the notation, numbers relative
  std::string label{};             ///< the same without options
  std::string options{};           ///< its options, `<...>`, without timestamps unless it is a SYN
  std::optional<SendReason> reason{};
  std::optional<Verdict> verdict{};

  State sender_before{}, sender_after{};
  State receiver_before{}, receiver_after{};
  std::array<State, 2> states{};  ///< left and right, once it has arrived (or never will)

  std::string text{};        ///< why it was sent, what it means
  std::string on_arrival{};  ///< what the receiver makes of it, where that needs saying
  std::string rfc{};         ///< the rule, as in "RFC 9293 §3.5"
};

struct LadderEnd {
  std::string name;
  Endpoint endpoint{};
  bool observed = false;
  State first{}, last{};
  std::optional<SeqNum> isn{};
};

struct Ladder {
  std::array<LadderEnd, 2> ends{};
  Instant start{};
  std::optional<Duration> transit{};  ///< the usual time from end to end, if both were observed
  std::vector<LadderEvent> events{};  ///< by departure
  std::uint64_t left_out = 0;         ///< recorded events beyond the recorder's limits
};

/// Nothing if the recording holds no segment of that connection.
std::optional<Ladder> make_ladder(const Recording& recording, const LadderOptions& options = {});

/// The drawing: lines, each ended by a newline.
std::string render_ladder(const Ladder& ladder, const LadderOptions& options = {});
std::string render_ladder(const Recording& recording, const LadderOptions& options = {});

/// The same facts as one JSON object, {"schema":"estab.ladder/1","ends":[...],"events":[...]}.
std::string ladder_json(const Ladder& ladder);
std::string ladder_json(const Recording& recording, const LadderOptions& options = {});

}  // namespace estab
