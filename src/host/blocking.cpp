// The blocking face: each call is the coroutine face's operation, awaited by running the loop.
#include "estab/blocking.h"

#include <utility>

#include "host/loop.h"

namespace estab::blocking {

namespace {

Result<TcpStream> wrapped(Result<estab::TcpStream> stream) {
  if (!stream) return std::unexpected(stream.error());
  return TcpStream(std::move(*stream));
}

/// The result of a call, after what it gave rise to has been sent.
template <class R>
R flushed(R result, host::Loop* loop) {
  host::flush(loop);
  return result;
}

}  // namespace

Result<std::size_t> TcpStream::read(MutableOctets into, Duration limit) {
  return block_on(stream_.read(into).within(limit));
}
Result<std::span<const Octets>> TcpStream::peek(Duration limit) {
  auto views = block_on(stream_.peek().within(limit));
  // The round in which the octets came went on after they were seen: look again.
  return views ? block_on(stream_.peek()) : views;
}
Result<std::size_t> TcpStream::write(Octets octets, SendMode mode, Duration limit) {
  return flushed(block_on(stream_.write(octets, mode).within(limit)), stream_.loop());
}
Result<void> TcpStream::write_all(Octets octets, SendMode mode, Duration limit) {
  return flushed(block_on(stream_.write_all(octets, mode).within(limit)), stream_.loop());
}
Result<void> TcpStream::write_owned(Octets octets, std::shared_ptr<const void> owner, SendMode mode,
                                    Duration limit) {
  return flushed(block_on(stream_.write_owned(octets, std::move(owner), mode).within(limit)),
                 stream_.loop());
}
Result<void> TcpStream::consume(std::size_t octets) {
  return flushed(stream_.consume(octets), stream_.loop());
}
Result<void> TcpStream::shutdown() {
  return flushed(stream_.shutdown(), stream_.loop());
}
void TcpStream::close() {
  host::Loop* const loop = stream_.loop();
  stream_.close();
  host::flush(loop);
}
void TcpStream::abort() {
  host::Loop* const loop = stream_.loop();
  stream_.abort();
  host::flush(loop);
}
Result<void> TcpStream::closed(Duration limit) {
  return block_on(stream_.closed().within(limit));
}
Result<UrgentMark> TcpStream::urgent_arrived(Duration limit) {
  return block_on(stream_.urgent_arrived().within(limit));
}

Result<TcpStream> TcpListener::accept(Duration limit) {
  return wrapped(block_on(listener_.accept().within(limit)));
}

Result<void> DatagramSocket::send_to(Octets octets, const Endpoint& to) {
  return flushed(socket_.send_to(octets, to), socket_.loop());
}
Result<ReceivedDatagram> DatagramSocket::recv_from(MutableOctets into, Duration limit) {
  return block_on(socket_.recv_from(into).within(limit));
}

Host::Host(const HostOptions& options) : host_(options), linger_(options.linger) {}
Host::~Host() {
  if (host_) host_.loop().finish_quietly(linger_);
}

Result<DeviceError> Host::link_down(InterfaceId interface, Duration limit) {
  return block_on(host_.link_down(interface).within(limit));
}

Result<TcpStream> Host::open(ConnectOperation&& opening, Duration limit) {
  Result<TcpStream> stream = wrapped(block_on(std::move(opening).within(limit)));
  // Only its result has been moved out of it.
  report_ = opening.icmp_report();  // NOLINT(bugprone-use-after-move)
  return stream;
}
Result<TcpStream> Host::connect(const ConnectOptions& options, Duration limit) {
  return open(host_.connect(options), limit);
}
Result<TcpStream> Host::connect(const Endpoint& remote, Duration limit) {
  return open(host_.connect(remote), limit);
}
Result<TcpStream> Host::connect(std::string_view remote, Duration limit) {
  return open(host_.connect(remote), limit);
}

Result<TcpListener> Host::listen(const ListenOptions& options) {
  Result<estab::TcpListener> listener = host_.listen(options);
  if (!listener) return std::unexpected(listener.error());
  return TcpListener(std::move(*listener));
}
Result<TcpListener> Host::listen(std::uint16_t port) {
  return listen(ListenOptions{.local = {IpAddress(), port}});
}
Result<DatagramSocket> Host::bind_datagram(const Endpoint& local) {
  Result<estab::DatagramSocket> socket = host_.bind_datagram(local);
  if (!socket) return std::unexpected(socket.error());
  return DatagramSocket(std::move(*socket));
}

Result<void> Host::sleep(Duration duration) {
  SleepOperation operation = host_.sleep(duration);
  host::run_until_done(operation);
  return operation.end();
}
Result<void> Host::readable(int descriptor, Duration limit) {
  return block_on(host_.readable(descriptor).within(limit));
}
Result<void> Host::writable(int descriptor, Duration limit) {
  return block_on(host_.writable(descriptor).within(limit));
}
Result<void> Host::signal(int number, Duration limit) {
  return block_on(host_.signal(number).within(limit));
}

}  // namespace estab::blocking
