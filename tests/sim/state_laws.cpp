#include "sim/state_laws.h"

#include <algorithm>
#include <array>
#include <variant>

namespace estab::sim {

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

bool is_drawn(State from, State to) {
  return to == State::closed ||
         std::ranges::find(kFigure5, std::pair(from, to)) != std::end(kFigure5);
}

}  // namespace

void StateLaws::complain(const std::string& what) {
  if (complaint_.empty()) complaint_ = what;
}

void StateLaws::on_trace(const TraceEvent& event) {
  if (const auto* change = std::get_if<StateChanged>(&event)) on_change(*change);
}

void StateLaws::on_change(const StateChanged& change) {
  ++changes_;
  const std::string arrow = std::string(name(change.from)) + " to " + std::string(name(change.to));
  if (!is_drawn(change.from, change.to)) complain("figure 5 has no arrow from " + arrow);
  const auto [entry, is_new] =
      states_.try_emplace({change.flow.local_port, change.flow.remote_port}, State::closed);
  // LISTEN is no state of a connection, and so is nobody's before the first SYN.
  const bool begins = change.from == State::listen && entry->second == State::closed;
  if (entry->second != change.from && !begins)
    complain(arrow + ", but it was in " + std::string(name(entry->second)));
  entry->second = change.to == State::listen ? State::closed : change.to;
}

}  // namespace estab::sim
