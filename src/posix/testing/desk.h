// Desk: an application's socket calls beside a script::Peer that plays the remote host. Law: after
// everything that happens the stack's events go to the sockets, as a host's loop would see to.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include "estab/posix.h"

#include "posix/endpoint_codec.h"
#include "stack/testing/peer.h"

namespace estab::posix {

inline void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << outcome.value;
  if (outcome.error != 0) *out << " " << strerrorname_np(outcome.error);
  if (outcome.waits) *out << " waits until " << outcome.until.time_since_epoch().count();
}

inline Outcome gives(std::int64_t value) {
  return {.value = value};
}
inline Outcome fails(int error) {
  return {.value = -1, .error = error};
}

/// A socket address as the calls want it.
struct Name {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;

  Name() = default;
  Name(int domain, const Endpoint& endpoint) {
    write_endpoint(domain, endpoint, as_sockaddr(), &length);
  }
  sockaddr* as_sockaddr() { return reinterpret_cast<sockaddr*>(&storage); }
  Endpoint endpoint() const {
    return read_endpoint(storage.ss_family, reinterpret_cast<const sockaddr*>(&storage), length)
        .value_or(Endpoint{});
  }
};

struct DeskOptions {
  Profile profile = Profile::linux_;
  Family family = Family::ipv4;
  int domain = family == Family::ipv4 ? AF_INET : AF_INET6;
};

class Desk {
 public:
  explicit Desk(const DeskOptions& options = {})
      : options_(options), peer(peer_options(options)), sockets(peer.stack(), options.profile) {}

 private:
  const DeskOptions options_;

 public:
  script::Peer peer;
  Sockets sockets;

  // ---- the remote
  Verdict in(std::string_view notation) {
    const Verdict verdict = peer.in(notation);
    tell();
    return verdict;
  }
  void out(std::string_view notation, script::Location at = script::Location::current()) {
    (void)peer.out(notation, at);
  }
  void after(Duration span) {
    peer.after(span);
    tell();
  }

  // ---- calls
  Instant now() const { return peer.now(); }
  int domain() const { return options_.domain; }
  int tcp_socket(int flags = 0) {
    return static_cast<int>(sockets.socket(domain(), SOCK_STREAM | flags, 0).value);
  }
  Name local_name(std::uint16_t port = script::Peer::kLocalPort) const {
    return {options_.domain, {peer.local(), port}};
  }
  Name remote_name(std::uint16_t port = script::Peer::kRemotePort) const {
    return {options_.domain, {peer.remote(), port}};
  }
  Outcome bind(int fd, Name name) { return sockets.bind(fd, name.as_sockaddr(), name.length); }
  Outcome connect(int fd) {
    Name name = remote_name();
    return seen(sockets.connect(now(), fd, name.as_sockaddr(), name.length));
  }
  Outcome accept(int fd, Name* from = nullptr) {
    return seen(from ? sockets.accept(now(), fd, from->as_sockaddr(), &from->length)
                     : sockets.accept(now(), fd, nullptr, nullptr));
  }
  Outcome read(int fd, std::size_t octets, int flags = 0) {
    buffer.assign(octets, 0);
    return seen(sockets.recv(now(), fd, buffer.data(), octets, flags));
  }
  /// Sends the next octets of the pattern that the peer verifies.
  Outcome write(int fd, std::size_t octets, int flags = 0) {
    const auto data = next_data(octets);
    const Outcome outcome = sockets.send(now(), fd, data.data(), octets, flags);
    written_ += static_cast<std::uint32_t>(std::max<std::int64_t>(outcome.value, 0));
    return seen(outcome);
  }
  std::vector<std::uint8_t> next_data(std::size_t octets) const {
    return script::pattern(script::Stream::from_stack, written_, octets);
  }
  Outcome shutdown(int fd, int how) { return seen(sockets.shutdown(now(), fd, how)); }
  Outcome close(int fd) { return seen(sockets.close(now(), fd)); }
  Outcome set(int fd, int level, int option, int value) {
    return seen(sockets.setsockopt(now(), fd, level, option, &value, sizeof value));
  }
  template <class T>
  Outcome set_as(int fd, int level, int option, const T& value) {
    return seen(sockets.setsockopt(now(), fd, level, option, &value, sizeof value));
  }
  /// The number, or minus the errno.
  int get(int fd, int level, int option) {
    int value = 0;
    socklen_t length = sizeof value;
    const Outcome outcome = sockets.getsockopt(now(), fd, level, option, &value, &length);
    return outcome.error != 0 ? -outcome.error : value;
  }
  int error_of(int fd) { return get(fd, SOL_SOCKET, SO_ERROR); }
  Outcome set_nonblocking(int fd) { return sockets.fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK); }
  /// Everything poll has to say.
  int poll(int fd) {
    pollfd one{fd, static_cast<short>(0x7fff), 0};
    (void)sockets.poll(now(), &one, 1, 0);
    return one.revents;
  }
  /// The socket's line in the table: its state.
  std::string table() const { return sockets.table(); }

  // ---- shortcuts
  /// A listening socket.
  int listener(int backlog = 5) {
    const int fd = tcp_socket();
    EXPECT_EQ(set(fd, SOL_SOCKET, SO_REUSEADDR, 1), gives(0));
    EXPECT_EQ(bind(fd, local_name()), gives(0));
    EXPECT_EQ(sockets.listen(now(), fd, backlog), gives(0));
    return fd;
  }
  /// The remote opens a connection.
  void handshake() {
    in("S 0:0(0) win 65535 <mss 1460>");
    out("S. 0:0(0) ack 1 <*>");
    in(". 1:1(0) ack 1 win 65535");
  }
  /// The descriptor of an open connection, not blocking; the listener is gone.
  int opened() {
    const int listening = listener();
    handshake();
    const Outcome accepted = accept(listening);
    EXPECT_GE(accepted.value, 0) << accepted.error;
    const int fd = static_cast<int>(accepted.value);
    EXPECT_EQ(close(listening), gives(0));
    EXPECT_EQ(set_nonblocking(fd), gives(0));
    return fd;
  }

  std::vector<std::uint8_t> buffer;  ///< what read last gave

 private:
  std::uint32_t written_ = 1;

  static script::PeerOptions peer_options(const DeskOptions& options) {
    script::PeerOptions peer;
    peer.family = options.family;
    peer.stack = stack_config(options.profile);
    peer.stack.seed = {1, 2};
    return peer;
  }
  /// Frames are looked at when they are sent, and the events told.
  Outcome seen(const Outcome& outcome) {
    (void)peer.waiting();
    tell();
    return outcome;
  }
  void tell() {
    while (auto event = peer.stack().poll_event()) sockets.handle_event(now(), *event);
  }
};

}  // namespace estab::posix
