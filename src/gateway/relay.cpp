#include "gateway/relay.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/socket.h>
#include <sys/uio.h>

#include "estab/when.h"

namespace estab::gateway {

namespace {

/// How long a guest may take for what came before a reset.
constexpr Duration kDeliveryLimit = std::chrono::seconds(30);

ssize_t send_views(int socket, std::span<const Octets> views) {
  std::array<iovec, 16> pieces;
  const std::size_t count = std::min(views.size(), pieces.size());
  for (std::size_t i = 0; i < count; ++i)
    pieces[i] = {const_cast<std::uint8_t*>(views[i].data()), views[i].size()};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool is_to_be_tried_again(int number) {
  return number == EAGAIN || number == EINTR;
}

}  // namespace

Relay::~Relay() {
  if (!up_ && !down_) return;
  guest_.abort();
  reset_socket(upstream_);
}

Task<Ended> Relay::run() {
  Ended how = Ended::in_order;
  while (how == Ended::in_order && (up_ || down_)) how = co_await until_one_ends();
  if (how == Ended::guest_failed) reset_socket(upstream_);
  if (how == Ended::upstream_failed) co_await deliver_then_reset();
  up_ = down_ = false;
  upstream_ = {};
  guest_.close();
  co_return how;
}

// Neither direction holds anything between two of its steps, so the one that goes on can be begun
// anew. While a direction is over, the side it led from is watched all the same: it may fail.
Task<Ended> Relay::until_one_ends() {
  if (up_ && down_) {
    auto first = co_await when_any(carry_up(), carry_down());
    co_return first.index() == 0 ? end_up(std::get<0>(first)) : end_down(std::get<1>(first));
  }
  if (up_) {
    auto first = co_await when_any(carry_up(), host_.hung_up(upstream_.number()));
    co_return first.index() == 0 ? end_up(std::get<0>(first)) : Ended::upstream_failed;
  }
  auto first = co_await when_any(carry_down(), guest_.closed());
  co_return first.index() == 0 ? end_down(std::get<0>(first)) : Ended::guest_failed;
}

Task<Ended> Relay::carry_up() {
  for (;;) {
    const auto views = co_await guest_.peek();
    if (!views)
      co_return views.error() == Error::end_of_stream ? Ended::in_order : Ended::guest_failed;
    const ssize_t sent = send_views(upstream_.number(), *views);
    if (sent >= 0) {
      octets_up_ += static_cast<std::uint64_t>(sent);
      static_cast<void>(guest_.consume(static_cast<std::size_t>(sent)));
    } else if (is_to_be_tried_again(errno)) {
      static_cast<void>(co_await host_.writable(upstream_.number()));
    } else {
      co_return Ended::upstream_failed;
    }
  }
}

// Only what the guest's side has room for is read, and it is handed on at once.
Task<Ended> Relay::carry_down() {
  for (;;) {
    const auto room = co_await guest_.room();
    if (!room) co_return Ended::guest_failed;
    const std::size_t most = std::min(guest_.writable(), scratch_.size());
    const ssize_t got = ::recv(upstream_.number(), scratch_.data(), most, MSG_DONTWAIT);
    if (got > 0) {
      const Octets octets = Octets(scratch_).first(static_cast<std::size_t>(got));
      const auto taken = host_.stack().send(host_.now(), guest_.id(), octets);
      if (!taken || *taken != octets.size()) co_return Ended::guest_failed;
      octets_down_ += octets.size();
    } else if (got == 0) {
      co_return Ended::in_order;
    } else if (is_to_be_tried_again(errno)) {
      static_cast<void>(co_await host_.readable(upstream_.number()));
    } else {
      co_return Ended::upstream_failed;
    }
  }
}

Ended Relay::end_up(Ended how) {
  if (how != Ended::in_order) return how;
  up_ = false;
  return ::shutdown(upstream_.number(), SHUT_WR) == 0 ? how : Ended::upstream_failed;
}

Ended Relay::end_down(Ended how) {
  if (how != Ended::in_order) return how;
  down_ = false;
  return guest_.shutdown() ? how : Ended::guest_failed;
}

// The kernel tells of a reset once, to whoever asks first, and lets the octets before it be read
// all the same; what follows them then looks like an end in order, and is none. On the guest's side
// a reset overtakes what is still on the way: with a send buffer of one octet there is room again
// when all of that has been acknowledged.
Task<> Relay::deliver_then_reset() {
  if (down_) {
    const auto rest = co_await when_any(carry_down(), guest_.closed(), host_.sleep(kDeliveryLimit));
    if (rest.index() == 0) {
      static_cast<void>(guest_.reconfigure([](TcpConfig& config) { config.send_buffer = 1; }));
      static_cast<void>(co_await guest_.room().within(kDeliveryLimit));
    }
  }
  guest_.abort();
}

void reset_socket(host::OwnedDescriptor& socket) {
  const linger at_once{1, 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket = {};
}

}  // namespace estab::gateway
