#include "gateway/socks5.h"

#include <array>
#include <cerrno>
#include <cstdint>

#include <sys/socket.h>

namespace estab::gateway {

using host::OwnedDescriptor;

namespace {

constexpr std::uint8_t kVersion = 5, kConnect = 1;
constexpr std::uint8_t kNoAuthentication = 0, kNameAndPassword = 2;
constexpr std::uint8_t kV4 = 1, kName = 3, kV6 = 4;
constexpr std::uint8_t kSucceeded = 0;

Task<bool> send_whole(Host& host, int socket, Octets octets) {
  while (!octets.empty()) {
    const ssize_t sent = ::send(socket, octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      octets = octets.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EINTR) {
      static_cast<void>(co_await host.writable(socket));
    } else {
      co_return false;
    }
  }
  co_return true;
}

/// So many octets and none more; false if they do not come.
Task<bool> receive_whole(Host& host, int socket, MutableOctets into) {
  while (!into.empty()) {
    const ssize_t got = ::recv(socket, into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) {
      into = into.subspan(static_cast<std::size_t>(got));
    } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      static_cast<void>(co_await host.readable(socket));
    } else {
      co_return false;
    }
  }
  co_return true;
}

void append(std::vector<std::uint8_t>& message, const std::string& text) {
  message.push_back(static_cast<std::uint8_t>(text.size()));
  message.insert(message.end(), text.begin(), text.end());
}

std::vector<std::uint8_t> connect_request(const Endpoint& to) {
  std::vector<std::uint8_t> message = {kVersion, kConnect, 0, to.address.is_v4() ? kV4 : kV6};
  const Octets address = to.address.wire_octets();
  message.insert(message.end(), address.begin(), address.end());
  message.push_back(static_cast<std::uint8_t>(to.port >> 8));
  message.push_back(static_cast<std::uint8_t>(to.port));
  return message;
}

// Of a reply that fails too: what is bound is of any kind, and may be the name that was asked for.
Task<bool> skip_address(Host& host, int socket, std::uint8_t kind) {
  constexpr std::size_t kPort = 2;
  std::array<std::uint8_t, 255 + kPort> rest;
  std::uint8_t length = kind == kV4 ? 4 : 16;
  if (kind == kName) {
    const bool came = co_await receive_whole(host, socket, {&length, 1});
    if (!came) co_return false;
  } else if (kind != kV4 && kind != kV6) {
    co_return false;
  }
  co_return co_await receive_whole(host, socket, MutableOctets(rest).first(length + kPort));
}

}  // namespace

Refusal refusal_of_reply(std::uint8_t reply) {
  switch (reply) {
    case 2:
      return Refusal::prohibited;
    case 3:
      return Refusal::network_unreachable;
    case 4:
      return Refusal::host_unreachable;
    case 6:
      return Refusal::silence;  // it was a time-out there
    default:
      return Refusal::reset;
  }
}

Task<std::expected<OwnedDescriptor, Refusal>> Socks5Upstream::dial(Endpoint destination) {
  for (const Cidr& network : options_.guest_networks)
    if (network.contains(destination.address)) co_return std::unexpected(Refusal::host_unreachable);
  auto socket = co_await host_.within(options_.limit, negotiate(destination));
  if (!socket) co_return std::unexpected(Refusal::silence);
  co_return std::move(*socket);
}

std::expected<Endpoint, Refusal> Socks5Upstream::route_datagram(const Endpoint&) {
  return std::unexpected(Refusal::prohibited);
}

Task<std::expected<OwnedDescriptor, Refusal>> Socks5Upstream::negotiate(Endpoint destination) {
  auto socket = co_await connect_socket(host_, options_.proxy);
  if (!socket) co_return std::unexpected(Refusal::network_unreachable);
  const int number = socket->number();
  const bool taken = co_await introduce(number);
  if (!taken) co_return std::unexpected(Refusal::prohibited);
  const auto request = connect_request(destination);
  std::array<std::uint8_t, 4> reply{};
  const bool came = co_await ask(number, request, reply);
  if (!came || reply[0] != kVersion) co_return std::unexpected(Refusal::reset);
  const bool whole = co_await skip_address(host_, number, reply[3]);
  if (reply[1] != kSucceeded) co_return std::unexpected(refusal_of_reply(reply[1]));
  if (!whole) co_return std::unexpected(Refusal::reset);
  co_return std::move(*socket);
}

// The password is offered only if there is one: some proxies choose it whenever they may.
Task<bool> Socks5Upstream::introduce(int socket) {
  std::vector<std::uint8_t> message = {kVersion, 1, kNoAuthentication};
  if (options_.credentials) message = {kVersion, 2, kNoAuthentication, kNameAndPassword};
  std::array<std::uint8_t, 2> answer{};
  const bool chosen = co_await ask(socket, message, answer);
  if (!chosen || answer[0] != kVersion) co_return false;
  if (answer[1] == kNoAuthentication) co_return true;
  if (answer[1] != kNameAndPassword || !options_.credentials) co_return false;
  message = {1};  // the version of RFC 1929
  append(message, options_.credentials->name);
  append(message, options_.credentials->password);
  const bool judged = co_await ask(socket, message, answer);
  co_return judged&& answer[1] == 0;
}

Task<bool> Socks5Upstream::ask(int socket, Octets question, MutableOctets answer) {
  const bool sent = co_await send_whole(host_, socket, question);
  if (!sent) co_return false;
  co_return co_await receive_whole(host_, socket, answer);
}

}  // namespace estab::gateway
