// One descriptor: a TCP or UDP socket, or an epoll set, with what POSIX and Linux keep about it
// beyond what the stack knows. Law: what the stack knows (state, queues, endpoints) is asked for
// and not kept.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include <sys/epoll.h>

#include "estab/address.h"
#include "estab/id.h"
#include "estab/posix.h"
#include "estab/time.h"

#include "posix/socket_options.h"

namespace estab::posix {

/// struct socket's own state, besides TCP's: it decides what a repeated connect returns.
enum class Link : std::uint8_t { unconnected, connecting, connected };

/// A blocking call in progress: its deadline, and how much it has transferred so far.
struct Blocked {
  bool active = false;
  Instant until = kNever;
  std::size_t done = 0;
  int error = 0;  ///< what it ends with then
};

struct QueuedDatagram {
  Endpoint from, to;
  std::vector<std::uint8_t> octets;
};

struct Socket {
  int domain = 0, type = 0, protocol = 0;
  bool nonblocking = false;
  int descriptor_flags = 0;
  SocketOptions options{};

  std::optional<Endpoint> bound{};  ///< by bind, or as it was chosen
  std::optional<Endpoint> peer{};   ///< of a connected UDP socket
  ListenerId listener{};
  std::uint32_t backlog = 0;
  std::size_t queued = 0;  ///< connections to accept, when last looked at
  /// With TCP_DEFER_ACCEPT: connections taken from the stack, and until when they wait for data.
  std::deque<std::pair<StreamId, Instant>> deferred{};
  StreamId stream{};
  DatagramId port{};
  std::deque<QueuedDatagram> datagrams{};

  Link link = Link::unconnected;
  bool syn_held = false;  ///< TCP_FASTOPEN_CONNECT: the SYN waits for the first octets
  bool shut_read = false, shut_write = false;
  bool peer_closed = false;   ///< its FIN has come
  bool failure_seen = false;  ///< the stream's end has become `error`
  int error = 0;              ///< SO_ERROR
  int soft_error = 0;         ///< advice: what a time-out is then put down to
  bool urgent_read = false;   ///< the octet set aside has been taken
  bool past_urgent = false;   ///< reading has gone on behind the mark

  Blocked reading{}, writing{}, opening{}, accepting{}, closing{};
  std::uint64_t wakes = 0;  ///< how often something has happened, for EPOLLET

  bool is_tcp() const { return type == SOCK_STREAM; }
  bool is_listening() const { return bool(listener); }
};

struct EpollInterest {
  std::uint32_t events = 0;
  epoll_data_t data{};
  std::uint64_t seen = 0;  ///< Socket::wakes when it was last reported
  bool fresh = true;       ///< not reported since it was added or changed
};

struct EpollSet {
  std::map<int, EpollInterest> interests{};
  int last = -1;  ///< whom the last wait ended with: the others come first next time
  Blocked waiting{};
};

using Descriptor = std::variant<Socket, EpollSet>;

}  // namespace estab::posix
