// TcpStream: one TCP connection in the hands of a coroutine.
//
//   estab::Task<> echo(estab::TcpStream stream) {
//     std::array<std::uint8_t, 4096> buffer;
//     while (auto n = co_await stream.read(buffer))
//       if (!co_await stream.write_all({buffer.data(), *n})) co_return;
//   }  // the stream is closed when it goes out of scope
//
// At a time one coroutine may read (read, peek), one may write, one may wait for closed() and one
// for urgent_arrived(); a second one gets Error::invalid_argument. All of a stream belongs to the
// thread of its Host, and the Host must outlive it.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "estab/address.h"
#include "estab/config.h"
#include "estab/error.h"
#include "estab/id.h"
#include "estab/info.h"
#include "estab/octets.h"
#include "estab/operation.h"
#include "estab/stack.h"

namespace estab {

class ReadOperation final : public Operation<Result<std::size_t>> {
 public:
  ReadOperation(host::Loop* loop, StreamId stream, MutableOctets into)
      : Operation(loop), stream_(stream), into_(into) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  StreamId stream_;
  MutableOctets into_;
};

class PeekOperation final : public Operation<Result<std::span<const Octets>>> {
 public:
  PeekOperation(host::Loop* loop, StreamId stream) : Operation(loop), stream_(stream) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  StreamId stream_;
};

class WriteOperation final : public Operation<Result<std::size_t>> {
 public:
  WriteOperation(host::Loop* loop, StreamId stream, Octets octets, SendMode mode)
      : Operation(loop), stream_(stream), octets_(octets), mode_(mode) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  StreamId stream_;
  Octets octets_;
  SendMode mode_;
};

class WriteAllOperation final : public Operation<Result<void>> {
 public:
  WriteAllOperation(host::Loop* loop, StreamId stream, Octets octets, SendMode mode)
      : Operation(loop), stream_(stream), rest_(octets), mode_(mode) {}
  /// Octets not accepted yet: what is left when the operation failed or gave up.
  std::size_t left() const { return rest_.size(); }

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  StreamId stream_;
  Octets rest_;
  SendMode mode_;
};

class WriteOwnedOperation final : public Operation<Result<void>> {
 public:
  WriteOwnedOperation(host::Loop* loop, StreamId stream, Octets octets,
                      std::shared_ptr<const void> owner, SendMode mode)
      : Operation(loop), stream_(stream), octets_(octets), owner_(std::move(owner)), mode_(mode) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  StreamId stream_;
  Octets octets_;
  std::shared_ptr<const void> owner_;
  SendMode mode_;
};

class RoomOperation final : public Operation<Result<void>> {
 public:
  RoomOperation(host::Loop* loop, StreamId stream) : Operation(loop), stream_(stream) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  StreamId stream_;
};

class ClosedOperation final : public Operation<Result<void>> {
 public:
  ClosedOperation(host::Loop* loop, StreamId stream) : Operation(loop), stream_(stream) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  StreamId stream_;
};

class UrgentOperation final : public Operation<Result<UrgentMark>> {
 public:
  UrgentOperation(host::Loop* loop, StreamId stream) : Operation(loop), stream_(stream) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  StreamId stream_;
};

class [[nodiscard]] TcpStream {
 public:
  /// No connection: every call gives Error::no_such_id.
  TcpStream() = default;
  /// Takes over a connection that the stack handed out (stack.accept, stack.connect).
  TcpStream(host::Loop& loop, StreamId id) : loop_(&loop), id_(id) {}
  TcpStream(TcpStream&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)), id_(std::exchange(other.id_, {})) {}
  TcpStream& operator=(TcpStream&& other) noexcept {
    if (this == &other) return *this;
    close();
    loop_ = std::exchange(other.loop_, nullptr);
    id_ = std::exchange(other.id_, {});
    return *this;
  }
  /// close().
  ~TcpStream() { close(); }

  /// True while this object holds a connection, open or over.
  explicit operator bool() const { return static_cast<bool>(id_); }
  StreamId id() const { return id_; }
  /// The loop of the Host it belongs to; null if there is no connection.
  host::Loop* loop() const { return loop_; }

  // ---- reading

  /// Waits until something can be read, and copies what there is, at most into.size() octets.
  /// Error::end_of_stream once the peer has ended its direction and all has been read. 0 only into
  /// an empty buffer, at once.
  ReadOperation read(MutableOctets into);
  /// Waits until something can be read, and gives views of it in place (1 to 16);
  /// Error::end_of_stream as with read(). Valid until the next co_await and the next call on
  /// anything of this Host; consume() says how much was used.
  PeekOperation peek();
  /// Takes the first `octets` octets as read; the window opens again by as much.
  Result<void> consume(std::size_t octets);
  /// Octets that can be read without waiting.
  std::size_t readable() const;

  // ---- writing

  /// Waits until there is room in the send buffer, and puts in as many octets as fit. Returns how
  /// many (0 only for no octets).
  WriteOperation write(Octets octets, SendMode mode = SendMode::normal);
  /// Waits until all the octets have been put into the send buffer. They must stay until then.
  WriteAllOperation write_all(Octets octets, SendMode mode = SendMode::normal);
  /// Queues the octets themselves, without copying; `owner` keeps them alive and unchanged until
  /// the peer has acknowledged them. Waits while the send buffer is over its limit.
  WriteOwnedOperation write_owned(Octets octets, std::shared_ptr<const void> owner,
                                  SendMode mode = SendMode::normal);
  /// Octets that can be written without waiting.
  std::size_t writable() const;
  /// Waits until some can: for who fetches octets only once there is room for them.
  RoomOperation room();

  // ---- ending

  /// Ends this side's direction, after all that was written (half-close). The other goes on.
  Result<void> shutdown();
  /// Lets go of the connection. What was written is still delivered as long as the Host runs.
  /// With octets unread the peer gets RST. Who waits on this stream gets connection_aborted.
  void close();
  /// RST at once; what was written and not acknowledged is lost. Who waits on this stream gets
  /// connection_aborted.
  void abort();
  /// Waits until both directions have ended and the peer has acknowledged all that was sent
  /// (TIME-WAIT or CLOSED), or the connection has failed. Implies no shutdown() and no read.
  ClosedOperation closed();

  // ---- asking and setting

  State state() const;
  Result<TcpInfo> info() const;
  Result<Endpoint> local_endpoint() const;
  Result<Endpoint> remote_endpoint() const;
  /// Advice from ICMP or R1 since the last call; the connection goes on (MUST-47).
  std::optional<Error> soft_error();
  /// Urgent data not yet read to its end.
  std::optional<UrgentMark> urgent() const;
  /// Waits until the peer's urgent pointer has moved forward (MUST-32).
  UrgentOperation urgent_arrived();

  /// The settings in force. Error::no_such_id.
  Result<TcpConfig> settings() const;
  /// Changes them, in any state: see Stack::reconfigure.
  Result<void> reconfigure(const TcpConfig& config);
  /// Only what `change(config)` makes different:
  ///
  ///   stream.reconfigure([](TcpConfig& config) { config.nagle = false; });
  template <std::invocable<TcpConfig&> Change>
  Result<void> reconfigure(Change&& change) {
    Result<TcpConfig> config = settings();
    if (!config) return std::unexpected(config.error());
    change(*config);
    return reconfigure(*config);
  }

 private:
  host::Loop* loop_ = nullptr;
  StreamId id_;
};

}  // namespace estab
