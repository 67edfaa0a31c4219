#include "oracle/estab_subject.h"

#include <algorithm>
#include <deque>
#include <optional>

#include <poll.h>

#include "estab/stack.h"

#include "posix/endpoint_codec.h"

namespace estab::oracle {

namespace {

constexpr Duration kStep = std::chrono::microseconds(5);

// What the kernel's side is set to as well (see kernel_namespace.cpp): every segment is
// acknowledged at once, so that no delayed ACK has to be waited for.
StackConfig config_for(const ReceiveRoom& room) {
  StackConfig config = posix::stack_config(posix::Profile::linux_);
  config.seed = {0x6f7261636c65, 1};
  config.tcp.receive_buffer = room.window;
  config.tcp.window_scale = room.shift;
  config.tcp.delayed_ack = Duration::zero();
  config.tcp.tail_loss_probe = false;  // tcp_early_retrans=0
  config.limits.challenge_acks_per_second = 255;
  config.limits.icmp_errors_per_second = 1'000'000;
  return config;
}

struct SocketAddress {
  SocketAddress(int domain, const Endpoint& endpoint) {
    posix::write_endpoint(domain, endpoint, pointer(), &length);
  }
  sockaddr* pointer() { return reinterpret_cast<sockaddr*>(&storage); }
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
};

int domain_of(const Endpoint& endpoint) {
  return endpoint.address.is_v4() ? AF_INET : AF_INET6;
}

}  // namespace

struct EstabSubject::World {
  World(const FourTuple& the_tuple, const ReceiveRoom& room)
      : tuple(the_tuple), stack(config_for(room)), sockets(stack, posix::Profile::linux_) {
    interface = stack.add_interface({.name = "oracle"});
    const auto bits = static_cast<std::uint8_t>(tuple.family() == Family::ipv4 ? 32 : 128);
    (void)stack.add_address(interface, {tuple.local_address, bits});
    (void)stack.add_route({{IpAddress::any(tuple.family()), 0}, interface});
  }
  void tell_events() {
    while (const auto event = stack.poll_event()) sockets.handle_event(now, *event);
  }

  void send_all() {
    while (stack.poll_transmit(now, frame)) {
      frame.copy_to(sent.emplace_back(frame.size()).data());
    }
  }

  FourTuple tuple;
  std::deque<std::vector<std::uint8_t>> sent;
  Instant now{std::chrono::seconds(1000)};
  Stack stack;
  posix::Sockets sockets;
  InterfaceId interface;
  TransmitFrame frame;
};

EstabSubject::EstabSubject() = default;
EstabSubject::~EstabSubject() = default;

void EstabSubject::begin(const FourTuple& tuple, const ReceiveRoom& room) {
  world_ = std::make_unique<World>(tuple, room);
}

void EstabSubject::end(Octets) {
  world_.reset();
}

Instant EstabSubject::tick() {
  world_->now += kStep;
  world_->stack.handle_deadline(world_->now);
  world_->tell_events();
  return world_->now;
}

void EstabSubject::inject(Octets datagram) {
  const Instant now = tick();
  (void)world_->stack.handle_frame(now, world_->interface, {.octets = datagram});
  world_->tell_events();
}

// What is sent on the way is kept for take_frame: only a stack whose output is taken goes on.
void EstabSubject::wait(Duration span) {
  const Instant until = world_->now + span;
  // What comes next at `until` comes before timers of that very time, which the kernel's are late
  // for.
  while (world_->stack.next_deadline() < until) {
    world_->now = std::max(world_->now, world_->stack.next_deadline());
    world_->stack.handle_deadline(world_->now);
    world_->tell_events();
    world_->send_all();
  }
  world_->now = std::max(world_->now, until - 2 * kStep);
}

bool EstabSubject::take_frame(std::vector<std::uint8_t>& into) {
  world_->tell_events();
  if (!world_->sent.empty()) {
    into = std::move(world_->sent.front());
    world_->sent.pop_front();
    return true;
  }
  if (!world_->stack.poll_transmit(world_->now, world_->frame)) return false;
  into.resize(world_->frame.size());
  world_->frame.copy_to(into.data());
  return true;
}

State EstabSubject::state() {
  for (const SocketRow& row : world_->stack.table())
    if (row.remote == world_->tuple.remote() && row.local == world_->tuple.local())
      return row.state;
  return State::closed;
}

posix::Outcome EstabSubject::socket(int domain) {
  return world_->sockets.socket(domain, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

posix::Outcome EstabSubject::bind(int fd, const Endpoint& local) {
  SocketAddress address(domain_of(local), local);
  return world_->sockets.bind(fd, address.pointer(), address.length);
}

posix::Outcome EstabSubject::listen(int fd, int backlog) {
  return world_->sockets.listen(tick(), fd, backlog);
}

posix::Outcome EstabSubject::accept(int fd) {
  return world_->sockets.accept(tick(), fd, nullptr, nullptr, SOCK_NONBLOCK);
}

posix::Outcome EstabSubject::connect(int fd, const Endpoint& remote) {
  SocketAddress address(domain_of(remote), remote);
  return world_->sockets.connect(tick(), fd, address.pointer(), address.length);
}

posix::Outcome EstabSubject::send(int fd, Octets octets, int flags) {
  return world_->sockets.send(tick(), fd, octets.data(), octets.size(), flags | MSG_NOSIGNAL);
}

posix::Outcome EstabSubject::recv(int fd, MutableOctets into, int flags) {
  return world_->sockets.recv(tick(), fd, into.data(), into.size(), flags);
}

posix::Outcome EstabSubject::shutdown(int fd, int how) {
  return world_->sockets.shutdown(tick(), fd, how);
}

posix::Outcome EstabSubject::close(int fd) {
  return world_->sockets.close(tick(), fd);
}

posix::Outcome EstabSubject::set_option(int fd, int level, int option, Octets value) {
  return world_->sockets.setsockopt(tick(), fd, level, option, value.data(),
                                    static_cast<socklen_t>(value.size()));
}

posix::Outcome EstabSubject::get_option(int fd, int level, int option, MutableOctets value) {
  auto length = static_cast<socklen_t>(value.size());
  return world_->sockets.getsockopt(tick(), fd, level, option, value.data(), &length);
}

posix::Outcome EstabSubject::ioctl(int fd, unsigned long request, void* argument) {
  return world_->sockets.ioctl(tick(), fd, request, argument);
}

posix::Outcome EstabSubject::poll(int fd, short events) {
  pollfd descriptor{fd, events, 0};
  posix::Outcome outcome = world_->sockets.poll(tick(), &descriptor, 1, 0);
  if (outcome.value >= 0) outcome.value = descriptor.revents;
  return outcome;
}

}  // namespace estab::oracle
