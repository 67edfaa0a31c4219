// Host: one side at work: its stack and the application on it. Whatever is done to it is done to
// the end: events are taken and everything that is to be sent goes out at once, so that between
// two inputs nothing is left lying about; unless more of a burst is to come.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "estab/stack.h"

#include "model/application.h"
#include "model/bounds.h"
#include "model/segments.h"

namespace estab::model {

enum class Act : std::uint8_t {
  deliver,        ///< a segment arrives
  deliver_first,  ///< one arrives as the first of a burst: before it is answered more may come
  fire,           ///< the next timer that comes to anything fires
  pass,           ///< time passes, and nothing happens here
  settle,         ///< what a burst left to be answered is answered
  listen,
  stop_listening,
  connect,
  send,  ///< one octet
  read,  ///< everything there is
  shutdown,
  close,
  abort,
  wind_up,  ///< the fair end: reads, shuts down, closes once both directions have ended
  give_up,  ///< the unfair end: closes, whatever is still to come
  count_
};
std::string_view name(Act act);

struct Input {
  Act act = Act::pass;
  std::uint32_t argument = 0;  ///< of a segment that arrives, its number; of pass, milliseconds

  bool is_arrival() const { return act == Act::deliver || act == Act::deliver_first; }

  friend bool operator==(const Input&, const Input&) = default;
};

/// One side of the world at one moment.
struct HostState {
  Stack stack;
  Application application{};
  Instant now{};
  /// At this very time an ISN was drawn from the clock: another one would be the same.
  bool drew_isn = false;
  bool in_burst = false;  ///< what has arrived is still to be answered
};

/// What came of an input.
struct Outcome {
  std::vector<Frame> frames{};  ///< sent, in this order
  std::string complaint{};      ///< a law broken at this side alone
  Duration elapsed{};           ///< how long a timer had to be waited for
  bool nothing = false;         ///< no timer runs: the state is to be thrown away
};

class Host {
 public:
  Host(const Bounds& bounds, Side side) : bounds_(&bounds), side_(side) {}

  HostState make() const;
  /// What the application may do, as a bit for each Act.
  std::uint32_t enabled(const HostState& state) const;
  Outcome perform(HostState& state, Input input, Octets segment) const;
  std::uint64_t hash(const HostState& state) const;

  static FourTuple tuple(Side side);

 private:
  struct Work;  // a state on its way through an input
  void deliver(Work& work, Octets segment) const;
  void fire(Work& work) const;
  void command(Work& work, Act act) const;
  void listen(HostState& state) const;
  void connect(Work& work) const;
  void send(Work& work) const;
  void read(Work& work) const;
  void let_go(Work& work) const;
  void abort(Work& work) const;
  void wind_up(Work& work) const;
  void settle(Work& work) const;
  /// False if there was none.
  bool take_events(Work& work) const;
  void take_event(Work& work, const Event& event) const;
  void take_stream(Work& work, StreamId id) const;
  void finish(Work& work) const;
  void collect(Work& work) const;
  const Applications& may() const { return bounds_->of(side_); }

  const Bounds* bounds_;
  Side side_;
};

}  // namespace estab::model
