// The arguments of system calls, from expressions to what the calls take. What cannot be understood
// is thrown as a Refusal.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "estab/address.h"

#include "drill/script.h"

namespace estab::drill {

enum class IpVersion : std::uint8_t { v4, v6, mapped };

/// What `...` stands for where an address is asked for, and which descriptors there are.
struct CallSetting {
  IpVersion ip_version = IpVersion::v4;
  Endpoint local{}, remote{};
  std::map<int, int> descriptors{};  ///< the script's numbers to the real ones
};

std::int64_t number_of(const Expression& expression);
int integer_of(const Expression& expression);
std::size_t size_of(const Expression& expression);
/// `[5]` or `5`.
std::int64_t element_of(const Expression& expression);
/// The value of a field, or null.
const Expression* field(const Expression& structure, std::string_view name);

/// The octets of "..." with its escapes read.
std::string unescaped(std::string_view text);
/// What is to be written: `count` octets, those of the text as far as there is one.
std::vector<std::uint8_t> octets_of(const Expression& expression, std::size_t count);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};
SocketAddress socket_address(const Endpoint& endpoint, IpVersion version);
/// An address written out, or `...`: then that of `otherwise`.
SocketAddress address_of(const Expression& expression, const Endpoint& otherwise,
                         IpVersion version);
/// An IPv4-mapped address comes out as an IPv4 one.
Endpoint endpoint_of(const SocketAddress& address);

}  // namespace estab::drill
