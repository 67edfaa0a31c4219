#include "stack/core.h"

#include <algorithm>

#include "base/public_fields.h"
#include "tcp/connection/return_route.h"

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

base::SipKey draw_key(base::Prng& prng) {
  return {prng.next(), prng.next()};
}

/// Each apart from the others, so that what these draw stays what it was.
base::SipKey key_for(std::uint64_t purpose, const StackConfig& config) {
  base::Prng prng(std::array<std::uint64_t, 2>{config.seed[0] ^ purpose, config.seed[1]});
  return draw_key(prng);
}
constexpr std::uint64_t kFragments = 0x667261676964, kFastOpen = 0x66617374;

const IpAddress& source_of(const Reply& reply) {
  const auto* segment = std::get_if<TcpReply>(&reply);
  return segment ? segment->tuple.local_address : std::get<RawReply>(reply).header.source;
}

}  // namespace

Core::Core(const StackConfig& stack_config)
    : config(stack_config),
      secrets(config.seed),
      prng(std::array<std::uint64_t, 2>{config.seed[0] ^ 0x657374616265737a, config.seed[1]}),
      path_mtu({draw_key(prng), config.limits.path_mtu_entries, config.path_mtu_lifetime, {}}),
      fast_open(
          {key_for(kFastOpen, config), config.limits.fast_open_cookies, config.fast_open_pause}),
      icmp_limit(config.limits.icmp_errors_per_second,
                 std::max(config.limits.icmp_errors_per_second / 10, 1u)),
      fragment_ids(key_for(kFragments, config)),
      echo_requests(config.limits.echo_requests) {}

// [RFC 1122 3.3.3-2]
std::optional<Path> Core::find_path(Instant now, const IpAddress& destination,
                                    std::uint16_t source_zone) const {
  if (stays_inside(destination)) return std::nullopt;
  const std::uint16_t zone = destination.zone() != 0 ? destination.zone() : source_zone;
  if (source_zone != 0 && zone != source_zone) return std::nullopt;
  const auto only = interfaces.in_zone(zone);
  if (zone != 0 && !only) return std::nullopt;
  // A link-local destination is on its link, whatever the routes say (RFC 4291 §2.5.6).
  const bool is_neighbour = destination.zone() != 0;
  auto hop = is_neighbour ? ip::Hop{destination, *only} : routes.lookup(destination, now, only);
  if (!hop) return std::nullopt;
  // What is for many is put on the link itself, and no gateway's (RFC 1112 §6.1).
  if (destination.is_multicast() || destination.is_limited_broadcast()) hop->next_hop = destination;
  hop->next_hop = hop->next_hop.in_zone(zone_of(hop->interface));
  const std::uint16_t link_mtu = interfaces.config(hop->interface).mtu;
  return Path{*hop, link_mtu, path_mtu.mtu(now, destination, link_mtu)};
}

Result<Way> Core::find_way(Instant now, const IpAddress& local, const IpAddress& remote,
                           const std::vector<IpAddress>& source_route) const {
  Way way{local, remote, {}};
  // [RFC 9293 MUST-43] [RFC 1122 3.2.1.3-9]
  if (!local.is_unspecified()) {
    const bool said = local.zone() != 0 || remote.zone() == 0;
    const auto own = interfaces.own(said ? local : local.in_zone(remote.zone()));
    if (!own) return std::unexpected(own.error());
    way.local = *own;
  }
  if (remote.zone() == 0)
    way.remote = interfaces.own(remote).value_or(remote.in_zone(way.local.zone()));
  const auto path = find_path(now, tcp::first_hop(source_route, way.remote), way.local.zone());
  if (!path) return std::unexpected(Error::no_route);
  way.path = *path;
  if (way.remote.zone() == 0) way.remote = way.remote.in_zone(zone_of(path->hop.interface));
  // [RFC 9293 MUST-44] [RFC 1122 4.1.3.5-2, 4.1.3.6-1]
  if (local.is_unspecified()) {
    const auto source = interfaces.is_local(way.remote)
                            ? std::optional(way.remote)
                            : interfaces.select_source(path->hop.interface, way.remote);
    if (!source) return std::unexpected(Error::no_route);
    way.local = *source;
  }
  if (way.local.family() != way.remote.family()) return std::unexpected(Error::invalid_argument);
  return way;
}

Result<Route> Core::complete(const Route& route) const {
  if (!route.gateway) return route;
  Route meant = route;
  const std::uint16_t zone = zone_of(route.interface);
  if (route.gateway->zone() == 0) meant.gateway = route.gateway->in_zone(zone);
  if (meant.gateway->zone() != 0 && meant.gateway->zone() != zone)
    return std::unexpected(Error::invalid_argument);
  const bool reached =
      meant.gateway->zone() != 0 || routes.is_on_link(route.interface, *route.gateway);
  if (!reached) return std::unexpected(Error::no_route);
  return meant;
}

// [RFC 9293 MUST-20]
void Core::advise_against(Instant now, const ip::Hop& hop) {
  if (routes.advise_against(hop, now + kSuspicion)) ++path_version;
}

void Core::reply(TcpReply&& reply) {
  if (replies.load().count < config.limits.pending_replies)
    replies.push_back(std::move(reply));
  else
    ++counters.replies_dropped;
}

void Core::reply(RawReply&& reply) {
  if (has_room(replies.load(), reply.transport.size()))
    replies.push_back(std::move(reply));
  else
    ++counters.replies_dropped;
}

void Core::set_reply_aside(InterfaceId by) {
  if (has_room(replies.load(by), ReplyOctets()(replies.front()))) return replies.set_aside(by);
  ++counters.replies_dropped;
  replies.drop_front();
}

void Core::forget_replies(const Removed& gone) {
  replies.sweep([&](const Reply& reply) { return !gone.has(source_of(reply)); });
}

void Core::on_echo_reply(const EchoEvent& reply) {
  const bool asked = echo_requests.accept_reply(
      {reply.from, reply.identifier, reply.sequence},
      [&](const IpAddress& to) { return to.is_multicast() || interfaces.is_any_broadcast(to); });
  if (!asked) {
    ++counters.echo_replies_unsolicited;
  } else if (echo_events.size() < config.limits.echo_events) {
    echo_events.push_back(reply);
  } else {
    ++counters.echo_events_dropped;
  }
}

// ---- the value

auto TcpReply::fields() const {
  const auto& [pair, sent, state_then, hop_limit, traffic, route] = *this;
  return base::fields(pair, sent, state_then, hop_limit, traffic, route);
}

bool operator==(const TcpReply& a, const TcpReply& b) {
  return a.fields() == b.fields();
}

void TcpReply::hash_into(base::Hasher& hasher) const {
  hasher.add(fields());
}

void RawReply::hash_into(base::Hasher& hasher) const {
  const auto& [ip, octets, route, gone, number] = *this;
  const auto& [source, destination, protocol, hop_limit, traffic, flow_label, datagram, whole] = ip;
  hasher.add_all(source, destination, protocol, hop_limit, traffic, flow_label, datagram, whole,
                 octets, route, gone, number);
}

// The secrets follow from the seed, what has been granted from the connections. Paths that were
// looked up are looked up again. And time is told with each call.
auto Core::fields() const {
  const auto& [settings, counts, pool, grants, watch, keys, chance, links, ways, mtus, opened_fast,
               icmp_errors, text, numbers, answers, asked, echoes, last_call, version] = *this;
  return base::fields(settings, base::history(counts), base::derived(pool), base::derived(grants),
                      base::derived(watch), base::derived(keys), chance, links, ways, mtus,
                      opened_fast, icmp_errors, base::derived(text), numbers, answers, asked,
                      echoes, base::derived(last_call), base::derived(version));
}

bool Core::equals(const Core& other) const {
  return fields() == other.fields();
}

void Core::hash_into(base::Hasher& hasher) const {
  hasher.add(fields());
}

}  // namespace estab::stack
