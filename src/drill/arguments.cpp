#include "drill/arguments.h"

#include <cstring>

#include <netinet/in.h>

#include "base/byte_order.h"
#include "drill/refusal.h"
#include "drill/symbols.h"

namespace estab::drill {
namespace {

constexpr std::size_t kLargestBuffer = 64 << 20;

std::int64_t apply(const Expression& operation) {
  const std::int64_t left = number_of(operation.items[0]);
  if (operation.items.size() == 1) return operation.text == "~" ? ~left : -left;
  const std::int64_t right = number_of(operation.items[1]);
  switch (operation.text[0]) {
    case '|':
      return left | right;
    case '&':
      return left & right;
    case '+':
      return left + right;
    default:
      return left * right;
  }
}

std::int64_t named_number(const std::string& name) {
  if (const auto value = symbol(name)) return *value;
  refuse("the constant '" + name + "' is not known");
}

/// `inet_addr("192.0.2.1")` or `inet_pton(AF_INET6, "2001:db8::1", ...)`.
IpAddress address_in(const Expression& expression) {
  if (expression.kind == Expression::Kind::call)
    for (const Expression& argument : expression.items)
      if (argument.kind == Expression::Kind::text)
        if (const auto address = IpAddress::parse(argument.text)) return *address;
  mistake("an address is written as in inet_addr(\"192.0.2.1\")");
}

std::uint16_t port_in(const Expression& expression) {
  const bool is_call = expression.kind == Expression::Kind::call && expression.text == "htons" &&
                       expression.items.size() == 1;
  if (!is_call) mistake("a port is written as in htons(8080)");
  return static_cast<std::uint16_t>(number_of(expression.items[0]));
}

const Expression* first_field(const Expression& structure,
                              std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const Expression* found = field(structure, name)) return found;
  return nullptr;
}

}  // namespace

std::int64_t number_of(const Expression& expression) {
  switch (expression.kind) {
    case Expression::Kind::integer:
      return expression.number;
    case Expression::Kind::word:
      return named_number(expression.text);
    case Expression::Kind::operation:
      return apply(expression);
    default:
      mistake("a number or a constant is expected where something else stands");
  }
}

int integer_of(const Expression& expression) {
  return static_cast<int>(number_of(expression));
}

std::size_t size_of(const Expression& expression) {
  const std::int64_t number = number_of(expression);
  if (number < 0 || number > static_cast<std::int64_t>(kLargestBuffer))
    mistake("the size " + std::to_string(number) + " is not between 0 and 64 MiB");
  return static_cast<std::size_t>(number);
}

std::int64_t element_of(const Expression& expression) {
  if (expression.kind != Expression::Kind::array) return number_of(expression);
  if (expression.items.size() != 1) mistake("one number in brackets is expected, as in [1]");
  return number_of(expression.items[0]);
}

const Expression* field(const Expression& structure, std::string_view name) {
  for (const Expression& item : structure.items)
    if (item.label == name) return &item;
  return nullptr;
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain += text[i];
      continue;
    }
    const char next = text[++i];
    if (next == 'x' && i + 2 < text.size() + 0) {
      plain +=
          static_cast<char>(std::strtoul(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      static constexpr std::string_view kFrom = "nrt0", kTo{"\n\r\t\0", 4};
      const std::size_t known = kFrom.find(next);
      plain += known == kFrom.npos ? next : kTo[known];
    }
  }
  return plain;
}

std::vector<std::uint8_t> octets_of(const Expression& expression, std::size_t count) {
  std::vector<std::uint8_t> octets(count);
  if (expression.kind == Expression::Kind::text) {
    const std::string text = unescaped(expression.text);
    std::memcpy(octets.data(), text.data(), std::min(text.size(), count));
  } else if (!expression.is_ellipsis() && expression.kind != Expression::Kind::word) {
    mistake("octets are written as \"text\" or ...");
  }
  return octets;
}

SocketAddress socket_address(const Endpoint& endpoint, IpVersion version) {
  SocketAddress address;
  if (version == IpVersion::v4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    v4.sin_addr.s_addr = htonl(endpoint.address.is_v4() ? endpoint.address.v4_number() : 0);
    std::memcpy(&address.storage, &v4, sizeof v4);
    address.length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, endpoint.address.octets().data(), 16);
    std::memcpy(&address.storage, &v6, sizeof v6);
    address.length = sizeof v6;
  }
  return address;
}

SocketAddress address_of(const Expression& expression, const Endpoint& otherwise,
                         IpVersion version) {
  if (expression.is_ellipsis()) return socket_address(otherwise, version);
  if (expression.kind == Expression::Kind::word) return {};  // NULL
  if (expression.kind == Expression::Kind::integer && expression.number == 0) return {};
  const Expression* family = first_field(expression, {"sa_family", "sin_family", "sin6_family"});
  if (family == nullptr) mistake("an address is written as {sa_family = AF_INET, sin_port = ...}");
  const std::int64_t number = number_of(*family);
  SocketAddress address;
  const Expression* port = first_field(expression, {"sin_port", "sin6_port"});
  const Expression* host = first_field(expression, {"sin_addr", "sin6_addr"});
  if (port != nullptr && host != nullptr)
    address = socket_address({address_in(*host), port_in(*port)},
                             number == AF_INET ? IpVersion::v4 : IpVersion::v6);
  else
    address.length = sizeof(sockaddr_in);
  address.storage.ss_family = static_cast<sa_family_t>(number);
  return address;
}

Endpoint endpoint_of(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address.storage, sizeof v4);
    return {IpAddress::v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
  }
  if (address.storage.ss_family != AF_INET6) return {};
  sockaddr_in6 v6;
  std::memcpy(&v6, &address.storage, sizeof v6);
  std::array<std::uint8_t, 16> octets;
  std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
  return {IpAddress::v6(octets), ntohs(v6.sin6_port)};
}

}  // namespace estab::drill
