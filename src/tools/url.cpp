#include "tools/url.h"

#include "tools/http_text.h"
#include "tools/units.h"

namespace estab::tools {
namespace {

std::unexpected<std::string> wrong(std::string reason) {
  return std::unexpected(std::move(reason));
}

std::expected<std::uint16_t, std::string> parse_port(std::string_view text) {
  if (text.empty()) return std::uint16_t{80};  // RFC 3986 §3.2.3: an empty port is the default
  auto port = parse_whole(text, {.what = "a port", .least = 1, .most = 65535});
  if (!port) return wrong("the port '" + std::string(text) + "' is " + port.error());
  return static_cast<std::uint16_t>(*port);
}

std::expected<IpAddress, std::string> parse_host(std::string_view host) {
  bool bracketed = host.starts_with('[');
  if (bracketed) host = host.substr(1, host.size() - 2);
  auto address = IpAddress::parse(host);
  if (address && address->is_v4() != bracketed) return *address;
  if (address && !bracketed) return wrong("write an IPv6 address in brackets: http://[::1]/");
  if (bracketed) return wrong("'[" + std::string(host) + "]' is not an IPv6 address");
  return wrong(
      "'" + std::string(host) +
      "' is not an IP address, and names are not resolved; write one, as in http://10.77.0.1/");
}

// Everything but visible ASCII must come percent-encoded; a space would end the request target.
bool is_sendable(std::string_view target) {
  for (char c : target)
    if (c <= ' ' || c > '~') return false;
  return true;
}

}  // namespace

std::expected<Url, std::string> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (equals_ignoring_case(text.substr(0, 8), "https://"))
    return wrong("https needs TLS, which estab does not have; use http://");
  if (!equals_ignoring_case(text.substr(0, kScheme.size()), kScheme))
    return wrong("a URL begins with http://, as in http://10.77.0.1/");
  text.remove_prefix(kScheme.size());
  text = text.substr(0, text.find('#'));

  std::size_t authority_end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, authority_end);
  std::string_view target = text.substr(authority_end);
  if (authority.find('@') != std::string_view::npos)
    return wrong("a user name in a URL is not supported");
  if (!is_sendable(target)) return wrong("the path has characters that must be percent-encoded");

  std::size_t host_end = authority.starts_with('[') ? authority.find(']') : authority.find(':');
  if (authority.starts_with('[') && host_end == std::string_view::npos)
    return wrong("the bracket before the IPv6 address is not closed");
  if (authority.starts_with('[')) ++host_end;
  if (!authority.starts_with('[') && host_end != authority.rfind(':'))
    return wrong("write an IPv6 address in brackets: http://[::1]/");
  host_end = std::min(host_end, authority.size());
  std::string_view after = authority.substr(host_end);
  if (!after.empty() && after.front() != ':')
    return wrong("'" + std::string(after) +
                 "' after the address is not a port, which begins with a colon");

  auto address = parse_host(authority.substr(0, host_end));
  if (!address) return std::unexpected(address.error());
  auto port = parse_port(after.empty() ? after : after.substr(1));
  if (!port) return std::unexpected(port.error());

  std::string full_target(target);
  if (!target.starts_with('/')) full_target.insert(0, "/");
  return Url{{*address, *port}, std::string(authority), full_target};
}

std::string file_name(const Url& url) {
  std::string_view path = std::string_view(url.target).substr(0, url.target.find('?'));
  std::string_view last = path.substr(path.rfind('/') + 1);
  auto decoded = percent_decode(last);
  if (!decoded || decoded->empty() || decoded->find('/') != std::string::npos || *decoded == "." ||
      *decoded == "..")
    return "index.html";
  return *decoded;
}

}  // namespace estab::tools
