// Calls that make, name, open and end sockets.
#include "drill/call_parts.h"

namespace estab::drill {
namespace {

using posix::Outcome;
using Effect = ReadyCall::Effect;

struct NamedMaker {
  std::string_view name;
  Maker make;
};

/// `...` for the family: that of the script.
int domain_of(const Expression& expression, IpVersion version) {
  if (!expression.is_ellipsis()) return integer_of(expression);
  return version == IpVersion::v4 ? AF_INET : AF_INET6;
}

ReadyCall make_socket(const CallMaker& maker) {
  maker.expect_arguments(3, 3);
  const int domain = domain_of(maker.argument(0), maker.setting.ip_version);
  const int type = integer_of(maker.argument(1));
  const int protocol = integer_of(maker.argument(2));
  return {.attempt = [=, &sockets = maker.sockets](
                         Instant) { return sockets.socket(domain, type, protocol); },
          .gives = ReadyCall::Gives::descriptor,
          .effect = Effect::opens};
}

ReadyCall make_bind(const CallMaker& maker) {
  maker.expect_arguments(3, 3);
  const int fd = maker.descriptor(0);
  const SocketAddress address =
      address_of(maker.argument(1), maker.setting.local, maker.setting.ip_version);
  const socklen_t length = maker.argument(2).is_ellipsis()
                               ? address.length
                               : static_cast<socklen_t>(size_of(maker.argument(2)));
  return {.attempt = [=, &sockets = maker.sockets](Instant) {
    return sockets.bind(fd, address.get(), length);
  }};
}

ReadyCall make_listen(const CallMaker& maker) {
  maker.expect_arguments(2, 2);
  const int fd = maker.descriptor(0);
  const int backlog = integer_of(maker.argument(1));
  return {.attempt = [=, &sockets = maker.sockets](
                         Instant now) { return sockets.listen(now, fd, backlog); },
          .effect = Effect::listens,
          .descriptor = fd};
}

ReadyCall make_connect(const CallMaker& maker) {
  maker.expect_arguments(3, 3);
  const int fd = maker.descriptor(0);
  const SocketAddress address =
      address_of(maker.argument(1), maker.setting.remote, maker.setting.ip_version);
  const socklen_t length = maker.argument(2).is_ellipsis()
                               ? address.length
                               : static_cast<socklen_t>(size_of(maker.argument(2)));
  return {.attempt = [=, &sockets = maker.sockets](
                         Instant now) { return sockets.connect(now, fd, address.get(), length); },
          .effect = Effect::connects,
          .descriptor = fd,
          .remote = endpoint_of(address)};
}

/// accept, getsockname and getpeername write an address that the script may spell out.
std::function<std::optional<std::string>(const Outcome&)> check_address(
    const CallMaker& maker, const std::shared_ptr<SocketAddress>& got) {
  const Expression& expected = maker.argument(1);
  if (expected.kind != Expression::Kind::structure) return {};
  const SocketAddress address = address_of(expected, {}, maker.setting.ip_version);
  return [address, got](const Outcome& outcome) -> std::optional<std::string> {
    if (outcome.value < 0 || endpoint_of(address) == endpoint_of(*got)) return std::nullopt;
    return "the address is " + to_string(endpoint_of(*got)) + ", expected " +
           to_string(endpoint_of(address));
  };
}

ReadyCall make_accept(const CallMaker& maker) {
  maker.expect_arguments(3, 4);
  const int fd = maker.descriptor(0);
  const int flags = maker.call.arguments.size() == 4 ? integer_of(maker.argument(3)) : 0;
  auto address = std::make_shared<SocketAddress>();
  return {.attempt =
              [=, &sockets = maker.sockets](Instant now) {
                address->length = sizeof address->storage;
                return sockets.accept(now, fd, address->get(), &address->length, flags);
              },
          .check = check_address(maker, address),
          .gives = ReadyCall::Gives::descriptor,
          .effect = Effect::accepts,
          .descriptor = fd};
}

ReadyCall make_name_getter(const CallMaker& maker,
                           Outcome (posix::Sockets::*get)(int, sockaddr*, socklen_t*)) {
  maker.expect_arguments(3, 3);
  const int fd = maker.descriptor(0);
  auto address = std::make_shared<SocketAddress>();
  return {.attempt =
              [=, &sockets = maker.sockets](Instant) {
                address->length = sizeof address->storage;
                return (sockets.*get)(fd, address->get(), &address->length);
              },
          .check = check_address(maker, address)};
}

ReadyCall make_getsockname(const CallMaker& maker) {
  return make_name_getter(maker, &posix::Sockets::getsockname);
}
ReadyCall make_getpeername(const CallMaker& maker) {
  return make_name_getter(maker, &posix::Sockets::getpeername);
}

ReadyCall make_shutdown(const CallMaker& maker) {
  maker.expect_arguments(2, 2);
  const int fd = maker.descriptor(0);
  const int how = integer_of(maker.argument(1));
  return {.attempt = [=, &sockets = maker.sockets](Instant now) {
    return sockets.shutdown(now, fd, how);
  }};
}

ReadyCall make_close(const CallMaker& maker) {
  maker.expect_arguments(1, 1);
  const int fd = maker.descriptor(0);
  return {.attempt = [=, &sockets = maker.sockets](Instant now) { return sockets.close(now, fd); },
          .effect = Effect::closes,
          .descriptor = fd};
}

constexpr NamedMaker kCalls[] = {
    {"socket", make_socket},           {"bind", make_bind},
    {"listen", make_listen},           {"connect", make_connect},
    {"accept", make_accept},           {"accept4", make_accept},
    {"getsockname", make_getsockname}, {"getpeername", make_getpeername},
    {"shutdown", make_shutdown},       {"close", make_close},
};

}  // namespace

Maker find_naming_call(std::string_view name) {
  for (const NamedMaker& entry : kCalls)
    if (entry.name == name) return entry.make;
  return nullptr;
}

}  // namespace estab::drill
