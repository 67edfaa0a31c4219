// Runner: one script from its first event to its last, or to the first that does not happen as it
// says. Time, the stack and the account of connections are its parts' (world.h, connections.h).
#pragma once

#include <memory>
#include <optional>

#include "drill/calls.h"
#include "drill/connections.h"
#include "drill/drill.h"
#include "drill/script.h"
#include "drill/world.h"

namespace estab::drill {

/// Something did not happen as the script says. Thrown inside the runner.
struct Mismatch {
  std::string what;
  std::string expected{}, actual{};  ///< in the script's notation, where there is one
};

class Runner {
 public:
  Runner(const Script& script, const DrillOptions& options);

  /// Runs every event. Throws a Mismatch or a Refusal.
  void run();

  /// The event under way.
  int line() const { return line_; }
  /// The ladder so far; empty if nothing has been sent or received.
  std::string ladder() const;
  /// Null if no event needed a stack.
  const Recording* recording() const { return world_ ? &world_->recording() : nullptr; }
  const std::vector<std::string>& notes() const { return notes_; }
  const std::vector<std::string>& log() const { return log_; }

 private:
  // ---- setting up (runner_setup.cpp)
  void read_options();
  void set_option(const std::string& name, const std::string& value);
  void choose_profile();
  void run_setup();
  /// The world, made at the first event that needs it: what came before are its settings.
  World& world();

  // ---- time (runner.cpp)
  void run_event(const ScriptEvent& event);
  /// When the event is due, counted from the beginning or the event before; nothing: any time.
  std::optional<Instant> due(const EventTime& time) const;
  Instant at(const EventTime& time, Duration offset) const;
  void wait_until_due(const ScriptEvent& event);
  void check_time(const EventTime& time, Instant happened, const char* what) const;
  void remember_time(const EventTime& time, Instant happened);
  std::string moment(Instant when) const;
  void note(const std::string& text);

  // ---- system calls (runner_calls.cpp)
  struct BlockedCall {
    const ScriptEvent* event;
    const SystemCall* call;
    ReadyCall ready;
    Instant must_end;
    std::optional<posix::Outcome> outcome{};
    Instant ended{};
  };
  void run_call(const ScriptEvent& event, const SystemCall& call);
  void run_blocking_call(const posix::Outcome& first);
  posix::Outcome finish_now(ReadyCall& ready, posix::Outcome outcome);
  Instant retry_blocked();
  /// A blocked call must have ended before the next call and before the end of the script.
  void await_blocked();
  void check_blocked();
  void check_result(const SystemCall& call, const ReadyCall& ready, const posix::Outcome& outcome);

  // ---- packets (runner_packets.cpp)
  void send_packet(const ScriptEvent& event, PacketSpec packet);
  void expect_packet(const ScriptEvent& event, const PacketSpec& packet);
  enum class Kind : std::uint8_t { of_the_flow, or_icmp };
  static Kind kind_of(const PacketSpec& packet);
  struct Seen {
    PacketSpec packet;
    Instant when;
  };
  std::optional<Seen> next_packet(TestSocket& socket, Kind wanted, Instant limit);
  std::optional<Seen> peek_packet(TestSocket& socket, Kind wanted);
  void join_burst(TestSocket& socket, const PacketSpec& expected, Seen& seen, Instant limit);
  [[noreturn]] void report_silence(TestSocket& socket, const PacketSpec& expected, Instant limit);
  PacketSpec translate(TestSocket& socket, const PacketSpec& expected, PacketSpec sent);
  void translate_timestamps(Flow& flow, const TcpSpec& expected, TcpSpec& sent) const;
  IcmpSpec resolve(IcmpSpec icmp) const;
  Family family() const { return setting_.local.address.family(); }

  // ---- commands and code (runner_commands.cpp)
  void run_command(const std::string& text);
  void apply(const std::string& name, const std::string& value);
  void run_code(const std::string& text);

  const Script& script_;
  const DrillOptions& options_;
  CallSetting setting_;
  Connections connections_;
  WorldConfig config_;
  std::unique_ptr<World> world_;
  Duration tolerance_;
  std::uint32_t timestamp_tick_us_ = 0;  // 0: values are not compared
  bool dry_run_ = false;
  int line_ = 0;
  Instant previous_ = World::kStart;  // when the last event was due
  std::unique_ptr<BlockedCall> blocked_;
  std::vector<std::string> notes_, log_;
};

}  // namespace estab::drill
