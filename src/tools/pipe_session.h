// One connection between standard input and standard output, as netcat has it: the end of input is
// our FIN, the peer's FIN ends the output, and the session is over when both have come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "estab/host.h"

#include "tools/interrupts.h"
#include "tools/output.h"

namespace estab::tools {

struct PipeTotals {
  std::uint64_t received_octets = 0, sent_octets = 0;
};

class PipeSession {
 public:
  /// How long Ctrl-C waits for the peer's FIN while octets still move.
  static constexpr Duration kGrace = std::chrono::seconds(3);

  PipeSession(Host& host, TcpStream stream) : host_(host), stream_(std::move(stream)) {}
  PipeSession(const PipeSession&) = delete;
  PipeSession& operator=(const PipeSession&) = delete;

  /// Runs the host until the session is over. The error says why it ended before its time; that it
  /// was stopped or aborted is none.
  std::expected<PipeTotals, std::string> run();

  /// Ends our direction now, and the session when the peer has ended its own or time is up.
  void stop();
  void abort();
  /// `received 1.50 KiB, sent 17 B`.
  std::string status() const;

 private:
  Task<> send_input();
  void end_output();
  Task<> receive();
  Task<> fall_quiet();
  void fail(std::string why);

  Host& host_;
  TcpStream stream_;
  Output output_ = Output::standard();
  PipeTotals totals_;
  std::optional<std::string> failure_;
  bool received_all_ = false;
  bool interrupted_ = false;
};

}  // namespace estab::tools
