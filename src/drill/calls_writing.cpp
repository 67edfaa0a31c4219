// Calls that put octets in.
#include "drill/call_parts.h"

namespace estab::drill {
namespace {

using Buffer = std::vector<std::uint8_t>;

struct NamedMaker {
  std::string_view name;
  Maker make;
};

std::shared_ptr<Buffer> octets_to_write(const CallMaker& maker) {
  return std::make_shared<Buffer>(octets_of(maker.argument(1), size_of(maker.argument(2))));
}

ReadyCall make_write(const CallMaker& maker) {
  maker.expect_arguments(3, 3);
  const int fd = maker.descriptor(0);
  auto octets = octets_to_write(maker);
  return {.attempt = [=, &sockets = maker.sockets](Instant now) {
    return sockets.write(now, fd, octets->data(), octets->size());
  }};
}

ReadyCall make_send(const CallMaker& maker) {
  maker.expect_arguments(4, 4);
  const int fd = maker.descriptor(0);
  auto octets = octets_to_write(maker);
  const int flags = integer_of(maker.argument(3));
  return {.attempt = [=, &sockets = maker.sockets](Instant now) {
    return sockets.send(now, fd, octets->data(), octets->size(), flags);
  }};
}

ReadyCall make_sendto(const CallMaker& maker) {
  maker.expect_arguments(6, 6);
  const int fd = maker.descriptor(0);
  auto octets = octets_to_write(maker);
  const int flags = integer_of(maker.argument(3));
  const SocketAddress to =
      address_of(maker.argument(4), maker.setting.remote, maker.setting.ip_version);
  return {.attempt =
              [=, &sockets = maker.sockets](Instant now) {
                const sockaddr* address = to.length == 0 ? nullptr : to.get();
                return sockets.sendto(now, fd, octets->data(), octets->size(), flags, address,
                                      to.length);
              },
          .effect = to.length == 0 ? ReadyCall::Effect::none : ReadyCall::Effect::connects,
          .descriptor = fd,
          .remote = endpoint_of(to)};
}

ReadyCall make_writev(const CallMaker& maker) {
  maker.expect_arguments(3, 3);
  const int fd = maker.descriptor(0);
  auto vectors = make_vectors(maker.argument(1));
  const int count = integer_of(maker.argument(2));
  return {.attempt = [=, &sockets = maker.sockets](Instant now) {
    return sockets.writev(now, fd, vectors->vectors.data(), count);
  }};
}

ReadyCall make_sendmsg(const CallMaker& maker) {
  maker.expect_arguments(3, 3);
  const int fd = maker.descriptor(0);
  const Expression& written = maker.argument(1);
  const Expression* io = field(written, "msg_iov");
  if (io == nullptr) mistake("a message has msg_iov(1)=[{..., 100}]");
  const Expression* control = field(written, "msg_control");
  if (control != nullptr && control->kind == Expression::Kind::array && !control->items.empty())
    refuse("control messages with what is sent are not among those the stack has");
  auto vectors = make_vectors(*io);
  const int flags = integer_of(maker.argument(2));
  const Expression* name = field(written, "msg_name");
  auto to = std::make_shared<SocketAddress>();
  if (name != nullptr && name->kind == Expression::Kind::structure)
    *to = address_of(*name, {}, maker.setting.ip_version);
  return {.attempt = [=, &sockets = maker.sockets](Instant now) {
    msghdr message{};
    if (to->length != 0) {
      message.msg_name = to->get();
      message.msg_namelen = to->length;
    }
    message.msg_iov = vectors->vectors.data();
    message.msg_iovlen = vectors->vectors.size();
    return sockets.sendmsg(now, fd, &message, flags);
  }};
}

constexpr NamedMaker kCalls[] = {
    {"write", make_write},   {"writev", make_writev},   {"send", make_send},
    {"sendto", make_sendto}, {"sendmsg", make_sendmsg},
};

}  // namespace

Maker find_writing_call(std::string_view name) {
  for (const NamedMaker& entry : kCalls)
    if (entry.name == name) return entry.make;
  return nullptr;
}

}  // namespace estab::drill
