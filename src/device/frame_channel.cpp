#include "device/frame_channel.h"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

namespace estab::device {
namespace {

template <class Call>
ssize_t uninterrupted(Call call) {
  ssize_t result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

/// The interface was deleted; the other end of a pair of sockets was closed. (A refusal by the peer
/// of a UDP socket is none of them: it may be there again.)
bool is_for_good(int error) {
  return error == EBADFD || error == EBADF || error == ENODEV || error == EPIPE ||
         error == ENOTCONN || error == ECONNRESET;
}

bool is_in_state(int descriptor, short state) {
  pollfd look{descriptor, 0, 0};
  return ::poll(&look, 1, 0) > 0 && (look.revents & state) != 0;
}

bool is_local(int descriptor) {
  int domain = 0;
  socklen_t length = sizeof domain;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
         domain == AF_UNIX;
}

std::array<std::uint8_t, 4> packet_info_of(std::uint8_t first_octet) {
  constexpr std::array<std::uint8_t, 4> kV4 = {0, 0, 0x08, 0x00}, kV6 = {0, 0, 0x86, 0xdd};
  return first_octet >> 4 == 4 ? kV4 : kV6;
}

iovec unconst(const std::uint8_t* data, std::size_t size) {
  return {const_cast<std::uint8_t*>(data), size};
}

}  // namespace

iovec FrameChannel::prefix_of(Prefix& prefix) const {
  switch (framing_) {
    case Framing::bare:
      break;
    case Framing::packet_info:
      return {prefix.info.data(), prefix.info.size()};
    case Framing::virtio:
      return {&prefix.virtio, sizeof prefix.virtio};
  }
  return {nullptr, 0};
}

bool FrameChannel::is_in_error() const {
  return is_in_state(descriptor(), POLLERR);
}

// ---- reading

ssize_t FrameChannel::receive(std::array<iovec, 2>& pieces) const {
  const bool bare = pieces[0].iov_len == 0;
  iovec* const first = bare ? &pieces[1] : pieces.data();
  const std::size_t count = bare ? 1 : 2;
  if (kind_ == Kind::file)
    return uninterrupted([&] { return ::readv(descriptor(), first, static_cast<int>(count)); });
  msghdr message{};
  message.msg_iov = first;
  message.msg_iovlen = count;
  return uninterrupted([&] { return ::recvmsg(descriptor(), &message, MSG_DONTWAIT); });
}

FrameChannel::Reading FrameChannel::read(MutableOctets into) const {
  Prefix prefix;
  std::array<iovec, 2> pieces = {prefix_of(prefix), {into.data(), into.size()}};
  const std::size_t before = pieces[0].iov_len;
  const ssize_t length = receive(pieces);
  if (length < 0)
    return {.outcome = is_for_good(errno) ? ReadOutcome::gone : ReadOutcome::none_waits};
  // Nothing was read from a socket: an empty message, or nobody is there any more.
  if (length == 0 && is_in_state(descriptor(), POLLHUP)) return {.outcome = ReadOutcome::gone};
  if (static_cast<std::size_t>(length) <= before) return {.outcome = ReadOutcome::none_waits};
  return {ReadOutcome::frame, static_cast<std::size_t>(length) - before, notes_of(prefix.virtio)};
}

// ---- writing

FrameChannel::WriteOutcome FrameChannel::send(iovec* pieces, std::size_t count) const {
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = count;
  const ssize_t written = uninterrupted([&] {
    return kind_ == Kind::file ? ::writev(descriptor(), pieces, static_cast<int>(count))
                               : ::sendmsg(descriptor(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  });
  if (written >= 0) return WriteOutcome::sent;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return WriteOutcome::would_block;
  if (is_for_good(errno)) return WriteOutcome::gone;
  if (errno == ECONNREFUSED && is_local(descriptor())) return WriteOutcome::gone;
  return WriteOutcome::refused;  // EIO: the interface is down; ENOMEM; EINVAL
}

FrameChannel::WriteOutcome FrameChannel::write(const TransmitFrame& frame) const {
  std::array<iovec, 2 + TransmitFrame::kMaxPieces> pieces;
  Prefix prefix;
  std::size_t count = 0;
  if (framing_ == Framing::virtio) prefix.virtio = virtio_header_of(frame);
  if (framing_ == Framing::packet_info) prefix.info = packet_info_of(frame.head[0]);
  if (framing_ != Framing::bare) pieces[count++] = prefix_of(prefix);
  pieces[count++] = unconst(frame.head.data(), frame.head_length);
  for (std::size_t i = 0; i < frame.piece_count; ++i)
    pieces[count++] = unconst(frame.pieces[i].data(), frame.pieces[i].size());
  return send(pieces.data(), count);
}

FrameChannel::WriteOutcome FrameChannel::write(const VirtioHeader& header, Octets frame) const {
  Prefix prefix{.virtio = header, .info = packet_info_of(frame.front())};
  std::array<iovec, 2> pieces = {prefix_of(prefix), unconst(frame.data(), frame.size())};
  const bool bare = framing_ == Framing::bare;
  return send(bare ? &pieces[1] : pieces.data(), bare ? 1 : 2);
}

}  // namespace estab::device
