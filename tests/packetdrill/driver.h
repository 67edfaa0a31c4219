// Driver: packetdrill's part in the play, and no more: it loads the object, asks for the interface,
// waits on the object's clock the way packetdrill does, sends and receives whole IP packets, and
// runs calls that block on a thread of their own.
#pragma once

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include "estab/notation.h"

#include "packetdrill/interface.h"
#include "posix/endpoint_codec.h"
#include "stack/testing/pattern.h"
#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/tcp.h"

namespace estab::packetdrill {

/// A socket address in C's words.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  Address() = default;
  explicit Address(const Endpoint& endpoint) {
    const int domain = endpoint.address.is_v4() ? AF_INET : AF_INET6;
    posix::write_endpoint(domain, endpoint, get(), &length);
  }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  Endpoint endpoint() const {
    return posix::read_endpoint(storage.ss_family, reinterpret_cast<const sockaddr*>(&storage),
                                length)
        .value_or(Endpoint{});
  }
};

/// What came out of the stack.
struct Received {
  long long time = 0;
  std::vector<std::uint8_t> octets;
  Segment segment;
};

class Driver {
 public:
  explicit Driver(const std::string& flags = "ip=192.168.0.1/16,ip=fd3d:0a0b:17d6::1/48,isn=1000",
                  const char* remote = "192.0.2.1", const char* local = "192.168.0.1")
      : remote_{*IpAddress::parse(remote), 40000}, local_{*IpAddress::parse(local), 8080} {
    object_ = dlopen(PACKETDRILL_OBJECT, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | kDeep);
    if (!object_) {
      ADD_FAILURE() << dlerror();
      return;
    }
    using Init = void (*)(const char*, packetdrill_interface*);
    const auto init = reinterpret_cast<Init>(dlsym(object_, "packetdrill_interface_init"));
    init(flags.c_str(), &calls);
    start_ = spin();
  }
  ~Driver() {
    if (calls.free) calls.free(calls.userdata);
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  packetdrill_interface calls{};
  void* me() { return calls.userdata; }
  const Endpoint& remote() const { return remote_; }
  const Endpoint& local() const { return local_; }
  void set_remote_port(std::uint16_t port) { remote_.port = port; }
  void set_local_port(std::uint16_t port) { local_.port = port; }

  // ---- the clock
  /// Microseconds since the beginning.
  long long now() { return clock() - start_; }
  /// Sleeps until just before, then spins.
  void wait_until(long long time) {
    const long long left = time - now() - 20;
    if (left > 0) calls.usleep(me(), static_cast<useconds_t>(left));
    while (now() < time) {
    }
  }

  // ---- packets
  void in(std::string_view notation) {
    const auto noted = parse_segment(notation, SeqNum(5000), SeqNum(1000));
    ASSERT_TRUE(noted) << notation;
    Segment segment = noted->segment;
    const std::vector<std::uint8_t> payload(noted->payload_length, 'x');
    segment.payload = payload;
    segment.source_port = remote_.port;
    segment.destination_port = local_.port;
    std::vector<std::uint8_t> head(wire::kMaxTcpHeaderLength);
    head.resize(wire::emit_tcp(segment, head.data()));
    const std::array<Octets, 1> pieces = {segment.payload};
    wire::finish_tcp_checksum(head, remote_.address, local_.address, pieces);
    wire::IpHeader ip{.source = remote_.address, .destination = local_.address};
    ip.protocol = wire::kProtocolTcp;
    std::vector<std::uint8_t> packet(wire::kIpV6HeaderLength);
    packet.resize(wire::emit_ip(ip, head.size() + payload.size(), packet.data()));
    packet.insert(packet.end(), head.begin(), head.end());
    packet.insert(packet.end(), payload.begin(), payload.end());
    EXPECT_EQ(calls.netdev_send(me(), packet.data(), packet.size()), 0);
  }
  /// The next packet, with everything in order about its checksums. Nothing: none will come.
  std::optional<Received> next() {
    Received received;
    received.octets.resize(70000);
    std::size_t count = received.octets.size();
    EXPECT_EQ(calls.netdev_receive(me(), received.octets.data(), &count, &received.time), 0);
    if (count == 0) return std::nullopt;
    received.time -= start_;
    received.octets.resize(count);
    const auto packet = wire::parse_ip(received.octets);  // checks the header's sum
    EXPECT_TRUE(packet.has_value());
    if (!packet) return std::nullopt;
    EXPECT_TRUE(wire::verify_transport_checksum(packet->header.source, packet->header.destination,
                                                wire::kProtocolTcp, packet->payload));
    EXPECT_EQ(packet->header.destination, remote_.address);
    received.segment = wire::parse_tcp(packet->payload).value();
    return received;
  }
  /// Expects this segment to be the next, sent at this time (within 10 us, for the clock moves when
  /// it is read).
  void out(std::string_view notation, std::optional<long long> at = std::nullopt) {
    const auto noted = parse_segment(notation, SeqNum(1000), SeqNum(5000));
    ASSERT_TRUE(noted) << notation;
    const auto received = next();
    ASSERT_TRUE(received) << notation;
    const Segment& got = received->segment;
    EXPECT_EQ(got.flags, noted->segment.flags) << notation;
    EXPECT_EQ(got.seq.value(), noted->segment.seq.value()) << notation;
    EXPECT_EQ(got.payload.size(), noted->payload_length) << notation;
    if (got.flags.ack()) {
      EXPECT_EQ(got.ack.value(), noted->segment.ack.value()) << notation;
    }
    if (at) {
      EXPECT_NEAR(static_cast<double>(received->time), static_cast<double>(*at), 10) << notation;
    }
  }

  // ---- calls
  int tcp_socket() {
    return calls.socket(me(), local_.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM,
                        IPPROTO_TCP);
  }
  int listener(int backlog = 1) {
    const int fd = tcp_socket();
    Address address(local_);
    EXPECT_EQ(calls.bind(me(), fd, address.get(), address.length), 0);
    EXPECT_EQ(calls.listen(me(), fd, backlog), 0);
    return fd;
  }
  int accept(int fd) { return calls.accept(me(), fd, nullptr, nullptr); }
  int connect(int fd) {
    Address address(remote_);
    return calls.connect(me(), fd, address.get(), address.length);
  }
  int set_nonblocking(int fd) { return calls.fcntl(me(), fd, F_SETFL, O_RDWR | O_NONBLOCK); }

 private:
#ifdef PACKETDRILL_SANITIZED
  static constexpr int kDeep = 0;
#else
  static constexpr int kDeep = RTLD_DEEPBIND;
#endif

  long long clock() {
    timeval time{};
    EXPECT_EQ(calls.gettimeofday(me(), &time, nullptr), 0);
    return time.tv_sec * 1'000'000LL + time.tv_usec;
  }
  /// Until the clock moves: with one that stands still this would never end.
  long long spin() {
    const long long first = clock();
    long long later = first;
    for (int tries = 0; later == first && tries < 1000; ++tries) later = clock();
    EXPECT_GT(later, first);
    return later;
  }

  void* object_ = nullptr;
  Endpoint remote_, local_;
  long long start_ = 0;
};

/// A call on a thread of its own, as packetdrill makes those that may block. When it ends it asks
/// for the time, once.
class BlockingCall {
 public:
  BlockingCall(Driver& driver, std::function<long()> call)
      : thread_([this, &driver, call = std::move(call)] {
          id_ = ::gettid();
          const long value = call();
          error_ = errno;
          ended_at_ = driver.now();
          value_ = value;
          done_ = true;
        }) {}
  ~BlockingCall() { thread_.join(); }
  BlockingCall(const BlockingCall&) = delete;
  BlockingCall& operator=(const BlockingCall&) = delete;

  /// Waits until the kernel says that the thread sleeps, or the call has ended.
  void wait_until_asleep() {
    while (id_ == 0) std::this_thread::yield();
    const std::string path = "/proc/self/task/" + std::to_string(id_.load()) + "/stat";
    while (!done_) {
      std::ifstream file(path);
      std::string line;
      std::getline(file, line);
      const std::size_t end = line.rfind(") ");
      if (end != std::string::npos && line[end + 2] == 'S') return;
    }
  }
  bool done() const { return done_; }
  /// As packetdrill's main thread waits before the next call: asleep, for a second of real time at
  /// most.
  bool wait_until_done() {
    for (int i = 0; i < 1000 && !done_; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return done_;
  }
  long value() const { return value_; }
  int error() const { return error_; }
  long long ended_at() const { return ended_at_; }

 private:
  std::atomic<pid_t> id_{0};
  std::atomic<bool> done_{false};
  std::atomic<long> value_{0};
  std::atomic<int> error_{0};
  std::atomic<long long> ended_at_{0};
  std::thread thread_;
};

}  // namespace estab::packetdrill
