// DatagramSocket: a bound UDP port in the hands of a coroutine. Destroying it frees the port. One
// coroutine may wait in recv_from() at a time.
#pragma once

#include <utility>

#include "estab/address.h"
#include "estab/error.h"
#include "estab/id.h"
#include "estab/octets.h"
#include "estab/operation.h"
#include "estab/stack.h"

namespace estab {

class ReceiveOperation final : public Operation<Result<ReceivedDatagram>> {
 public:
  ReceiveOperation(host::Loop* loop, DatagramId port, MutableOctets into)
      : Operation(loop), port_(port), into_(into) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  DatagramId port_;
  MutableOctets into_;
};

class [[nodiscard]] DatagramSocket {
 public:
  /// Bound nowhere: every call gives Error::no_such_id.
  DatagramSocket() = default;
  DatagramSocket(host::Loop& loop, DatagramId id) : loop_(&loop), id_(id) {}
  DatagramSocket(DatagramSocket&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)), id_(std::exchange(other.id_, {})) {}
  DatagramSocket& operator=(DatagramSocket&& other) noexcept {
    if (this == &other) return *this;
    close();
    loop_ = std::exchange(other.loop_, nullptr);
    id_ = std::exchange(other.id_, {});
    return *this;
  }
  /// close().
  ~DatagramSocket() { close(); }

  explicit operator bool() const { return static_cast<bool>(id_); }
  DatagramId id() const { return id_; }
  /// The loop of the Host it belongs to; null if there is no port.
  host::Loop* loop() const { return loop_; }

  /// Sends one datagram; never waits.
  Result<void> send_to(Octets octets, const Endpoint& to);
  /// Waits for a datagram and copies as much of it as fits. An ICMP error for this port comes as
  /// the result of one call.
  ReceiveOperation recv_from(MutableOctets into);
  Result<Endpoint> local_endpoint() const;
  /// Frees the port. Who waits in recv_from() gets connection_aborted.
  void close();

 private:
  host::Loop* loop_ = nullptr;
  DatagramId id_;
};

}  // namespace estab
