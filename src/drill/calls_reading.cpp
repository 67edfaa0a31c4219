// Calls that take octets out.
#include <cstring>

#include "drill/call_parts.h"

namespace estab::drill {
namespace {

using posix::Outcome;
using Buffer = std::vector<std::uint8_t>;

struct NamedMaker {
  std::string_view name;
  Maker make;
};

constexpr std::size_t kControlRoom = 1024;

std::function<std::optional<std::string>(const Outcome&)> check_buffer(
    const Expression& expected, const std::shared_ptr<Buffer>& buffer) {
  return [&expected, buffer](const Outcome& outcome) {
    return compare_text(expected, *buffer, outcome.value);
  };
}

ReadyCall make_read(const CallMaker& maker) {
  maker.expect_arguments(3, 3);
  const int fd = maker.descriptor(0);
  auto buffer = std::make_shared<Buffer>(size_of(maker.argument(2)));
  return {
      .attempt = [=, &sockets = maker.sockets](
                     Instant now) { return sockets.read(now, fd, buffer->data(), buffer->size()); },
      .check = check_buffer(maker.argument(1), buffer)};
}

ReadyCall make_recv(const CallMaker& maker) {
  maker.expect_arguments(4, 4);
  const int fd = maker.descriptor(0);
  auto buffer = std::make_shared<Buffer>(size_of(maker.argument(2)));
  const int flags = integer_of(maker.argument(3));
  return {.attempt =
              [=, &sockets = maker.sockets](Instant now) {
                return sockets.recv(now, fd, buffer->data(), buffer->size(), flags);
              },
          .check = check_buffer(maker.argument(1), buffer)};
}

ReadyCall make_recvfrom(const CallMaker& maker) {
  maker.expect_arguments(6, 6);
  const int fd = maker.descriptor(0);
  auto buffer = std::make_shared<Buffer>(size_of(maker.argument(2)));
  auto from = std::make_shared<SocketAddress>();
  const int flags = integer_of(maker.argument(3));
  const Expression& address = maker.argument(4);
  std::optional<Endpoint> expected;
  if (address.kind == Expression::Kind::structure)
    expected = endpoint_of(address_of(address, {}, maker.setting.ip_version));
  return {.attempt =
              [=, &sockets = maker.sockets](Instant now) {
                from->length = sizeof from->storage;
                return sockets.recvfrom(now, fd, buffer->data(), buffer->size(), flags, from->get(),
                                        &from->length);
              },
          .check = [=, text = check_buffer(maker.argument(1), buffer)](
                       const Outcome& outcome) -> std::optional<std::string> {
            if (expected && outcome.value >= 0 && endpoint_of(*from) != *expected)
              return "it came from " + to_string(endpoint_of(*from)) + ", expected " +
                     to_string(*expected);
            return text(outcome);
          }};
}

std::optional<std::string> compare_vectors(const Vectors& vectors, std::int64_t count) {
  for (std::size_t i = 0; i < vectors.buffers.size() && count > 0; ++i) {
    const auto size = static_cast<std::int64_t>(vectors.buffers[i].size());
    if (auto found = compare_text(*vectors.texts[i], vectors.buffers[i], std::min(size, count)))
      return found;
    count -= size;
  }
  return std::nullopt;
}

ReadyCall make_readv(const CallMaker& maker) {
  maker.expect_arguments(3, 3);
  const int fd = maker.descriptor(0);
  auto vectors = make_vectors(maker.argument(1));
  const int count = integer_of(maker.argument(2));
  return {
      .attempt =
          [=, &sockets = maker.sockets](Instant now) {
            return sockets.readv(now, fd, vectors->vectors.data(), count);
          },
      .check = [=](const Outcome& outcome) { return compare_vectors(*vectors, outcome.value); }};
}

/// One message of `msg_control=[{cmsg_level=..., cmsg_type=..., cmsg_data=...}]`.
std::optional<std::string> compare_control(const Expression& expected, const cmsghdr* got) {
  const Expression* level = field(expected, "cmsg_level");
  const Expression* type = field(expected, "cmsg_type");
  const Expression* data = field(expected, "cmsg_data");
  if (level == nullptr || type == nullptr || data == nullptr)
    mistake("a control message has cmsg_level, cmsg_type and cmsg_data");
  if (data->kind == Expression::Kind::structure)
    refuse("control messages of that kind are not among those the stack has");
  if (got == nullptr) return "a control message is missing";
  int value = 0;
  std::memcpy(&value, CMSG_DATA(got), sizeof value);
  if (auto found = compare_numbers("cmsg_level", integer_of(*level), got->cmsg_level)) return found;
  if (auto found = compare_numbers("cmsg_type", integer_of(*type), got->cmsg_type)) return found;
  return compare_numbers("cmsg_data", integer_of(*data), value);
}

std::optional<std::string> compare_message(const Expression& expected, msghdr& message) {
  const Expression* flags = field(expected, "msg_flags");
  if (flags != nullptr && !flags->is_ellipsis())
    if (auto found = compare_numbers("msg_flags", integer_of(*flags), message.msg_flags))
      return found;
  const Expression* control = field(expected, "msg_control");
  if (control == nullptr || control->kind != Expression::Kind::array) return std::nullopt;
  const cmsghdr* got = CMSG_FIRSTHDR(&message);
  for (const Expression& each : control->items) {
    if (auto found = compare_control(each, got)) return found;
    got = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(got));
  }
  if (got != nullptr) return "there is a control message more than expected";
  return std::nullopt;
}

ReadyCall make_recvmsg(const CallMaker& maker) {
  maker.expect_arguments(3, 3);
  const int fd = maker.descriptor(0);
  const Expression& expected = maker.argument(1);
  const Expression* io = field(expected, "msg_iov");
  if (io == nullptr) mistake("a message has msg_iov(1)=[{..., 100}]");
  auto vectors = make_vectors(*io);
  const int flags = integer_of(maker.argument(2));
  auto control = std::make_shared<Buffer>(kControlRoom);
  auto from = std::make_shared<SocketAddress>();
  auto message = std::make_shared<msghdr>();
  return {.attempt =
              [=, &sockets = maker.sockets](Instant now) {
                *message = {};
                message->msg_name = from->get();
                message->msg_namelen = sizeof from->storage;
                message->msg_iov = vectors->vectors.data();
                message->msg_iovlen = vectors->vectors.size();
                message->msg_control = control->data();
                message->msg_controllen = control->size();
                return sockets.recvmsg(now, fd, message.get(), flags);
              },
          .check = [=, &expected](const Outcome& outcome) -> std::optional<std::string> {
            if (outcome.value < 0) return std::nullopt;
            if (auto found = compare_vectors(*vectors, outcome.value)) return found;
            return compare_message(expected, *message);
          }};
}

constexpr NamedMaker kCalls[] = {
    {"read", make_read},         {"readv", make_readv},     {"recv", make_recv},
    {"recvfrom", make_recvfrom}, {"recvmsg", make_recvmsg},
};

}  // namespace

Maker find_reading_call(std::string_view name) {
  for (const NamedMaker& entry : kCalls)
    if (entry.name == name) return entry.make;
  return nullptr;
}

}  // namespace estab::drill
