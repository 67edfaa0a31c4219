// Recorder: keeps what observers of one or several stacks are told, so that it can be looked at
// afterwards (see ladder.h). It owns copies of everything, payload included, and is bounded: what
// comes after a limit is counted and not kept.
//
//   estab::Recorder recorder;
//   client.set_observer(&recorder.add_end("client"));
//   server.set_observer(&recorder.add_end("server"));
//   ... run ...
//   std::string picture = estab::render_ladder(recorder.recording());
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "estab/time.h"
#include "estab/trace.h"

namespace estab {

/// A remark of whoever runs the recording, as in "the server stops reading".
struct Note {
  std::string text;
};

/// One thing that happened at one end.
struct Record {
  Instant when;
  std::size_t end = 0;  ///< index into Recording::ends
  std::variant<TraceEvent, Note> what;
  std::vector<std::uint8_t> kept{};  ///< what the views in the event point to

  Record() = default;
  Record(Record&&) = default;
  Record& operator=(Record&&) = default;
};

/// What was recorded, in the order it happened.
struct Recording {
  std::vector<std::string> ends;  ///< their names
  std::vector<Record> records;
  std::uint64_t left_out = 0;  ///< events that came after a limit was reached
};

struct RecorderLimits {
  std::size_t records = 1 << 16;
  std::size_t octets = 16 << 20;  ///< of payload and dropped frames, all records together
};

class Recorder {
 public:
  explicit Recorder(const RecorderLimits& limits = {});
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// The observer for one more end. It lives as long as the recorder.
  Observer& add_end(std::string name);
  /// Adds a remark at that moment, to the end of that index.
  void note(Instant now, std::size_t end, std::string text);
  /// Forgets the records, not the ends.
  void clear();
  const Recording& recording() const { return recording_; }

 private:
  class End;
  void keep(Instant now, std::size_t end, const TraceEvent& event);
  bool has_room(std::size_t octets);

  RecorderLimits limits_;
  std::size_t octets_ = 0;
  Recording recording_;
  std::vector<std::unique_ptr<End>> ends_;
};

}  // namespace estab
