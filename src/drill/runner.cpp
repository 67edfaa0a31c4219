#include "drill/runner.h"

#include <fmt/format.h>

#include "estab/ladder.h"

#include "drill/packet.h"
#include "drill/refusal.h"

namespace estab::drill {
namespace {

constexpr Duration kDefaultTolerance = std::chrono::milliseconds(4);

double seconds_of(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Runner::Runner(const Script& script, const DrillOptions& options)
    : script_(script),
      options_(options),
      connections_(setting_, options.peer_isn.value_or(0)),
      tolerance_(options.tolerance.value_or(kDefaultTolerance)) {}

void Runner::run() {
  read_options();
  choose_profile();
  if (dry_run_) return;
  run_setup();
  for (const ScriptEvent& event : script_.events) {
    line_ = event.line;
    run_event(event);
  }
  await_blocked();
}

void Runner::run_event(const ScriptEvent& event) {
  if (options_.log == DrillOptions::Log::on) log_.push_back(event.source);
  if (const auto* packet = std::get_if<PacketSpec>(&event.action)) {
    if (!packet->beyond.empty()) refuse(packet->beyond + " are not understood");
    if (packet->direction == Direction::out) return expect_packet(event, *packet);
    wait_until_due(event);
    send_packet(event, *packet);
  } else if (const auto* call = std::get_if<SystemCall>(&event.action)) {
    run_call(event, *call);
  } else if (const auto* command = std::get_if<Command>(&event.action)) {
    wait_until_due(event);
    run_command(command->text);
  } else {
    wait_until_due(event);
    run_code(std::get<Code>(event.action).text);
  }
}

Instant Runner::at(const EventTime& time, Duration offset) const {
  return (time.form == EventTime::Form::absolute ? World::kStart : previous_) + offset;
}

std::optional<Instant> Runner::due(const EventTime& time) const {
  if (time.form == EventTime::Form::any) return std::nullopt;
  return at(time, time.at);
}

void Runner::wait_until_due(const ScriptEvent& event) {
  const Instant now = world_ ? world_->now() : World::kStart;
  const auto when = due(event.time);
  if (when && *when > now) world().pass_until(*when);
  const Instant happened = world_ ? world_->now() : World::kStart;
  check_time(event.time, happened, "it happens");
  remember_time(event.time, happened);
}

void Runner::check_time(const EventTime& time, Instant happened, const char* what) const {
  const auto from = due(time);
  if (!from) return;
  const Instant until = time.until ? at(time, *time.until) : *from;
  if (happened >= *from - tolerance_ && happened <= until + tolerance_) return;
  std::string expected = moment(*from);
  if (time.until) expected += " to " + moment(until);
  throw Mismatch{fmt::format("{} at {}, expected at {} (tolerance {:.3f} s)", what,
                             moment(happened), expected, seconds_of(tolerance_))};
}

// What follows a time that is a range, or open, is counted from when it happened.
void Runner::remember_time(const EventTime& time, Instant happened) {
  const bool is_open = time.form == EventTime::Form::any || time.until;
  previous_ = is_open ? happened : *due(time);
}

std::string Runner::moment(Instant when) const {
  return fmt::format("{:.6f} s", seconds_of(when - World::kStart));
}

void Runner::note(const std::string& text) {
  const std::string line = line_ > 0 ? fmt::format("line {}: {}", line_, text) : text;
  notes_.push_back(line);
}

std::string Runner::ladder() const {
  if (!world_) return {};
  LadderOptions options;
  options.unobserved_name = "script";
  options.wording = Wording::hidden;
  auto& connections = const_cast<Connections&>(connections_);
  if (TestSocket* socket = connections.under_test(); socket != nullptr && socket->has_tuple)
    options.flow = socket->flow.tuple;
  return render_ladder(world_->recording(), options);
}

}  // namespace estab::drill
