// Addresses as text. Law: what is read is exactly what RFC 4291 §2.2 and the dotted quad allow,
// with nothing before or after it but a zone (RFC 4007 §11.2); a number with a leading zero is
// refused, because some read it as octal. What is written is the one form of RFC 5952 §4.
#include "estab/address.h"

#include <algorithm>
#include <charconv>

#include "base/byte_order.h"

namespace estab {
namespace {

constexpr std::size_t kGroups = 8;
constexpr std::uint8_t kMaxPrefixV4 = 32;
constexpr std::uint8_t kMaxPrefixV6 = 128;

/// Up to eight 16-bit groups of an IPv6 address.
struct Groups {
  std::array<std::uint16_t, kGroups> values{};
  std::size_t count = 0;

  [[nodiscard]] bool push(std::uint32_t value) {
    if (count == kGroups) return false;
    values[count++] = static_cast<std::uint16_t>(value);
    return true;
  }
};

std::optional<std::uint32_t> parse_number(std::string_view text, int base) {
  std::uint32_t value = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [stopped, error] = std::from_chars(begin, end, value, base);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> parse_decimal(std::string_view text, std::uint32_t max) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  const auto value = parse_number(text, 10);
  if (!value || *value > max) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> parse_group(std::string_view text) {
  if (text.size() > 4) return std::nullopt;
  return parse_number(text, 16);
}

std::optional<std::uint32_t> parse_dotted_quad(std::string_view text) {
  std::uint32_t number = 0;
  for (int field = 0; field < 4; ++field) {
    const std::size_t end = field < 3 ? text.find('.') : text.size();
    if (end == std::string_view::npos) return std::nullopt;
    const auto octet = parse_decimal(text.substr(0, end), 255);
    if (!octet) return std::nullopt;
    number = number << 8 | *octet;
    if (field < 3) text.remove_prefix(end + 1);
  }
  return number;
}

std::optional<IpAddress> parse_v4(std::string_view text) {
  const auto number = parse_dotted_quad(text);
  if (!number) return std::nullopt;
  return IpAddress::v4(*number);
}

/// The last piece of an IPv6 address: a group, or a dotted quad that stands for two.
bool parse_last_piece(std::string_view piece, Groups& groups) {
  if (!piece.contains('.')) {
    const auto group = parse_group(piece);
    return group && groups.push(*group);
  }
  const auto quad = parse_dotted_quad(piece);
  return quad && groups.push(*quad >> 16) && groups.push(*quad & 0xffff);
}

/// Groups with a colon between each two.
std::optional<Groups> parse_groups(std::string_view text) {
  Groups groups;
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos;
       colon = text.find(':')) {
    const auto group = parse_group(text.substr(0, colon));
    if (!group || !groups.push(*group)) return std::nullopt;
    text.remove_prefix(colon + 1);
  }
  if (!parse_last_piece(text, groups)) return std::nullopt;
  return groups;
}

std::optional<Groups> parse_side(std::string_view text) {
  if (text.empty()) return Groups();
  return parse_groups(text);
}

/// `::` stands for one group of zeros or more (RFC 4291 §2.2).
std::optional<Groups> parse_compressed(std::string_view left, std::string_view right) {
  if (left.contains('.')) return std::nullopt;
  auto groups = parse_side(left);
  const auto last = parse_side(right);
  if (!groups || !last || groups->count + last->count >= kGroups) return std::nullopt;
  std::copy_n(last->values.begin(), last->count, groups->values.end() - last->count);
  groups->count = kGroups;
  return groups;
}

std::optional<IpAddress> parse_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  const auto groups = gap == std::string_view::npos
                          ? parse_groups(text)
                          : parse_compressed(text.substr(0, gap), text.substr(gap + 2));
  if (!groups || groups->count != kGroups) return std::nullopt;
  std::array<std::uint8_t, 16> octets;
  for (std::size_t i = 0; i < kGroups; ++i) base::store_be16(&octets[2 * i], groups->values[i]);
  return IpAddress::v6(octets);
}

/// A zone's number, or the number of the zone of that name.
std::optional<std::uint16_t> parse_zone(std::string_view text, ZoneLookup zones) {
  if (text.empty()) return std::nullopt;
  if (const auto named = zones(text)) return named;
  const auto number = parse_decimal(text, 0xffff);
  if (!number || *number == 0) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::optional<IpAddress> parse_v6_in_zone(std::string_view text, ZoneLookup zones) {
  const std::size_t percent = text.find('%');
  const auto address = parse_v6(text.substr(0, percent));
  if (!address || percent == std::string_view::npos) return address;
  const auto zone = parse_zone(text.substr(percent + 1), zones);
  if (!zone || !address->is_zoned()) return std::nullopt;
  return address->in_zone(*zone);
}

void append_number(std::string& text, std::uint32_t value, int base) {
  std::array<char, 12> digits;
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, base);
  text.append(digits.data(), end);
}

std::string v4_to_string(const IpAddress& address) {
  std::string text;
  for (std::uint8_t octet : address.wire_octets()) {
    if (!text.empty()) text += '.';
    append_number(text, octet, 10);
  }
  return text;
}

struct Run {
  std::size_t begin = 0;
  std::size_t length = 0;
};

/// The longest run of zero groups, the first of equals (RFC 5952 §4.2.3). One group alone is never
/// shortened (§4.2.2): no run then.
Run longest_zero_run(const std::array<std::uint16_t, kGroups>& groups) {
  Run longest;
  Run current;
  for (std::size_t i = 0; i < kGroups; ++i) {
    current = groups[i] == 0 ? Run{current.begin, current.length + 1} : Run{i + 1, 0};
    if (current.length > longest.length) longest = current;
  }
  return longest.length < 2 ? Run() : longest;
}

std::string v6_to_string(const IpAddress& address) {
  std::array<std::uint16_t, kGroups> groups;
  for (std::size_t i = 0; i < kGroups; ++i) groups[i] = base::load_be16(&address.octets()[2 * i]);
  const Run zeros = longest_zero_run(groups);

  std::string text;
  for (std::size_t i = 0; i < kGroups;) {
    if (zeros.length > 0 && i == zeros.begin) {
      text += "::";
      i += zeros.length;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    append_number(text, groups[i++], 16);
  }
  if (address.zone() != 0) {
    text += '%';
    append_number(text, address.zone(), 10);
  }
  return text;
}

std::uint8_t max_prefix(const IpAddress& address) {
  return address.is_v4() ? kMaxPrefixV4 : kMaxPrefixV6;
}

bool same_prefix(Octets a, Octets b, std::size_t bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin()))
    return false;
  if (bits % 8 == 0) return true;
  return (a[whole] ^ b[whole]) >> (8 - bits % 8) == 0;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text, ZoneLookup zones) {
  return text.contains(':') ? parse_v6_in_zone(text, zones) : parse_v4(text);
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return octets_[12] == 127;
  constexpr IpAddress kLoopback({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  return *this == kLoopback;
}

bool IpAddress::is_multicast() const {
  return is_v4() ? octets_[12] >> 4 == 0xe : octets_[0] == 0xff;
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return octets_[12] == 169 && octets_[13] == 254;
  return octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text, ZoneLookup zones) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_decimal(text.substr(colon + 1), 65535);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  const auto address =
      bracketed ? parse_v6_in_zone(host.substr(1, host.size() - 2), zones) : parse_v4(host);
  if (!address || !port) return std::nullopt;
  return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::optional<Cidr> Cidr::parse(std::string_view text, ZoneLookup zones) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash), zones);
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Cidr{*address, max_prefix(*address)};
  // `::ffff:10.0.0.0/104` counts from the front of 128 bits; an IPv4 length is not meant there.
  if (address->is_v4() && text.contains(':')) return std::nullopt;
  const auto length = parse_decimal(text.substr(slash + 1), max_prefix(*address));
  if (!length) return std::nullopt;
  return Cidr{*address, static_cast<std::uint8_t>(*length)};
}

bool Cidr::contains(const IpAddress& other) const {
  if (address.is_v4() != other.is_v4()) return false;
  const std::uint8_t length = std::min(prefix_length, max_prefix(address));
  if (!address.is_v4()) return same_prefix(address.octets(), other.octets(), length);
  // As one number: this is asked several times for each connection.
  const std::uint64_t differ = address.v4_number() ^ other.v4_number();
  return differ >> (kMaxPrefixV4 - length) == 0;
}

bool Cidr::is_broadcast(const IpAddress& other) const {
  // /31 has no broadcast (RFC 3021), /32 no network.
  if (!address.is_v4() || prefix_length > 30 || !contains(other)) return false;
  const std::uint32_t host_bits = 0xffffffff >> prefix_length;
  return (other.v4_number() & host_bits) == host_bits;
}

std::string to_string(const IpAddress& address) {
  return address.is_v4() ? v4_to_string(address) : v6_to_string(address);
}

std::string to_string(const Endpoint& endpoint) {
  std::string text = to_string(endpoint.address);
  if (!endpoint.address.is_v4()) text = '[' + text + ']';
  text += ':';
  append_number(text, endpoint.port, 10);
  return text;
}

std::string to_string(const Cidr& cidr) {
  std::string text = to_string(cidr.address) + '/';
  append_number(text, cidr.prefix_length, 10);
  return text;
}

}  // namespace estab
