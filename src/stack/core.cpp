#include "stack/core.h"

#include <algorithm>

#include "base/hasher.h"

namespace estab::stack {

namespace {

// How long a gateway that seemed dead is avoided (RFC 1122 §3.3.1.4 leaves it open): long enough
// for a reboot, and as long as a flow may go without looking at its path again.
constexpr Duration kSuspicion = std::chrono::minutes(10);

// RFC 1122 §3.2.1.3 (a), (b) and (g), RFC 4291 §2.5.3: these never appear on a link.
// [RFC 1122 3.2.1.3-1, 3.2.1.3-2, 3.2.1.3-7]
bool stays_inside(const IpAddress& destination) {
  if (!destination.is_v4()) return destination.is_unspecified() || destination.is_loopback();
  const std::uint32_t network = destination.v4_number() >> 24;
  return network == 0 || network == 127;
}

base::SipKey path_key(base::Prng& prng) {
  return {prng.next(), prng.next()};
}

}  // namespace

Core::Core(const StackConfig& stack_config)
    : config(stack_config),
      secrets(config.seed),
      prng(std::array<std::uint64_t, 2>{config.seed[0] ^ 0x657374616265737a, config.seed[1]}),
      path_mtu({path_key(prng), config.limits.path_mtu_entries, config.path_mtu_lifetime, {}}),
      icmp_limit(config.limits.icmp_errors_per_second,
                 std::max(config.limits.icmp_errors_per_second / 10, 1u)) {}

// A copy has no observer: it lives a life of its own, which nobody asked to watch.
Core::Core(const Core& o)
    : config(o.config),
      counters(o.counters),
      secrets(o.secrets),
      prng(o.prng),
      interfaces(o.interfaces),
      routes(o.routes),
      path_mtu(o.path_mtu),
      icmp_limit(o.icmp_limit),
      replies(o.replies),
      events(o.events),
      latest(o.latest),
      path_version(o.path_version) {}

// [RFC 1122 3.3.3-2]
std::optional<Path> Core::find_path(Instant now, const IpAddress& destination) const {
  if (stays_inside(destination)) return std::nullopt;
  const auto hop = routes.lookup(destination, now);
  if (!hop) return std::nullopt;
  const std::uint16_t link_mtu = interfaces.config(hop->interface).mtu;
  return Path{*hop, link_mtu, path_mtu.mtu(now, destination, link_mtu)};
}

// [RFC 9293 MUST-20]
void Core::advise_against(Instant now, const ip::Hop& hop) {
  if (routes.advise_against(hop, now + kSuspicion)) ++path_version;
}

void Core::tell(Event event) {
  if (events.size() < config.limits.events) events.push_back(std::move(event));
}

namespace {

bool same(const TcpReply& a, const TcpReply& b) {
  const Segment &x = a.emission.segment, &y = b.emission.segment;
  return a.tuple == b.tuple && x.seq == y.seq && x.ack == y.ack && x.flags == y.flags &&
         x.window == y.window && x.options == y.options && a.emission.reason == b.emission.reason &&
         a.ttl == b.ttl && a.traffic_class == b.traffic_class && a.source_route == b.source_route;
}

bool same(const RawReply& a, const RawReply& b) {
  return a.header == b.header && a.transport == b.transport && a.source_route == b.source_route;
}

bool same(const Reply& a, const Reply& b) {
  if (a.index() != b.index()) return false;
  if (const auto* tcp = std::get_if<TcpReply>(&a)) return same(*tcp, std::get<TcpReply>(b));
  return same(std::get<RawReply>(a), std::get<RawReply>(b));
}

}  // namespace

bool Core::equals(const Core& other) const {
  const bool same_replies =
      std::equal(replies.begin(), replies.end(), other.replies.begin(), other.replies.end(),
                 [](const Reply& a, const Reply& b) { return same(a, b); });
  return same_replies && config == other.config && counters == other.counters &&
         secrets == other.secrets && prng == other.prng && interfaces == other.interfaces &&
         routes == other.routes && path_mtu == other.path_mtu && icmp_limit == other.icmp_limit &&
         events == other.events;
}

void Core::hash_into(base::Hasher& h) const {
  interfaces.hash_into(h);
  routes.hash_into(h);
  path_mtu.hash_into(h);
  icmp_limit.hash_into(h);
  h.add_all(config.seed[0], config.seed[1], replies.size(), events.size());
  for (std::uint64_t word : prng.state()) h.add(word);
  if (h.takes_history())
    for (std::uint64_t count : counters.verdicts) h.add(count);
  for (const Reply& reply : replies) {
    if (const auto* tcp = std::get_if<TcpReply>(&reply)) {
      const Segment& segment = tcp->emission.segment;
      h.add_all(tcp->tuple.remote_address, tcp->tuple.remote_port, segment.seq, segment.ack,
                segment.flags.wire(), segment.window, tcp->emission.reason);
    } else {
      h.add(Octets(std::get<RawReply>(reply).transport));
    }
  }
}

}  // namespace estab::stack
