#include "tools/perf_memory.h"

#include <chrono>
#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

#include <time.h>

#include "estab/memory_link.h"
#include "estab/stack.h"

#include "tools/cycle_counter.h"

namespace estab::tools {

namespace {

constexpr std::uint16_t kPort = 5001;
constexpr std::uint16_t kPorts = 8;  // so that the pairs of ports suffice for many idle connections
constexpr std::size_t kPattern = 1 << 20;
constexpr std::size_t kWrite = 64 << 10;
constexpr int kRoundTrips = 200'000;
constexpr int kConnections = 200'000;
const IpAddress kClientAddress = IpAddress::v4(10, 0, 0, 1);
const IpAddress kServerAddress = IpAddress::v4(10, 0, 0, 2);

/// Two stacks and the link between them.
class World {
 public:
  explicit World(const PerfMemoryOptions& options)
      : client_(config(1)),
        server_(config(2)),
        client_link_(client_.add_interface(link(options))),
        server_link_(server_.add_interface(link(options))) {
    (void)client_.add_address(client_link_, {kClientAddress, 24});
    (void)server_.add_address(server_link_, {kServerAddress, 24});
    for (std::uint16_t i = 0; i < kPorts; ++i) {
      const auto port = static_cast<std::uint16_t>(kPort + i);
      listeners_.push_back(
          server_.listen({.local = {IpAddress::any(Family::ipv4), port}, .backlog = 1024}).value());
    }
  }

  Stack& client() { return client_; }
  Stack& server() { return server_; }
  static Instant now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

  /// Moves frames until none is left, at one instant.
  void pump() { pump(now()); }
  void pump(Instant at) {
    while (link_.pump(at, {client_, client_link_}, {server_, server_link_})) {
    }
  }
  void fire_timers() {
    const Instant at = now();
    if (client_.next_deadline() <= at) client_.handle_deadline(at);
    if (server_.next_deadline() <= at) server_.handle_deadline(at);
  }
  void drop_events() {
    while (client_.poll_event()) {
    }
    while (server_.poll_event()) {
    }
  }

  struct Pair {
    StreamId client, server;
  };
  Pair open(std::uint16_t port_index = 0) {
    const auto port = static_cast<std::uint16_t>(kPort + port_index);
    const Instant at = now();
    const auto stream = client_.connect(at, {.remote = {kServerAddress, port}});
    if (!stream) throw std::runtime_error(std::string(message(stream.error())));
    pump(at);
    const auto accepted = server_.accept(at, listeners_[port_index]);
    if (!accepted) throw std::runtime_error("the handshake did not complete");
    return {*stream, *accepted};
  }
  void close(const Pair& pair) {
    const Instant at = now();
    (void)client_.close(at, pair.client);
    pump(at);
    (void)server_.close(at, pair.server);
    pump(at);
  }

 private:
  static StackConfig config(std::uint64_t seed) {
    StackConfig config;
    config.seed = {seed, ~seed};
    config.port_min = 1024;
    config.port_max = 65535;
    config.msl = std::chrono::milliseconds(1);  // else the pairs of ports run out
    config.tcp.nagle = false;
    config.tcp.quick_acks = 0;
    return config;
  }
  static InterfaceConfig link(const PerfMemoryOptions& options) {
    InterfaceConfig link;
    link.name = "memory";
    link.mtu = options.mtu;
    link.checksum_offload = link.segmentation_v4 = link.segmentation_v6 = options.super_segments;
    return link;
  }

  Stack client_, server_;
  InterfaceId client_link_, server_link_;
  MemoryLink link_;
  std::vector<ListenerId> listeners_;
};

std::vector<std::uint8_t> make_pattern() {
  std::vector<std::uint8_t> pattern(kPattern);
  std::mt19937 random(1);
  for (auto& octet : pattern) octet = static_cast<std::uint8_t>(random());
  return pattern;
}

/// One direction of octets, written and compared as a repeating pattern.
class Transfer {
 public:
  Transfer(World& world, World::Pair pair)
      : world_(world), pair_(pair), pattern_(make_pattern()), buffer_(kWrite) {}

  void round(Instant now) {
    write(now);
    world_.pump();
    read(now);
    if (++rounds_ % 16 == 0) world_.fire_timers();
    world_.drop_events();
  }
  std::uint64_t octets() const { return read_; }
  bool verified() const { return verified_; }

 private:
  void write(Instant now) {
    for (int i = 0; i < 4; ++i) {
      const std::size_t at = written_ % kPattern;
      const std::size_t size = std::min(kWrite, kPattern - at);
      const auto taken =
          world_.client().send(now, pair_.client, Octets(pattern_).subspan(at, size));
      if (!taken) return;
      written_ += *taken;
      if (*taken < size) return;
    }
  }
  void read(Instant now) {
    while (const auto got = world_.server().recv(now, pair_.server, buffer_)) {
      compare(*got);
      read_ += *got;
    }
  }
  void compare(std::size_t size) {
    for (std::size_t done = 0; done < size;) {
      const std::size_t at = (read_ + done) % kPattern;
      const std::size_t part = std::min(size - done, kPattern - at);
      verified_ = verified_ && std::memcmp(buffer_.data() + done, pattern_.data() + at, part) == 0;
      done += part;
    }
  }

  World& world_;
  World::Pair pair_;
  std::vector<std::uint8_t> pattern_, buffer_;
  std::uint64_t written_ = 0, read_ = 0, rounds_ = 0;
  bool verified_ = true;
};

/// Seconds of processor time this thread has had: what other programs take does not count.
double cpu_seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Cycles of the time-stamp counter in a second.
double counter_frequency() {
  const Instant begin = World::now();
  const std::uint64_t from = cycle_counter();
  while (World::now() - begin < std::chrono::milliseconds(50)) {
  }
  const auto cycles = static_cast<double>(cycle_counter() - from);
  return cycles / std::chrono::duration<double>(World::now() - begin).count();
}

void measure_bulk(const PerfMemoryOptions& options, PerfMemoryReport& report) {
  World world(options);
  Transfer transfer(world, world.open());
  const Instant warm = World::now() + options.bulk_time / 10;
  while (World::now() < warm) transfer.round(World::now());

  const std::uint64_t octets = transfer.octets();
  const std::uint64_t allocated = allocations();
  const double begin = cpu_seconds();
  const Instant end = World::now() + options.bulk_time;
  for (Instant now = World::now(); now < end; now = World::now()) transfer.round(now);
  const double elapsed = cpu_seconds() - begin;
  const auto moved = static_cast<double>(transfer.octets() - octets);
  const double segments = moved / (options.mtu - 52);  // IPv4, TCP and timestamps
  report.bulk_gbit_s = moved * 8 / elapsed / 1e9;
  report.cycles_per_segment = elapsed * counter_frequency() / segments;
  report.allocations_per_segment = static_cast<double>(allocations() - allocated) / segments;
  report.verified = report.verified && transfer.verified();
}

void measure_round_trips(const PerfMemoryOptions& options, PerfMemoryReport& report) {
  World world(options);
  const World::Pair pair = world.open();
  std::uint8_t octet = 0;
  const double begin = cpu_seconds();
  for (int i = 0; i < kRoundTrips; ++i) {
    const auto sent = static_cast<std::uint8_t>(i);
    (void)world.client().send(World::now(), pair.client, {&sent, 1});
    world.pump();
    (void)world.server().recv(World::now(), pair.server, {&octet, 1});
    (void)world.server().send(World::now(), pair.server, {&octet, 1});
    world.pump();
    (void)world.client().recv(World::now(), pair.client, {&octet, 1});
    report.verified = report.verified && octet == sent;
    if (i % 64 == 0) world.fire_timers();
    world.drop_events();
  }
  report.round_trip_ns = (cpu_seconds() - begin) * 1e9 / kRoundTrips;
}

double connections_per_second(World& world) {
  const double begin = cpu_seconds();
  for (int i = 0; i < kConnections; ++i) {
    world.close(world.open());
    if (i % 64 != 0) continue;
    world.fire_timers();
    world.drop_events();
  }
  return kConnections / (cpu_seconds() - begin);
}

void measure_connections(const PerfMemoryOptions& options, PerfMemoryReport& report) {
  World world(options);
  report.connections_per_s_without_idle = connections_per_second(world);
  world.drop_events();
  World crowded(options);
  const std::size_t before = crowded.client().memory() + crowded.server().memory();
  for (std::uint32_t i = 0; i < options.idle_connections; ++i) {
    (void)crowded.open(static_cast<std::uint16_t>(i % kPorts));
    crowded.drop_events();
  }
  report.idle_connections = options.idle_connections;
  if (options.idle_connections > 0)
    report.idle_connection_octets =
        static_cast<double>(crowded.client().memory() + crowded.server().memory() - before) / 2 /
        options.idle_connections;
  report.connections_per_s = connections_per_second(crowded);
}

}  // namespace

PerfMemoryReport measure_memory(const PerfMemoryOptions& options) {
  PerfMemoryReport report;
  measure_bulk(options, report);
  measure_round_trips(options, report);
  measure_connections(options, report);
  return report;
}

}  // namespace estab::tools
