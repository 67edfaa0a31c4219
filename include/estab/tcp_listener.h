// TcpListener: a passive OPEN. `auto stream = co_await listener.accept();`. Destroying it stops
// listening; connections accepted before live on. One coroutine may wait in accept() at a time.
#pragma once

#include <utility>

#include "estab/address.h"
#include "estab/error.h"
#include "estab/id.h"
#include "estab/operation.h"
#include "estab/tcp_stream.h"

namespace estab {

class AcceptOperation final : public Operation<Result<TcpStream>> {
 public:
  AcceptOperation(host::Loop* loop, ListenerId listener) : Operation(loop), listener_(listener) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  ListenerId listener_;
};

class [[nodiscard]] TcpListener {
 public:
  /// Listens nowhere: every call gives Error::no_such_id.
  TcpListener() = default;
  TcpListener(host::Loop& loop, ListenerId id) : loop_(&loop), id_(id) {}
  TcpListener(TcpListener&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)), id_(std::exchange(other.id_, {})) {}
  TcpListener& operator=(TcpListener&& other) noexcept {
    if (this == &other) return *this;
    close();
    loop_ = std::exchange(other.loop_, nullptr);
    id_ = std::exchange(other.id_, {});
    return *this;
  }
  /// close().
  ~TcpListener() { close(); }

  explicit operator bool() const { return static_cast<bool>(id_); }
  ListenerId id() const { return id_; }

  /// Waits for the next connection. Error::connection_aborted when the listener is closed.
  AcceptOperation accept();
  Result<Endpoint> local_endpoint() const;
  /// The settings of connections that open from now on. Error::no_such_id.
  Result<TcpConfig> settings() const;
  Result<void> reconfigure(const TcpConfig& config);
  /// Stops listening; connections not yet accepted are reset.
  void close();

 private:
  host::Loop* loop_ = nullptr;
  ListenerId id_;
};

}  // namespace estab
