// The commands of an application, each to the stream, listener or port it names.

#include "stack/stack_impl.h"

namespace estab {

namespace {
using tcp::Connection;
using tcp::Context;
using tcp::Handshake;
}  // namespace

Result<ListenerId> Stack::listen(const ListenOptions& options) {
  return impl_->tcp.listen(impl_->core, options);
}

Result<void> Stack::close(Instant now, ListenerId listener) {
  return impl_->tcp.close_listener(impl_->core, now, listener);
}

Result<StreamId> Stack::accept(Instant now, ListenerId listener) {
  return impl_->tcp.accept(impl_->core, now, listener);
}

Result<StreamId> Stack::connect(Instant now, const ConnectOptions& options) {
  impl_->core.latest = now;
  return impl_->tcp.connect(impl_->core, now, options);
}

Result<std::size_t> Stack::send(Instant now, StreamId stream, Octets octets, SendMode mode) {
  return impl_->tcp.with_sender(
      impl_->core, now, stream,
      [&](Handshake& opening) {
        opening.release_syn();
        return opening.early_data().send(opening.config(), octets, mode, impl_->core.blocks);
      },
      [&](Connection& connection, const Context& context) {
        return connection.send(context, octets, mode);
      });
}

Result<void> Stack::send_owned(Instant now, StreamId stream, Octets octets,
                               const std::shared_ptr<const void>& owner, SendMode mode) {
  return impl_->tcp.with_sender(
      impl_->core, now, stream,
      [&](Handshake& opening) {
        opening.release_syn();
        return opening.early_data().send_owned(opening.config(), octets, owner, mode,
                                               impl_->core.blocks);
      },
      [&](Connection& connection, const Context& context) {
        return connection.send_owned(context, octets, owner, mode);
      });
}

Result<std::size_t> Stack::await_room(Instant now, StreamId stream) {
  return impl_->tcp.with_sender(
      impl_->core, now, stream,
      [](Handshake& opening) { return opening.early_data().await_room(opening.config()); },
      [](Connection& connection, const Context& context) {
        return connection.await_room(context);
      });
}

Result<std::size_t> Stack::recv(Instant now, StreamId stream, MutableOctets into) {
  return impl_->tcp.with_connection(impl_->core, now, stream,
                                    [&](Connection& connection, const Context& context) {
                                      return connection.recv(context, into);
                                    });
}

std::size_t Stack::peek(StreamId stream, std::span<Octets> views) const {
  const Connection* connection = impl_->tcp.find_connection(stream);
  return connection ? connection->receiver().peek(views) : 0;
}

Result<void> Stack::consume(Instant now, StreamId stream, std::size_t octets) {
  return impl_->tcp.with_connection(impl_->core, now, stream,
                                    [&](Connection& connection, const Context& context) {
                                      return connection.consume(context, octets);
                                    });
}

Result<void> Stack::shutdown(Instant now, StreamId stream) {
  return impl_->tcp.with_sender(
      impl_->core, now, stream,
      [](Handshake& opening) {
        opening.release_syn();
        return opening.early_data().shutdown();
      },
      [](Connection& connection, const Context& context) { return connection.shutdown(context); });
}

Result<void> Stack::close(Instant now, StreamId stream) {
  return impl_->tcp.close(impl_->core, now, stream);
}

Result<void> Stack::abort(Instant now, StreamId stream) {
  return impl_->tcp.abort(impl_->core, now, stream);
}

Result<void> Stack::refuse_input(Instant now, StreamId stream) {
  return impl_->tcp.with_sender(
      impl_->core, now, stream,
      [](Handshake& opening) {
        opening.early_data().refuse_input();
        return Result<void>();
      },
      [](Connection& connection, const Context&) {
        connection.refuse_input();
        return Result<void>();
      });
}

Result<void> Stack::set_quick_acks(Instant now, StreamId stream, std::uint8_t segments) {
  return impl_->tcp.with_connection(impl_->core, now, stream,
                                    [&](Connection& connection, const Context&) {
                                      connection.set_quick_acks(segments);
                                      return Result<void>();
                                    });
}

Result<void> Stack::reconfigure(Instant now, StreamId stream, const TcpConfig& config) {
  return impl_->tcp.reconfigure(impl_->core, now, stream, config);
}

// What an opening will do next, it will do by the new settings at its own time: `now` is not needed
// today. The law of time asks for it all the same.
Result<void> Stack::reconfigure(Instant, ListenerId listener, const TcpConfig& config) {
  return impl_->tcp.reconfigure(listener, config);
}

Result<void> Stack::set_backlog(ListenerId listener, std::uint32_t backlog) {
  return impl_->tcp.set_backlog(listener, backlog);
}

Result<DatagramId> Stack::bind_datagram(const Endpoint& local, const DatagramConfig& config) {
  Endpoint meant = local;
  if (!local.address.is_unspecified()) {
    const auto own = impl_->core.interfaces.own(local.address);
    if (!own) return std::unexpected(own.error());
    meant.address = *own;
  }
  return impl_->datagrams.bind(meant, impl_->core.prng, config);
}

Result<void> Stack::reconfigure(DatagramId port, const DatagramConfig& config) {
  return impl_->datagrams.reconfigure(port, config);
}

Result<void> Stack::close(DatagramId port) {
  return impl_->datagrams.close(port);
}

Result<Endpoint> Stack::local_endpoint(DatagramId port) const {
  return impl_->datagrams.local_endpoint(port);
}

Result<void> Stack::send_datagram(Instant now, DatagramId port, const Endpoint& to, Octets octets) {
  return impl_->send_datagram(now, port, to, octets);
}

Result<ReceivedDatagram> Stack::recv_datagram(DatagramId port, MutableOctets into) {
  return impl_->datagrams.receive(port, into);
}

Result<void> Stack::send_echo(Instant now, const IpAddress& to, std::uint16_t identifier,
                              std::uint16_t sequence, Octets data) {
  return impl_->send_echo(now, to, identifier, sequence, data);
}

}  // namespace estab
