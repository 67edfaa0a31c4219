// IPv6 extension headers (RFC 8200 §4): walked in the order they stand in, and judged where they
// are not understood.
#include "base/byte_order.h"
#include "wire/icmp.h"
#include "wire/ip.h"

namespace estab::wire {
namespace {

using base::load_be16;
using base::load_be32;

constexpr ChainFault kCutShort{.cut_short = true};

constexpr ChainFault problem(std::uint8_t code, std::size_t at, Telling telling = Telling::sender) {
  return {.telling = telling, .code = code, .pointer = at};
}

// The top two bits of an option's type say what becomes of a datagram whose option nobody here
// knows (RFC 8200 §4.2).
std::optional<ChainFault> check_option(std::uint8_t type, std::size_t at) {
  switch (type >> 6) {
    case 0:
      return std::nullopt;
    case 1:
      return ChainFault{};
    case 2:
      return problem(icmp_v6::kUnknownOption, at, Telling::sender_even_if_many);
    default:
      return problem(icmp_v6::kUnknownOption, at);
  }
}

// The options of a hop-by-hop or destination options header, `at` octets into the datagram.
std::optional<ChainFault> check_options(Octets options, std::size_t at) {
  constexpr std::uint8_t kPad1 = 0;
  while (!options.empty()) {
    if (options[0] != kPad1 && (options.size() < 2 || options.size() - 2 < options[1]))
      return ChainFault{};
    if (auto fault = check_option(options[0], at)) return fault;
    const std::size_t length = options[0] == kPad1 ? 1 : std::size_t{2} + options[1];
    options = options.subspan(length);
    at += length;
  }
  return std::nullopt;
}

// No type is known: one that has done its work is passed over (RFC 8200 §4.4). Type 0 is not to be
// known any more (RFC 5095 §3).
std::optional<ChainFault> check_routing(Octets header, std::size_t at) {
  constexpr std::size_t kType = 2, kSegmentsLeft = 3;
  if (header[kSegmentsLeft] == 0) return std::nullopt;
  return problem(icmp_v6::kErroneousField, at + kType);
}

FragmentInfo read_fragment(Octets header) {
  const std::uint16_t offset_and_more = load_be16(header.data() + 2);
  return {load_be32(header.data() + 4), offset_and_more & 0xfff8U, (offset_and_more & 1) != 0};
}

std::optional<ChainFault> check_header(std::uint8_t protocol, Octets header, std::size_t at) {
  if (protocol == kProtocolFragment) return std::nullopt;
  if (protocol == kProtocolRouting) return check_routing(header, at);
  return check_options(header.subspan(2), at + 2);
}

}  // namespace

std::expected<ExtensionWalk, ChainFault> walk_extension_headers(std::uint8_t next_header,
                                                                Octets octets) {
  ExtensionWalk walk{.protocol = next_header, .fragment = {}};
  for (int count = 0; count <= kMaxExtensionHeaders; ++count) {
    if (!is_extension_header(walk.protocol)) return walk;
    // Anywhere but first it is an unknown header (RFC 8200 §4).
    if (walk.protocol == kProtocolHopByHop && count != 0)
      return std::unexpected(problem(icmp_v6::kUnknownNextHeader, walk.protocol_at));
    const Octets rest = octets.subspan(walk.length);
    if (rest.size() < 8) return std::unexpected(kCutShort);
    const bool is_fragment = walk.protocol == kProtocolFragment;
    const std::size_t length = is_fragment ? kFragmentHeaderLength : (std::size_t{rest[1]} + 1) * 8;
    if (length > rest.size()) return std::unexpected(kCutShort);
    const std::size_t at = kIpV6HeaderLength + walk.length;
    if (auto fault = check_header(walk.protocol, rest.first(length), at))
      return std::unexpected(*fault);
    walk.protocol = rest[0];
    walk.protocol_at = at;
    walk.length += length;
    if (!is_fragment) continue;
    const FragmentInfo fragment = read_fragment(rest);
    if (fragment.offset == 0 && !fragment.more) continue;  // atomic (RFC 6946)
    walk.fragment = fragment;
    return walk;
  }
  return std::unexpected(ChainFault{});
}

}  // namespace estab::wire
