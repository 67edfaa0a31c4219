#include "packetdrill/machine.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "posix/packetdrill_defaults.h"

namespace estab::packetdrill {

namespace {

using posix::Outcome;
using std::chrono_literals::operator""us, std::chrono_literals::operator""ms,
    std::chrono_literals::operator""s;

/// The clock starts here: any time of day far from 0.
constexpr Instant kBeginning{1'000'000'000s};
/// A packet that has not come by then never will.
constexpr Duration kPatience = 200s;
/// How long (in real time) all threads must be idle before a blocked call advances the clock
/// itself.
constexpr auto kQuiet = 5ms;

/// What the next gettimeofday of a thread answers after a call of its ended.
thread_local std::optional<Instant> frozen_time;

StackConfig stack_config(const Settings& settings) {
  StackConfig config = posix::stack_config(settings.profile);
  posix::assume_packetdrill(settings.profile, config);
  config.seed = {settings.seed, 0x7061636b65746472};
  config.quirks.fixed_isn = settings.isn;
  return config;
}

Route default_route(Family family, InterfaceId link, const Settings& settings) {
  Route route{{IpAddress::any(family), 0}, link};
  const auto gateway = std::ranges::find(settings.gateways, family, &IpAddress::family);
  if (gateway != settings.gateways.end()) route.gateway = *gateway;
  return route;
}

}  // namespace

/// Counts itself while it waits for the lock, so that a sleeping thread that only waits for us is
/// not taken for one that has gone away.
class Machine::Visit {
 public:
  explicit Visit(Machine& machine) : lock_(machine.mutex_, std::defer_lock) {
    ++machine.entering_;
    lock_.lock();
    --machine.entering_;
    ++machine.visits_;
  }
  std::unique_lock<std::mutex>& lock() { return lock_; }

 private:
  std::unique_lock<std::mutex> lock_;
};

Machine::Machine(const Settings& settings)
    : settings_(settings),
      driver_status_("/proc/self/task/" + std::to_string(::gettid()) + "/stat"),
      now_(kBeginning),
      stack_(stack_config(settings)),
      link_(stack_.add_interface({.name = "tun0", .mtu = settings.mtu})),
      sockets_(stack_, settings.profile, [this] { return new_number(); }) {
  for (const Cidr& address : settings.addresses) (void)stack_.add_address(link_, address);
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const Route route = default_route(family, link_, settings);
    // A gateway that is not on the link is refused; there is only this link to lead anywhere.
    if (!stack_.add_route(route)) (void)stack_.add_route({route.destination, link_});
  }
  show_sockets();
}

// packetdrill closes what a script left open with the C library's close: each number must be the
// kernel's. A number that is given out again was closed behind our back.
int Machine::new_number() {
  const int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (fd < 0) return fd;
  if (!numbers_.insert(fd).second) (void)sockets_.close(now_, fd);
  pipes_.erase(fd);
  return fd;
}

// ---- calls

Outcome Machine::run(const Call& call) {
  Visit visit(*this);
  frozen_time.reset();
  Outcome outcome = call(sockets_, now_);
  settle();
  const bool driver = std::this_thread::get_id() == driver_;
  if (outcome.waits)
    outcome = driver ? wait_alone(call, outcome) : wait_for(visit.lock(), call, outcome);
  if (!driver && !frozen_time) frozen_time = now_;
  return outcome;
}

Outcome Machine::close(int fd) {
  {
    Visit visit(*this);
    if (pipes_.erase(fd) > 0) return {.value = ::close(fd), .error = 0};
  }
  const Outcome outcome =
      run([fd](posix::Sockets& sockets, Instant now) { return sockets.close(now, fd); });
  if (outcome.error != 0) return outcome;
  Visit visit(*this);
  numbers_.erase(fd);
  ::close(fd);
  return outcome;
}

Outcome Machine::wait_for(std::unique_lock<std::mutex>& lock, const Call& call,
                          const Outcome& first) {
  Blocked blocked{call, first, {}};
  blocked_.push_back(&blocked);
  int quiet = 0;
  while (!blocked.done) {
    const std::uint64_t visits = visits_;
    blocked.changed.wait_for(lock, kQuiet);
    if (blocked.done) break;
    quiet = visits == visits_ && nobody_moves_time() ? quiet + 1 : 0;
    if (quiet >= 2 && next_deadline() != kNever) step();
  }
  blocked_.remove(&blocked);
  frozen_time = blocked.ended;
  return blocked.outcome;
}

// The thread that feeds packets blocks itself: nothing can come but what timers bring.
Outcome Machine::wait_alone(const Call& call, Outcome outcome) {
  while (outcome.waits) {
    const Instant next = std::min(next_deadline(), outcome.until);
    if (next == kNever) return {.value = -1, .error = EDEADLK};
    advance_to(std::max(next, now_ + 1us));
    outcome = call(sockets_, now_);
    settle();
  }
  return outcome;
}

/// Whether the thread that drives the script sleeps, and not because of us.
bool Machine::nobody_moves_time() {
  if (entering_ > 0) return false;
  std::ifstream status(driver_status_);
  std::string line;
  std::getline(status, line);
  const std::size_t name_end = line.rfind(") ");  // the name may hold anything
  return name_end != std::string::npos && line[name_end + 2] == 'S';
}

// ---- the stack's turn

void Machine::collect() {
  while (const auto event = stack_.poll_event()) sockets_.handle_event(now_, *event);
  TransmitFrame frame;
  while (stack_.poll_transmit(now_, frame)) {
    Packet packet{now_, std::vector<std::uint8_t>(frame.size())};
    frame.copy_to(packet.octets.data());
    sent_.push_back(std::move(packet));
  }
  while (const auto event = stack_.poll_event()) sockets_.handle_event(now_, *event);
}

bool Machine::carry_on(Blocked& blocked) {
  if (blocked.done) return false;
  blocked.outcome = blocked.call(sockets_, now_);
  if (blocked.outcome.waits) return false;
  blocked.done = true;
  blocked.ended = now_;
  blocked.changed.notify_all();
  return true;
}

// What one blocked call does may be what another waits for.
void Machine::settle() {
  collect();
  bool moved = true;
  while (moved) {
    moved = false;
    for (Blocked* blocked : blocked_) moved = carry_on(*blocked) || moved;
    collect();
  }
  show_sockets();
}

Instant Machine::next_deadline() const {
  Instant next = stack_.next_deadline();
  for (const Blocked* blocked : blocked_)
    if (!blocked->done) next = std::min(next, blocked->outcome.until);
  return next;
}

void Machine::advance_to(Instant to) {
  std::optional<Instant> handled;
  for (Instant due = next_deadline(); due <= to; due = next_deadline()) {
    // What is due again at once is a timer that was early: time must not stand still for it.
    const Instant at = handled == now_ ? std::max(due, now_ + 1us) : std::max(due, now_);
    if (at > to) break;
    now_ = at;
    handled = now_;
    stack_.handle_deadline(now_);
    settle();
  }
  now_ = std::max(now_, to);
}

/// Advances to the next time at which anything happens.
void Machine::step() {
  advance_to(std::max(next_deadline(), now_ + 1us));
}

// ---- the link and the clock

void Machine::send_packet(Octets packet) {
  Visit visit(*this);
  (void)stack_.handle_frame(now_, link_, {.octets = packet});
  settle();
}

std::optional<Machine::Packet> Machine::receive_packet() {
  Visit visit(*this);
  const Instant limit = now_ + kPatience;
  while (sent_.empty()) {
    if (next_deadline() > limit) return std::nullopt;
    step();
  }
  Packet packet = std::move(sent_.front());
  sent_.pop_front();
  return packet;
}

void Machine::sleep(Duration span) {
  Visit visit(*this);
  advance_to(now_ + span);
}

Instant Machine::time() {
  if (frozen_time) return *std::exchange(frozen_time, std::nullopt);
  Visit visit(*this);
  advance_to(now_ + 1us);
  return now_;
}

// ---- pipes, the table

int Machine::make_pipe(int ends[2]) {
  Visit visit(*this);
  if (::pipe(ends) < 0) return -1;
  for (const int fd : {ends[0], ends[1]}) {
    if (numbers_.erase(fd) > 0) (void)sockets_.close(now_, fd);
    pipes_.insert(fd);
  }
  return 0;
}

bool Machine::is_pipe(int fd) {
  Visit visit(*this);
  return pipes_.contains(fd);
}

// Written to a temporary file and renamed: a reader never sees half a table.
void Machine::show_sockets() {
  if (settings_.sockstat.empty()) return;
  std::string table = sockets_.table();
  if (table == shown_ && !shown_.empty()) return;
  const std::string fresh = settings_.sockstat + ".new";
  {
    std::ofstream file(fresh, std::ios::trunc);
    file << table;
  }
  (void)std::rename(fresh.c_str(), settings_.sockstat.c_str());
  shown_ = std::move(table);
}

}  // namespace estab::packetdrill
