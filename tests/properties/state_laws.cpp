#include "properties/state_laws.h"

#include <algorithm>
#include <array>
#include <variant>

namespace estab::properties {

namespace {

// RFC 9293 figure 5 and its three notes; CLOSED may be reached from anywhere by RST, abort,
// timeout.
constexpr std::pair<State, State> kFigure5[] = {
    {State::closed, State::listen},           {State::closed, State::syn_sent},
    {State::listen, State::syn_received},     {State::listen, State::syn_sent},
    {State::syn_sent, State::syn_received},   {State::syn_sent, State::established},
    {State::syn_received, State::listen},     {State::syn_received, State::established},
    {State::syn_received, State::fin_wait_1}, {State::established, State::fin_wait_1},
    {State::established, State::close_wait},  {State::fin_wait_1, State::fin_wait_2},
    {State::fin_wait_1, State::closing},      {State::fin_wait_1, State::time_wait},
    {State::fin_wait_2, State::time_wait},    {State::closing, State::time_wait},
    {State::close_wait, State::last_ack},     {State::time_wait, State::closed},
};

constexpr Duration kMostDelay = std::chrono::milliseconds(500);

bool is_drawn(State from, State to) {
  return to == State::closed ||
         std::ranges::find(kFigure5, std::pair(from, to)) != std::end(kFigure5);
}

}  // namespace

void StateLaws::complain(const std::string& what) {
  if (complaint_.empty()) complaint_ = what;
}

void StateLaws::on_trace(Instant now, const TraceEvent& event) {
  if (const auto* change = std::get_if<StateChanged>(&event)) on_change(*change);
  if (const auto* received = std::get_if<SegmentReceived>(&event)) on_received(now, *received);
  if (const auto* sent = std::get_if<SegmentSent>(&event))
    if (sent->segment.flags.ack()) of(sent->flow).owes_since.reset();
  for (const auto& [ports, connection] : connections_)
    if (connection.owes_since && now - *connection.owes_since > kMostDelay)
      complain("no acknowledgement on port " + std::to_string(ports.first));
}

void StateLaws::on_change(const StateChanged& change) {
  ++changes_;
  const std::string arrow = std::string(name(change.from)) + " to " + std::string(name(change.to));
  if (!is_drawn(change.from, change.to)) complain("figure 5 has no arrow from " + arrow);
  Connection& connection = of(change.flow);
  // LISTEN is no state of a connection, and so is nobody's before the first SYN.
  const bool begins = change.from == State::listen && connection.state == State::closed;
  if (connection.state != change.from && !begins)
    complain(arrow + ", but it was in " + std::string(name(connection.state)));
  connection.state = change.to == State::listen ? State::closed : change.to;
  if (connection.state == State::closed) connection.owes_since.reset();
}

void StateLaws::on_received(Instant now, const SegmentReceived& received) {
  const Segment& segment = received.segment;
  if (!is_synchronized(received.after) || segment.flags.rst() || segment.flags.syn()) return;
  if (segment.payload.empty() && !segment.flags.fin()) return;
  Connection& connection = of(received.flow);
  if (connection.state == State::closed) return;
  switch (received.verdict) {
    case Verdict::ack_unacceptable:  // dropped before its text was looked at
    case Verdict::no_ack_bit:
    case Verdict::missing_timestamp:
      return;
    default:
      if (!connection.owes_since) connection.owes_since = now;
  }
}

}  // namespace estab::properties
