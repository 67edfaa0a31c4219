// The blocking face: the names and results of the coroutine face, but each call runs the Host's
// loop until it is done. For programs that do one thing at a time:
//
//   estab::blocking::Host host;
//   auto link = host.add_device(std::move(device));
//   host.add_address(link, *estab::Cidr::parse("10.0.0.2/24"));
//   auto stream = host.connect("10.0.0.1:80");
//   if (!stream) return report(stream.error());
//   stream->write_all(estab::as_octets("GET / HTTP/1.0\r\n\r\n"));
//
// Connections only make progress while one of these calls runs (any of them serves all of them), so
// a program that is busy elsewhere for long should call Host::run_once(0s) now and then. A call
// that waits takes an optional limit, after which it gives Error::timed_out: nothing was lost, and
// the same call may be made again. Host::stop(), from another thread or a signal handler, ends the
// call that is waiting in the same way with Error::cancelled. All the rest belongs to one thread.
//
// Coroutines may run beside the blocking calls; what leaves one of them by an exception comes out
// of the call that is waiting then, as it does from estab::Host::run().
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "estab/host.h"

namespace estab::blocking {

/// One TCP connection; the destructor closes it. See estab::TcpStream for what each call does.
class [[nodiscard]] TcpStream {
 public:
  TcpStream() = default;
  explicit TcpStream(estab::TcpStream stream) : stream_(std::move(stream)) {}

  explicit operator bool() const { return static_cast<bool>(stream_); }
  StreamId id() const { return stream_.id(); }

  Result<std::size_t> read(MutableOctets into, Duration limit = kForever);
  Result<std::span<const Octets>> peek(Duration limit = kForever);
  Result<void> consume(std::size_t octets);
  std::size_t readable() const { return stream_.readable(); }

  Result<std::size_t> write(Octets octets, SendMode mode = SendMode::normal,
                            Duration limit = kForever);
  /// After an error, some of the octets may have been put into the send buffer.
  Result<void> write_all(Octets octets, SendMode mode = SendMode::normal,
                         Duration limit = kForever);
  Result<void> write_owned(Octets octets, std::shared_ptr<const void> owner,
                           SendMode mode = SendMode::normal, Duration limit = kForever);
  std::size_t writable() const { return stream_.writable(); }

  Result<void> shutdown();
  void close();
  void abort();
  Result<void> closed(Duration limit = kForever);

  State state() const { return stream_.state(); }
  Result<TcpInfo> info() const { return stream_.info(); }
  Result<Endpoint> local_endpoint() const { return stream_.local_endpoint(); }
  Result<Endpoint> remote_endpoint() const { return stream_.remote_endpoint(); }
  std::optional<Error> soft_error() { return stream_.soft_error(); }
  std::optional<UrgentMark> urgent() const { return stream_.urgent(); }
  Result<UrgentMark> urgent_arrived(Duration limit = kForever);

  Result<TcpConfig> settings() const { return stream_.settings(); }
  /// A whole TcpConfig, or `change(config)`: as in TcpStream.
  template <class Change>
  Result<void> reconfigure(Change&& change) {
    return stream_.reconfigure(std::forward<Change>(change));
  }

 private:
  estab::TcpStream stream_;
};

/// A passive OPEN. See estab::TcpListener.
class [[nodiscard]] TcpListener {
 public:
  TcpListener() = default;
  explicit TcpListener(estab::TcpListener listener) : listener_(std::move(listener)) {}

  explicit operator bool() const { return static_cast<bool>(listener_); }
  Result<TcpStream> accept(Duration limit = kForever);
  Result<Endpoint> local_endpoint() const { return listener_.local_endpoint(); }
  void close() { listener_.close(); }

 private:
  estab::TcpListener listener_;
};

/// A bound UDP port. See estab::DatagramSocket.
class [[nodiscard]] DatagramSocket {
 public:
  DatagramSocket() = default;
  explicit DatagramSocket(estab::DatagramSocket socket) : socket_(std::move(socket)) {}

  explicit operator bool() const { return static_cast<bool>(socket_); }
  /// Sent before it returns, unless the device is full.
  Result<void> send_to(Octets octets, const Endpoint& to);
  Result<ReceivedDatagram> recv_from(MutableOctets into, Duration limit = kForever);
  Result<Endpoint> local_endpoint() const { return socket_.local_endpoint(); }
  void close() { socket_.close(); }

 private:
  estab::DatagramSocket socket_;
};

class Host {
 public:
  explicit Host(const HostOptions& options = {});
  Host(Host&&) = default;
  Host& operator=(Host&&) = delete;
  /// Delivers and closes what is left, for at most HostOptions::linger, or until stop(). An
  /// exception that leaves a task meanwhile is lost: call finish() before to see it.
  ~Host();

  /// The Host underneath: coroutines may be spawned there, and run while a blocking call waits.
  estab::Host& host() { return host_; }
  Stack& stack() { return host_.stack(); }

  InterfaceId add_device(std::unique_ptr<Device> device) {
    return host_.add_device(std::move(device));
  }
  Result<void> add_address(InterfaceId interface, const Cidr& address) {
    return host_.add_address(interface, address);
  }
  Result<void> add_route(const Route& route) { return host_.add_route(route); }
  Result<void> add_default_route(InterfaceId interface, Family family,
                                 std::optional<IpAddress> gateway = std::nullopt) {
    return host_.add_default_route(interface, family, gateway);
  }

  bool is_up(InterfaceId interface) const { return host_.is_up(interface); }
  Result<DeviceError> link_down(InterfaceId interface, Duration limit = kForever);
  Result<void> remove_address(InterfaceId interface, const IpAddress& address) {
    return host_.remove_address(interface, address);
  }
  Result<void> remove_route(const Route& route) { return host_.remove_route(route); }
  Result<std::unique_ptr<Device>> remove_device(InterfaceId interface) {
    return host_.remove_device(interface);
  }

  Result<TcpStream> connect(const ConnectOptions& options, Duration limit = kForever);
  Result<TcpStream> connect(const Endpoint& remote, Duration limit = kForever);
  Result<TcpStream> connect(std::string_view remote, Duration limit = kForever);
  /// Of the last connect that failed: what ICMP said of the destination, and who said it.
  const std::optional<IcmpReport>& icmp_report() const { return report_; }
  Result<TcpListener> listen(const ListenOptions& options);
  Result<TcpListener> listen(std::uint16_t port);
  Result<DatagramSocket> bind_datagram(const Endpoint& local);

  /// Error::cancelled if stop() came first.
  Result<void> sleep(Duration duration);
  Result<void> readable(int descriptor, Duration limit = kForever);
  Result<void> writable(int descriptor, Duration limit = kForever);
  Result<void> signal(int number, Duration limit = kForever);

  bool run_once(Duration timeout) { return host_.run_once(timeout); }
  bool run_until(Instant until) { return host_.run_until(until); }
  bool finish(Duration limit) { return host_.finish(limit); }
  void stop() { host_.stop(); }
  void post(std::function<void()> call) { host_.post(std::move(call)); }

 private:
  Result<TcpStream> open(ConnectOperation&& opening, Duration limit);

  estab::Host host_;
  Duration linger_;
  std::optional<IcmpReport> report_;
};

}  // namespace estab::blocking
