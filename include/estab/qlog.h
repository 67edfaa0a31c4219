// QlogWriter: what observers of one or several stacks are told, as a qlog trace: a JSON text
// sequence (RFC 7464) of one header and then one record an event, written as it happens.
// docs/trace.md has the schema; qvis and other readers of qlog open the file.
//
//   estab::QlogWriter qlog([&](estab::Octets octets) { file.write(octets); });
//   stack.set_observer(&qlog.add_end("client"));
//
// As an observer it is called within the stack's work: not from two threads at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/pcap_writer.h"
#include "estab/recorder.h"
#include "estab/trace.h"

namespace estab {

struct QlogOptions {
  std::string_view title = "estab";
  /// Added to every Instant, the time since 1970. Nothing: the clock is a virtual one, and times
  /// count from its epoch.
  std::optional<Duration> wall_clock_offset{};
};

class QlogWriter {
 public:
  /// Writes the header at once.
  explicit QlogWriter(OctetSink sink, const QlogOptions& options = {});
  ~QlogWriter();
  QlogWriter(const QlogWriter&) = delete;
  QlogWriter& operator=(const QlogWriter&) = delete;

  /// The observer for one more end, whose name its records carry. It lives as long as the writer.
  Observer& add_end(std::string name);
  /// All of a recording, its remarks included, each end under its name.
  void write(const Recording& recording);

 private:
  class End;
  OctetSink sink_;
  std::optional<Duration> wall_clock_offset_;
  std::vector<std::unique_ptr<End>> ends_;
};

}  // namespace estab
