// Host: a Stack, its devices, the machine's clock and an event loop, for any number of connections
// on one thread. Applications are coroutines (this header) or blocking calls (blocking.h).
//
//   estab::Host host;
//   auto link = host.add_device(std::move(device));
//   host.add_address(link, *estab::Cidr::parse("10.0.0.2/24"));
//   host.spawn(serve(host));       // Task<> serve(estab::Host&)
//   host.run();
//
// A Host and everything of it belong to one thread. stop() and post() are the only calls that
// another thread may make.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "estab/address.h"
#include "estab/clock.h"
#include "estab/config.h"
#include "estab/datagram_socket.h"
#include "estab/device.h"
#include "estab/error.h"
#include "estab/forwarder.h"
#include "estab/opening_operation.h"
#include "estab/operation.h"
#include "estab/stack.h"
#include "estab/task.h"
#include "estab/task_handle.h"
#include "estab/tcp_listener.h"
#include "estab/tcp_stream.h"
#include "estab/time.h"
#include "estab/when.h"

namespace estab {

struct HostOptions {
  /// Its seed counts only if `seed` below is not given and it is not {0, 0}.
  StackConfig stack{};
  /// Nothing: drawn from the system's random numbers.
  std::optional<std::array<std::uint64_t, 2>> seed{};
  /// How long run() goes on, after the last task is over, for connections still delivering and
  /// closing. TIME-WAIT does not count.
  Duration linger = std::chrono::seconds(60);
  /// Frames taken from one device before the others and the application have their turn.
  std::size_t burst = 64;
  /// Null: the machine's. Must outlive the Host.
  Clock* clock = nullptr;
};

class ConnectOperation final : public OpeningOperation {
 public:
  ConnectOperation(host::Loop* loop, ConnectOptions options)
      : OpeningOperation(loop), options_(std::move(options)) {}
  ConnectOperation(host::Loop* loop, ConnectOptions options, Duration limit)
      : ConnectOperation(loop, std::move(options)) {
    limit_ = limit;
  }
  /// An operation that fails at once.
  ConnectOperation(host::Loop* loop, Error error) : OpeningOperation(loop), refused_(error) {}

 private:
  Result<StreamId> open(Instant now) override;
  ConnectOptions options_;
  std::optional<Error> refused_;
};

class [[nodiscard]] SleepOperation final : public host::Wait {
 public:
  SleepOperation(host::Loop* loop, Duration duration) : Wait(loop) { limit_ = duration; }
  host::Awaiter<SleepOperation> operator co_await() && {
    return host::Awaiter<SleepOperation>(*this);
  }
  void take() const {}
  /// Whether it came to its end, once done(); else why not.
  Result<void> end() const { return end_; }

 private:
  bool attempt(Instant) override { return false; }
  void fail(Error error) override { end_ = std::unexpected(error); }
  void expire() override {}
  Result<void> end_{};
};

class DescriptorOperation final : public Operation<Result<void>> {
 public:
  enum class Direction : std::uint8_t { in, out, end };
  DescriptorOperation(host::Loop* loop, int descriptor, Direction direction)
      : Operation(loop), descriptor_(descriptor), direction_(direction) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  int descriptor_;
  Direction direction_;
  bool asked_ = false;
};

/// Until the device of a link is gone, and why it is.
class LinkDownOperation final : public Operation<Result<DeviceError>> {
 public:
  LinkDownOperation(host::Loop* loop, InterfaceId interface)
      : Operation(loop), interface_(interface) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  InterfaceId interface_;
};

class SignalOperation final : public Operation<Result<void>> {
 public:
  SignalOperation(host::Loop* loop, int number) : Operation(loop), number_(number) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  int number_;
};

/// Whether run() goes on for a task's sake.
enum class TaskKind : std::uint8_t {
  foreground,  ///< run() returns when the last of these is over
  background,  ///< one that may wait for ever: for a signal, a clock
};

namespace host {

TaskId spawn(Loop& loop, TaskFrame frame, TaskKind kind, std::unique_ptr<TaskOutcome> outcome);

template <class T>
std::unique_ptr<TaskOutcome> room_for_outcome() {
  if constexpr (std::is_void_v<T>)
    return nullptr;
  else
    return std::make_unique<TaskOutcomeOf<T>>();
}

/// The result of a task that is given so much time and no more.
template <class T>
struct Limited {
  using type = Result<T>;
};
template <class T>
struct Limited<Result<T>> {
  using type = Result<T>;
};
template <class T>
using LimitedResult = typename Limited<T>::type;

template <class T>
Task<LimitedResult<T>> limited(Loop* loop, Duration limit, Task<T> task) {
  auto first = co_await when_any(std::move(task), SleepOperation(loop, limit));
  if (first.index() == 1) co_return std::unexpected(Error::timed_out);
  if constexpr (std::is_void_v<T>)
    co_return LimitedResult<T>();
  else
    co_return std::get<0>(std::move(first));
}

}  // namespace host

class Host {
 public:
  /// Throws std::system_error if the machine gives no epoll or eventfd.
  explicit Host(const HostOptions& options = {});
  Host(Host&&) noexcept;
  Host& operator=(Host&&) noexcept;
  /// Destroys every task (and so closes what they hold), and sends what is left to send once.
  ~Host();

  /// False for one that has been moved from.
  explicit operator bool() const { return loop_ != nullptr; }

  /// The stack itself. What is done to it directly goes out with the next round of the loop. Its
  /// events are the Host's: what poll_event() takes here, the coroutines wait for in vain.
  Stack& stack();
  const Stack& stack() const;
  /// The time of this round of the loop; outside run() and run_once(), the time now.
  Instant now() const;

  // ---- links

  InterfaceId add_device(std::unique_ptr<Device> device);
  Result<void> add_address(InterfaceId interface, const Cidr& address);
  Result<void> add_route(const Route& route);
  /// The default route of a family through an interface: `0.0.0.0/0` or `::/0`.
  Result<void> add_default_route(InterfaceId interface, Family family,
                                 std::optional<IpAddress> gateway = std::nullopt);
  /// Throws std::out_of_range if there is none of that id: Host::is_up tells.
  Device& device(InterfaceId interface);

  // A full device keeps only its own frames waiting. One that is gone for good (the TUN interface
  // was deleted, the other end of the socket closed) is removed like one that remove_device()
  // takes: see Stack::remove_interface for what becomes of the addresses, routes and connections.
  // Listeners at no address in particular go on, for other links.

  /// False once the device is gone, and for an id that names none.
  bool is_up(InterfaceId interface) const;
  /// Waits until the device is gone, and gives the reason. Error::no_such_id if the id names no
  /// device, also if remove_device() has come first. One coroutine a link.
  LinkDownOperation link_down(InterfaceId interface);

  /// As the calls of the same names in stack.h; each ends what used the address, and at once.
  Result<void> remove_address(InterfaceId interface, const IpAddress& address);
  Result<void> remove_route(const Route& route);
  /// Removes the interface (Stack::remove_interface) and gives its device back, which may be closed
  /// or given to another Host. Frames it could not send yet are still in it. Also for one that is
  /// gone. Error::no_such_id.
  Result<std::unique_ptr<Device>> remove_device(InterfaceId interface);

  // ---- running

  // An exception that leaves a task nobody joins, a posted call, a device or the clock comes out of
  // these calls, one a call, in their order. It has ended what it came out of and nothing else: the
  // Host is whole, and the call may be made again. From within a coroutine or a posted call of this
  // Host, which would have to wait for itself, run(), run_once(), run_until() and finish() throw
  // std::logic_error, and block_on gives Error::invalid_argument.

  /// Runs until stop(), or until no foreground task is left and every connection has been closed
  /// properly (at most HostOptions::linger longer).
  void run();
  /// One round: sends what waits, waits at most `timeout` for something to happen, deals with it
  /// all, and sends. False once stop() was called (and forgets that it was).
  bool run_once(Duration timeout = kForever);
  /// Rounds until it is `until` and nothing is left to do that was due by then: every timer up to
  /// `until` has fired, every event of the stack has been dealt with, and whoever waited for one
  /// has gone on. run_until(now()) does what can be done at once. Whether or not tasks are left
  /// makes no difference. False if stop() came first.
  bool run_until(Instant until);
  /// When run_once() is due next, if nothing comes from outside before: not after now() while
  /// something is left to do, kNever if nothing will happen by itself.
  Instant next_deadline() const;
  /// Makes run(), run_once() or a blocking call return soon. From any thread, and from a signal
  /// handler.
  void stop();
  /// Runs `call` on the host's thread, within run(). From any thread.
  void post(std::function<void()> call);

  /// Hands a coroutine over to the host. It starts in the loop, and is destroyed when it is over,
  /// cancelled through its handle, or with the Host. The handle may be dropped.
  template <class T>
  TaskHandle<T> spawn(Task<T> task, TaskKind kind = TaskKind::foreground) {
    return {*loop_,
            host::spawn(*loop_, std::move(task.frame()), kind, host::room_for_outcome<T>())};
  }
  /// Spawned tasks that are not over.
  std::size_t tasks() const;

  /// Runs the loop until the task is over, and returns its result or throws its exception. When
  /// stop() is called meanwhile, the task is destroyed and this returns Error::cancelled. (For a
  /// single operation: block_on in operation.h.)
  template <class T>
  Result<T> block_on(Task<T> task);
  /// Runs the loop until no connection is left to be delivered and closed (TIME-WAIT does not
  /// count); false if `limit` or stop() came first.
  bool finish(Duration limit);

  // ---- TCP and UDP

  /// Opens a connection. Fails with connection_refused, connect_timed_out, or what ICMP said.
  ConnectOperation connect(const ConnectOptions& options);
  /// Name the options first: g++ 12 destroys an aggregate made within a co_await twice.
  ConnectOperation connect(ConnectOptions&& options) = delete;
  ConnectOperation connect(const Endpoint& remote);
  /// `192.0.2.1:80`, `[2001:db8::1]:80` or `[fe80::1%tun0]:80`: addresses, no names but those of
  /// interfaces. Else Error::invalid_argument.
  ConnectOperation connect(std::string_view remote);
  /// The same, given up after `limit` with Error::connect_timed_out.
  ConnectOperation connect(const Endpoint& remote, Duration limit);

  Result<TcpListener> listen(const ListenOptions& options);
  /// On every address of the stack, both families. Port 0: a free one, of which
  /// TcpListener::local_endpoint tells.
  Result<TcpListener> listen(std::uint16_t port);

  Result<DatagramSocket> bind_datagram(const Endpoint& local);

  /// What comes by this interface for other hosts is this forwarder's, until it is closed
  /// (estab/forward.h). Error::no_such_id; Error::address_in_use if the interface has one.
  Result<Forwarder> forward(InterfaceId interface, const Forwarding& forwarding);

  // ---- other things to wait for

  SleepOperation sleep(Duration duration);
  /// Waits until reading from (writing to) a descriptor would not block, or it has failed. A plain
  /// file is always ready. One coroutine a direction; close the descriptor only when none waits.
  DescriptorOperation readable(int descriptor);
  DescriptorOperation writable(int descriptor);
  /// Waits until it has failed, or nothing can be read from or written to it any more (POLLERR,
  /// POLLHUP).
  DescriptorOperation hung_up(int descriptor);
  /// Awaits a task for at most `limit`; then the task is destroyed and this gives Error::timed_out.
  /// A task that gives a Result gives the same one here.
  template <class T>
  Task<host::LimitedResult<T>> within(Duration limit, Task<T> task) {
    return host::limited(loop_.get(), limit, std::move(task));
  }
  /// Waits for a signal. The first call for a number blocks the signal for this thread, so call it
  /// before starting other threads; one that comes while nobody waits is kept for the next call.
  SignalOperation signal(int number);

  /// For those who write operations of their own.
  host::Loop& loop() { return *loop_; }

 private:
  std::unique_ptr<host::Loop> loop_;
};

template <class T>
Result<T> Host::block_on(Task<T> task) {
  struct Spawned {
    TaskHandle<T> handle;
    ~Spawned() { handle.cancel(); }  // whatever ends the wait
  } spawned{spawn(std::move(task))};
  return estab::block_on(spawned.handle.join());
}

}  // namespace estab
