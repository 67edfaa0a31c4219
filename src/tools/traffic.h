// Connections that measure instead of carrying something: a sink takes and forgets, a source gives
// octets without end or a number of them, an echo gives back. Any number at a time.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include "estab/host.h"

namespace estab::tools {

enum class TrafficKind { sink, source, echo };

struct TrafficTotals {
  std::uint64_t connections = 0;
  std::uint64_t failed = 0;  ///< ended by an error instead of by both FINs
  std::uint64_t received_octets = 0, sent_octets = 0;
  std::optional<Error> last_error{};
  Instant first_began{}, last_ended{};
};

class Traffic {
 public:
  /// `source_octets`: how many a source gives before its FIN; nothing: no end.
  Traffic(Host& host, TrafficKind kind, std::optional<std::uint64_t> source_octets);
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  /// Takes every connection that comes. This object must outlive the host's tasks.
  void serve(TcpListener listener);
  /// Takes one connection.
  void take(TcpStream stream);
  /// Stops accepting and sending; what is idle then, or not over after `limit`, is aborted.
  void stop(Duration limit);
  void abort();

  const TrafficTotals& totals() const { return totals_; }
  /// `3 connections open of 12, received 1.50 KiB, sent 17 B`.
  std::string status() const;

 private:
  struct Flow {
    TcpStream stream;
    int tasks = 0;
    bool failed = false;
  };
  using Place = std::list<Flow>::iterator;

  Task<> accept_all();
  Task<> discard(Place place);
  Task<> produce(Place place);
  Task<> echo(Place place);
  Task<> abort_when_quiet(Duration limit);
  void spawn(Place place, Task<> task);
  void leave(Place place, Result<void> outcome);

  Host& host_;
  TrafficKind kind_;
  std::optional<std::uint64_t> source_octets_;
  TcpListener listener_;
  std::list<Flow> flows_;
  TrafficTotals totals_;
  bool stopping_ = false;
};

}  // namespace estab::tools
