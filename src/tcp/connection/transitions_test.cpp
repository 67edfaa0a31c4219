// The table of arrows against RFC 9293 figure 5, state by state.
#include "tcp/connection/transitions.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

using enum State;

TEST(Transitions, AreThoseOfFigure5AndTheFallToClosed) {
  const std::map<State, std::set<State>> figure = {
      {closed, {listen, syn_sent}},
      {listen, {syn_received, syn_sent, closed}},
      {syn_sent, {syn_received, established, closed}},
      {syn_received, {established, fin_wait_1, listen, closed}},
      {established, {fin_wait_1, close_wait, closed}},
      {fin_wait_1, {fin_wait_2, closing, time_wait, closed}},
      {fin_wait_2, {time_wait, closed}},
      {close_wait, {last_ack, closed}},
      {closing, {time_wait, closed}},
      {last_ack, {closed}},
      {time_wait, {closed}}};
  for (int from = 0; from <= static_cast<int>(time_wait); ++from)
    for (int to = 0; to <= static_cast<int>(time_wait); ++to)
      EXPECT_EQ(is_arrow(State(from), State(to)), figure.at(State(from)).contains(State(to)))
          << name(State(from)) << " -> " << name(State(to));
}

TEST(Transitions, ReachEveryStateFromClosedAndLeadBackThere) {
  for (int i = 0; i <= static_cast<int>(time_wait); ++i) {
    std::set<State> reached = {State(i)};
    for (std::size_t before = 0; before != reached.size();) {
      before = reached.size();
      for (const Arrow& arrow : kArrows)
        if (reached.contains(arrow.from)) reached.insert(arrow.to);
    }
    EXPECT_TRUE(State(i) == listen || reached.contains(closed)) << name(State(i));
    if (State(i) == closed) {
      EXPECT_EQ(reached.size(), 11u);
    }
  }
}

}  // namespace
}  // namespace estab::tcp
