#include "properties/world.h"

#include <algorithm>
#include <variant>

namespace estab::properties {

// ---- one side

Host::Host(const Scenario& scenario, Side side)
    : scenario_(&scenario), side_(side), start_(scenario.world.start) {
  const auto mine = static_cast<std::size_t>(side);
  for (const ConnectionPlan& plan : scenario.connections)
    applications_.emplace_back(plan.apps[mine], plan.apps[1 - mine]);
}

Host::Role Host::role(std::size_t i) const {
  const Opener opener = scenario_->connections[i].opener;
  const Opener me = side_ == Side::a ? Opener::a : Opener::b;
  return opener == Opener::both || opener == me ? Role::opens : Role::accepts;
}

void Host::listen(Stack& stack) {
  const auto listener =
      stack.listen({.local = {IpAddress(), kListenPort}, .backlog = scenario_->backlog});
  if (!listener) complaint_ = "listen was refused";
  if (listener) listener_ = *listener;
}

bool Host::act(Instant now, Stack& stack, OpenerPorts& ports) {
  bool did = take_events(now, stack);
  did |= open_due(now, stack, ports);
  did |= accept_due(now, stack, ports);
  for (Application& each : applications_) did |= each.act(now, stack);
  return did;
}

bool Host::may_open(std::size_t i, Instant now) const {
  const ConnectionPlan& plan = scenario_->connections[i];
  if (role(i) != Role::opens || applications_[i].has_stream() || now < start_ + plan.start)
    return false;
  return !plan.after ||
         (applications_[*plan.after].done() && (try_again_at_ == kNever || now >= try_again_at_));
}

bool Host::open_due(Instant now, Stack& stack, OpenerPorts& ports) {
  bool did = false;
  for (std::size_t i = 0; i < applications_.size(); ++i) {
    if (!may_open(i, now)) continue;
    const ConnectionPlan& plan = scenario_->connections[i];
    const bool v4 = plan.family == Family::ipv4;
    ConnectOptions options;
    options.remote.address =
        v4 ? Simulation::address_v4(other(side_)) : Simulation::address_v6(other(side_));
    options.remote.port = plan.opener == Opener::both ? plan.port : kListenPort;
    options.local_port = plan.fixed_port ? plan.port : 0;
    const auto stream = stack.connect(now, options);
    did = true;
    if (!stream && plan.after && stream.error() == Error::address_in_use) {
      try_again_at_ = now + std::chrono::milliseconds(700);
      continue;
    }
    if (!stream) {
      complaint_ = "connect was refused: " + std::string(name(stream.error()));
      return false;
    }
    try_again_at_ = kNever;
    applications_[i].adopt(*stream, Application::Start::opening);
    ports[i] = stack.endpoints(*stream)->local_port;
  }
  return did;
}

bool Host::accept_due(Instant now, Stack& stack, const OpenerPorts& ports) {
  if (!listener_ || now < accept_at_) return false;
  const auto stream = stack.accept(now, *listener_);
  if (!stream) {
    accept_at_ = kNever;  // until the next event
    return true;
  }
  const std::uint16_t port = stack.endpoints(*stream)->remote_port;
  for (std::size_t i = 0; i < applications_.size(); ++i) {
    if (role(i) != Role::accepts || ports[i] != port || applications_[i].has_stream()) continue;
    applications_[i].adopt(*stream, Application::Start::accepted);
    return true;
  }
  complaint_ = "accepted a connection nobody opened";
  return true;
}

bool Host::take_events(Instant now, Stack& stack) {
  bool did = false;
  while (const auto event = stack.poll_event()) {
    did = true;
    if (const auto* stream = std::get_if<StreamEvent>(&*event)) {
      if (Application* application = find(stream->stream))
        application->on_event(*stream);
      else
        complaint_ = "an event for a stream nobody has";
    } else if (std::holds_alternative<AcceptEvent>(*event)) {
      // Each connection's own pause would need a clock each: the first one's is everybody's.
      accept_at_ = std::min(accept_at_, now + scenario_->connections.front().accept_pause);
    }
  }
  return did;
}

Application* Host::find(StreamId stream) {
  const auto found = std::ranges::find_if(
      applications_, [&](const Application& each) { return each.stream() == stream; });
  return found == applications_.end() ? nullptr : &*found;
}

Instant Host::wake(Instant now) const {
  Instant next = kNever;
  for (const Instant at : {accept_at_, try_again_at_})
    if (at > now) next = std::min(next, at);
  for (std::size_t i = 0; i < applications_.size(); ++i) {
    next = std::min(next, applications_[i].wake(now));
    const Instant start = start_ + scenario_->connections[i].start;
    if (role(i) == Role::opens && start > now) next = std::min(next, start);
  }
  return next;
}

bool Host::done() const {
  return std::ranges::all_of(applications_, [](const Application& each) { return each.done(); });
}

void Host::stop_listening(Instant now, Stack& stack) {
  if (listener_ && !stack.close(now, *listener_)) complaint_ = "closing the listener was refused";
  listener_.reset();
}

std::string Host::complaint() const {
  if (!complaint_.empty()) return complaint_;
  for (std::size_t i = 0; i < applications_.size(); ++i)
    if (!applications_[i].complaint().empty())
      return "port " + std::to_string(scenario_->connections[i].port) + ": " +
             applications_[i].complaint();
  return {};
}

// ---- both

World::World(const Scenario& scenario)
    : scenario_(&scenario),
      simulation_(scenario.world),
      hosts_{Host(scenario, Side::a), Host(scenario, Side::b)},
      ports_(scenario.connections.size()) {
  hosts_[0].listen(simulation_.a());
  hosts_[1].listen(simulation_.b());
  if (scenario.outcome == Outcome::silenced) silent_at_ = simulation_.now() + scenario.silent_after;
}

bool World::act() {
  bool did = false, again = true;
  while (again && complaint().empty()) {
    again = hosts_[0].act(simulation_.now(), simulation_.a(), ports_);
    again |= hosts_[1].act(simulation_.now(), simulation_.b(), ports_);
    did |= again;
  }
  return did;
}

Instant World::wake() const {
  const Instant now = simulation_.now();
  Instant next = std::min(hosts_[0].wake(now), hosts_[1].wake(now));
  if (silent_at_ > now) next = std::min(next, silent_at_);
  if (mtu_changes_made_ < scenario_->mtu_changes.size())
    next = std::min(next, std::max(now + Duration{1}, next_mtu_change()));
  return next;
}

void World::fall_silent_if_due() {
  if (simulation_.now() < silent_at_) return;
  silent_at_ = kNever;
  for (const Side side : {Side::a, Side::b})
    simulation_.link().set_impairments(side, Impairments{.loss = 1});
}

Instant World::next_mtu_change() const {
  return scenario_->world.start + scenario_->mtu_changes[mtu_changes_made_].at;
}

void World::change_mtu_if_due() {
  const auto& changes = scenario_->mtu_changes;
  while (mtu_changes_made_ < changes.size() && next_mtu_change() <= simulation_.now()) {
    const MtuChange& change = changes[mtu_changes_made_++];
    simulation_.stack(change.side).set_mtu(simulation_.interface(change.side), change.mtu);
  }
}

std::uint64_t World::frames_moved() const {
  const MemoryLink& link = simulation_.link();
  return link.counters(Side::a).frames + link.counters(Side::a).delivered +
         link.counters(Side::b).frames + link.counters(Side::b).delivered;
}

bool World::advance() {
  fall_silent_if_due();
  change_mtu_if_due();
  const Instant next = wake();
  if (next == kNever) return simulation_.step();
  // One step, but not past the time at which an application acts.
  int looks = 0;
  const std::uint64_t before = frames_moved();
  simulation_.run_until([&] { return looks++ > 0; }, next - simulation_.now());
  // Nothing is under way: only the applications' time can pass.
  if (simulation_.next_deadline() == kNever && frames_moved() == before)
    simulation_.run_for(next - simulation_.now());
  return true;
}

bool World::done() const {
  return hosts_[0].done() && hosts_[1].done();
}

void World::stop_listening() {
  hosts_[0].stop_listening(simulation_.now(), simulation_.a());
  hosts_[1].stop_listening(simulation_.now(), simulation_.b());
}

std::string World::complaint() const {
  const std::string a = hosts_[0].complaint();
  if (!a.empty()) return "a, " + a;
  const std::string b = hosts_[1].complaint();
  return b.empty() ? b : "b, " + b;
}

}  // namespace estab::properties
