#include "properties/run.h"

#include <algorithm>
#include <memory>
#include <sstream>
#include <vector>

#include "properties/watcher.h"
#include "properties/world.h"

namespace estab::properties {

namespace {

constexpr std::uint64_t kMaxSteps = 400'000;
constexpr Duration kMaxTime = std::chrono::hours(24 * 4);

/// A copy of the world, run to its end before the original took another step.
struct Copy {
  std::uint64_t taken_at;  // step
  World end;
};

class Run {
 public:
  Run(const Scenario& scenario, std::ostream* trace)
      : scenario_(scenario),
        world_(scenario),
        laws_(scenario),
        watchers_{Watcher(Side::a, scenario.world.start, trace),
                  Watcher(Side::b, scenario.world.start, trace)} {}

  Report go();

 private:
  void attach();
  void idle_memory();
  bool step();
  void copy_if_due();
  void check_now();
  void check_urgent(const Application& mine, const Application& theirs, const Stack& stack);
  void check_counts(const Application& mine, const Application& theirs, const Stack& my_stack,
                    const Stack& their_stack);
  void check_ends();
  void check_application(std::size_t i);
  void check_nothing_left(Side side);
  void check_copies();
  void collect();
  void complain(const std::string& what);
  bool good() const { return report_.complaint.empty(); }

  const Scenario& scenario_;
  World world_;
  WireLaws laws_;
  std::array<Watcher, 2> watchers_;
  std::array<std::size_t, 2> idle_{};
  std::vector<Copy> copies_{};
  Report report_{};
};

void Run::complain(const std::string& what) {
  if (good()) report_.complaint = what;
}

void Run::attach() {
  Simulation& simulation = world_.simulation();
  for (const Side side : {Side::a, Side::b}) {
    simulation.link().set_tap(side, &laws_.tap(side));
    simulation.stack(side).set_observer(&watchers_[static_cast<std::size_t>(side)]);
  }
}

/// Of a stack that has everything but connections. Copying leaves the free pools behind.
std::size_t memory_in_use(const Stack& stack) {
  return Stack(stack).memory();
}

/// One step of a world: the applications' turn, then the wire's or the clock's. False at its end.
bool step_once(World& world) {
  world.act();
  if (world.done() || !world.complaint().empty()) return false;
  // The last timer of all may have had something to tell.
  return world.advance() || world.act();
}

/// After the applications: what is still under way arrives, what still waits runs out.
void run_out(World& world, std::uint64_t most_steps) {
  world.stop_listening();
  for (std::uint64_t i = 0; i < most_steps && world.simulation().step(); ++i) world.act();
}

Report Run::go() {
  idle_ = {memory_in_use(world_.simulation().a()), memory_in_use(world_.simulation().b())};
  attach();
  const Instant limit = scenario_.world.start + kMaxTime;
  while (good() && step()) {
    if (++report_.steps > kMaxSteps || world_.simulation().now() > limit)
      complain("it does not come to an end");
  }
  if (good()) {
    run_out(world_, kMaxSteps);
    check_now();
    check_copies();  // they share what applications have lent: first they go
    check_ends();
  }
  collect();
  return report_;
}

bool Run::step() {
  copy_if_due();
  const bool more = step_once(world_);
  check_now();
  return more;
}

void Run::copy_if_due() {
  const auto& due = scenario_.copies_at;
  if (copies_.size() == due.size() || report_.steps < due[copies_.size()]) return;
  const Simulation before = world_.simulation();
  World copy = world_;
  if (!(copy.simulation() == before)) complain("a copy that is not equal");
  for (std::uint64_t i = 0; i < kMaxSteps && step_once(copy); ++i) {
  }
  run_out(copy, kMaxSteps);
  if (!(world_.simulation() == before)) complain("what a copy did changed the original");
  for (const Side side : {Side::a, Side::b})
    if (world_.simulation().stack(side).hash() != before.stack(side).hash())
      complain("what a copy did changed the original's hash");
  copies_.push_back({report_.steps, std::move(copy)});
}

void Run::check_copies() {
  for (const Copy& copy : copies_) {
    const Simulation& there = copy.end.simulation();
    const Simulation& here = world_.simulation();
    const std::string which = "the copy taken at step " + std::to_string(copy.taken_at);
    if (there.now() != here.now()) complain(which + " ended at another time");
    for (const Side side : {Side::a, Side::b}) {
      const std::string who = side == Side::a ? " has another a" : " has another b";
      if (!(there.stack(side) == here.stack(side))) complain(which + who);
      if (there.stack(side).hash() != here.stack(side).hash())
        complain(which + who + ", by its hash");
    }
    if (!(there == here)) complain(which + " has another link");
  }
  report_.copies += copies_.size();
  copies_.clear();
}

// ---- at every step

void Run::check_now() {
  if (!laws_.complaint().empty()) complain(laws_.complaint());
  for (std::size_t side = 0; side < 2; ++side)
    if (const std::string& what = watchers_[side].states().complaint(); !what.empty())
      complain((side == 0 ? "a, " : "b, ") + what);
  if (const std::string what = world_.complaint(); !what.empty()) complain(what);
  const auto& a = world_.host(Side::a).applications();
  const auto& b = world_.host(Side::b).applications();
  const Simulation& simulation = world_.simulation();
  for (std::size_t i = 0; i < a.size(); ++i) {
    check_counts(a[i], b[i], simulation.stack(Side::a), simulation.stack(Side::b));
    check_counts(b[i], a[i], simulation.stack(Side::b), simulation.stack(Side::a));
  }
}

/// An urgent mark is where the peer set one; of one too far away for the 16 bits it has, a nearer
/// one is told.
void Run::check_urgent(const Application& mine, const Application& theirs, const Stack& stack) {
  const auto mark = stack.urgent(mine.stream());
  if (!mark || mark->octets_before_end == 0 || !stack.config().tcp.urgent_inline) return;
  ++report_.urgent_marks;
  const std::uint64_t at = mine.read() + mark->octets_before_end;
  const auto& marks = theirs.urgent_marks();
  if (std::ranges::binary_search(marks, at)) return;
  if (marks.empty() || at > marks.back()) return complain("urgent octets beyond every mark");
  if (at < 0xffff) complain("an urgent mark nobody set, at " + std::to_string(at));
}

/// Octets neither appear nor vanish between the application, the queues and the peer.
void Run::check_counts(const Application& mine, const Application& theirs, const Stack& my_stack,
                       const Stack& their_stack) {
  const auto info = my_stack.info(mine.stream());
  if (!mine.has_stream() || mine.done() || !info || info->state < State::established) return;
  const std::uint64_t acked = info->bytes_acked;
  const std::uint64_t queued = std::uint64_t{info->unacked_bytes} + info->notsent_bytes;
  const bool fin_out = info->state != State::established && info->state != State::close_wait;
  const bool over = info->state == State::closed || info->state == State::time_wait;
  // A FIN in flight counts among what is not acknowledged.
  if (!over && (mine.written() < acked + queued - (fin_out && queued > 0 ? 1 : 0) ||
                mine.written() > acked + queued))
    complain("octets written are not acknowledged plus queued");
  if (info->snd_cwnd == 0) complain("a congestion window of nothing");
  const std::uint64_t apart = info->bytes_received - mine.read() - info->recv_queue;
  if (apart > (my_stack.config().tcp.urgent_inline ? 0 : 1))
    complain("octets received are not read plus readable");
  check_urgent(mine, theirs, my_stack);
  const auto peer = their_stack.info(theirs.stream());
  if (!theirs.has_stream() || !peer || peer->state < State::established) return;
  if (acked > peer->bytes_received) complain("acknowledged what was not received");
  if (peer->bytes_received > mine.written()) complain("received what was not written");
  const std::uint32_t buffer = their_stack.config().tcp.receive_buffer.most;
  if (peer->recv_queue > buffer + buffer / 2)
    complain("far more received than the buffer has room");
}

// ---- at the end

void Run::check_ends() {
  for (std::size_t i = 0; i < scenario_.connections.size(); ++i) check_application(i);
  check_nothing_left(Side::a);
  check_nothing_left(Side::b);
  if (world_.simulation().link().frames_in_flight() != 0) complain("frames still in flight");
}

void Run::check_application(std::size_t i) {
  const Application& a = world_.host(Side::a).applications()[i];
  const Application& b = world_.host(Side::b).applications()[i];
  const std::string port = "port " + std::to_string(scenario_.connections[i].port) + ": ";
  const auto who = [&](const Application* each) { return port + (each == &a ? "a " : "b "); };
  const bool failed = a.failure() || b.failure();
  const bool broken_off = a.aborted() || b.aborted();
  // Where a side may break off keep-alives are few, and a bad wire can swallow them all.
  const bool refused =
      a.failure() == Error::connection_refused || b.failure() == Error::connection_refused;
  const bool may_fail =
      scenario_.outcome != Outcome::complete || (scenario_.may_be_refused() && refused);
  report_.failures += failed;
  for (const Application* each : {&a, &b}) {
    report_.octets_read += each->read();
    if (each->is_owed()) complain(who(each) + "octets lent for sending were not given back");
    // One that was never accepted has nothing to let go.
    if (!each->done() && (each->has_stream() || !may_fail)) {
      const Stack& stack = world_.simulation().stack(each == &a ? Side::a : Side::b);
      complain(who(each) + "hangs in " + std::string(name(stack.state(each->stream()))) + " with " +
               std::to_string(each->written()) + " written, " + std::to_string(each->read()) +
               " read");
    }
    if (each->failure() && !may_fail)
      complain(who(each) + "failed: " + std::string(name(*each->failure())));
  }
  const auto& [plan_a, plan_b] = scenario_.connections[i].apps;
  const bool cut_a = a.read_to_the_end() && !b.aborted() && a.read() != a.expected();
  const bool cut_b = b.read_to_the_end() && !a.aborted() && b.read() != b.expected();
  if (cut_a || cut_b) complain(port + "the stream ended before its end");
  if (failed || broken_off || !a.done() || !b.done()) return;
  if (a.written() != plan_a.total || b.written() != plan_b.total)
    complain(port + "not all written");
  if (a.read() != a.expected() || b.read() != b.expected()) complain(port + "not all arrived");
}

void Run::check_nothing_left(Side side) {
  const Simulation& simulation = world_.simulation();
  const Stack& stack = simulation.stack(side);
  const std::string who = side == Side::a ? "a: " : "b: ";
  for (const Application& each : world_.host(side).applications())
    if (each.has_stream() && stack.state(each.stream()) != State::closed)
      complain(who + "a stream is in " + std::string(name(stack.state(each.stream()))));
  const Stack::Census census = stack.census();
  if (census != Stack::Census{}) {
    std::ostringstream what;
    what << who << "left behind: " << census.streams << " streams, " << census.syn_cache
         << " half-open, " << census.time_wait << " TIME-WAIT, " << census.listeners
         << " listeners, " << census.timers << " timers";
    complain(what.str());
  }
  if (stack.next_deadline() != kNever) complain(who + "a deadline is left");
  // Tables keep the storage of their first entries; more than that is a leak.
  constexpr std::size_t kTables = 128 << 10;
  const std::size_t used = memory_in_use(stack);
  if (used > idle_[static_cast<std::size_t>(side)] + kTables)
    complain(who + "memory grew from " + std::to_string(idle_[static_cast<std::size_t>(side)]) +
             " to " + std::to_string(used));
}

void Run::collect() {
  report_.runs = 1;
  report_.wire = laws_.counts();
  for (std::size_t side = 0; side < 2; ++side) {
    report_.state_changes += watchers_[side].states().changes();
    const StackCounters& counters =
        world_.simulation().stack(side == 0 ? Side::a : Side::b).counters();
    for (std::size_t i = 0; i < kVerdictCount; ++i) report_.verdicts[i] += counters.verdicts[i];
  }
}

}  // namespace

Report& Report::operator+=(const Report& other) {
  wire += other.wire;
  for (std::size_t i = 0; i < kVerdictCount; ++i) verdicts[i] += other.verdicts[i];
  runs += other.runs;
  steps += other.steps;
  state_changes += other.state_changes;
  copies += other.copies;
  failures += other.failures;
  octets_read += other.octets_read;
  urgent_marks += other.urgent_marks;
  return *this;
}

Report run(const Scenario& scenario, std::ostream* trace) {
  return Run(scenario, trace).go();
}

Report run_seed(std::uint64_t seed, std::ostream* trace) {
  const Scenario scenario = draw_scenario(seed);
  Report report = run(scenario, trace);
  if (!report.good())
    report.complaint += "\n" + describe(scenario) +
                        "to see it again: bin/estab_properties --first " + std::to_string(seed) +
                        " --seeds 1 --trace";
  return report;
}

std::string summary(const Report& report) {
  std::ostringstream out;
  const WireCounts& wire = report.wire;
  out << report.runs << " seeds, " << report.steps << " steps, " << report.state_changes
      << " changes of state, " << report.copies << " copies, " << report.failures
      << " connections failed as they should\n"
      << report.octets_read << " octets read; on the wire " << wire.segments << " segments ("
      << wire.super_segments << " super-segments), " << wire.octets << " octets, "
      << wire.repeated_octets << " of them again\n"
      << wire.resets << " resets, " << wire.zero_windows << " shut windows, " << wire.window_probes
      << " probes, " << wire.sack_blocks << " SACK blocks, " << wire.urgent << " urgent, "
      << wire.wrapped << " across 2^32\n"
      << wire.edge_back << " window edges back by less than a unit of the scale\n";
  for (std::size_t i = 0; i < kVerdictCount; ++i)
    if (report.verdicts[i] > 0)
      out << "  " << name(static_cast<Verdict>(i)) << ' ' << report.verdicts[i];
  out << '\n';
  return out.str();
}

}  // namespace estab::properties
