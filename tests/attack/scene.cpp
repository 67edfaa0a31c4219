// The server, the good client and the wire between them; frames that are forged.
#include "scene.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace estab::attack {

namespace {

constexpr Duration kOneWay = 1ms;

StackConfig client_config() {
  StackConfig config;
  config.seed = {21, 22};
  return config;
}

std::uint8_t octet_at(std::size_t place) {
  return static_cast<std::uint8_t>(place * 31 + place / 253);
}

InterfaceId attach(Stack& stack, const IpAddress& address) {
  const InterfaceId link = stack.add_interface({.name = "wire"});
  EXPECT_TRUE(stack.add_address(link, {address, 8}));
  return link;
}

}  // namespace

Scene::Scene(const SceneOptions& options)
    : server_(options.server),
      client_(client_config()),
      server_link_(attach(server_, kServer)),
      client_link_(attach(client_, kClient)),
      listener_(*server_.listen({.local = {IpAddress(), kEcho}, .backlog = options.backlog})) {}

Verdict Scene::inject(const Bytes& frame) {
  return server_.handle_frame(now_, server_link_, {.octets = frame});
}

Verdict Scene::inject_to_client(const Bytes& frame) {
  return client_.handle_frame(now_, client_link_, {.octets = frame});
}

bool Scene::arrivals() {
  bool moved = false;
  for (; !in_flight_.empty() && in_flight_.front().arrives <= now_; moved = true) {
    const InFlight one = std::move(in_flight_.front());
    in_flight_.pop_front();
    if (one.to_server) {
      server_.handle_frame(now_, server_link_, {.octets = one.octets});
    } else {
      client_.handle_frame(now_, client_link_, {.octets = one.octets});
    }
  }
  return moved;
}

bool Scene::carry() {
  bool moved = arrivals();
  TransmitFrame frame;
  Bytes octets;
  const auto flat = [&] {
    octets.resize(frame.size());
    frame.copy_to(octets.data());
    moved = true;
    return loses && loses(octets);
  };
  while (server_.poll_transmit(now_, frame)) {
    const bool lost = flat();
    if (frame.next_hop == kClient) {
      if (!lost) in_flight_.push_back({now_ + kOneWay, false, octets});
      continue;
    }
    ++attacker_frames_;
    attacker_octets_ += octets.size();
    if (keep_) sent_.push_back(octets);
  }
  while (client_.poll_transmit(now_, frame))
    if (!flat() && frame.next_hop == kServer) in_flight_.push_back({now_ + kOneWay, true, octets});
  return moved;
}

void Scene::echo(StreamId stream) {
  std::array<Octets, 1> view;
  while (server_.peek(stream, view) > 0) {
    const auto took = server_.send(now_, stream, view[0]);
    if (!took) return;
    (void)server_.consume(now_, stream, *took);
  }
  if (server_.at_end(stream)) (void)server_.close(now_, stream);
}

void Scene::serve() {
  while (accepting) {
    const auto stream = server_.accept(now_, listener_);
    if (!stream) break;
    streams_.push_back(*stream);
  }
  while (server_.poll_event()) {
  }
  std::erase_if(streams_, [&](StreamId stream) {
    if (!server_.info(stream)) return true;
    if (!instead_of_echo || !instead_of_echo(stream)) echo(stream);
    const auto info = server_.info(stream);
    if (!info || info->state != State::closed) return !info;
    (void)server_.close(now_, stream);
    return true;
  });
}

void Scene::pass(Duration span) {
  const Instant end = now_ + span;
  while (true) {
    while (carry()) {
    }
    serve();
    if (client_works_) client_works_();
    if (carry()) continue;
    Instant due = std::min({server_.next_deadline(), client_.next_deadline(), client_turn_});
    if (!in_flight_.empty()) due = std::min(due, in_flight_.front().arrives);
    const Instant next = std::max(due, now_ + Duration{1000});
    if (next > end) break;
    now_ = next;
    server_.handle_deadline(now_);
    client_.handle_deadline(now_);
  }
  now_ = end;
}

std::vector<Bytes> Scene::take_sent() {
  return std::exchange(sent_, {});
}

// ---- the good client

GoodClient::GoodClient(Scene& scene, std::size_t octets, std::size_t pace)
    : scene_(scene), octets_(octets), pace_(pace), began_(scene.now()) {
  ConnectOptions to;
  to.remote = {kServer, kEcho};
  stream_ = scene.client().connect(scene.now(), to).value();
  scene_.client_works_ = [this] { work(); };
}

GoodClient::~GoodClient() {
  scene_.client_works_ = nullptr;
  scene_.client_turn_ = kNever;
}

void GoodClient::work() {
  Stack& stack = scene_.client();
  const Instant now = scene_.now();
  while (const auto event = stack.poll_event()) {
    const auto* told = std::get_if<StreamEvent>(&*event);
    if (!told || told->stream != stream_) continue;
    if (told->connected) connected_at_ = now;
    if (told->failure) failure_ = told->failure;
  }
  scene_.client_turn_ = kNever;
  while (connected() && sent_ < octets_) {
    const auto turns = static_cast<std::size_t>((now - *connected_at_) / 1ms) + 1;
    const std::size_t allowed = std::min(octets_, turns * pace_);
    if (sent_ >= allowed) {
      scene_.client_turn_ = *connected_at_ + 1ms * turns;
      break;
    }
    Bytes octets(std::min<std::size_t>(8000, allowed - sent_));
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = octet_at(sent_ + i);
    const auto took = stack.send(now, stream_, octets);
    if (!took) break;
    sent_ += *took;
  }
  std::array<std::uint8_t, 8000> buffer;
  while (const auto got = stack.recv(now, stream_, buffer)) {
    for (std::size_t i = 0; i < *got; ++i)
      spoiled_ = spoiled_ || buffer[i] != octet_at(received_ + i);
    received_ += *got;
    if (done()) done_at_ = now;
  }
}

bool GoodClient::finish(Duration limit) {
  const Instant end = scene_.now() + limit;
  while (!done() && !failure_ && scene_.now() < end) scene_.pass(5ms);
  if (!done() || spoiled_) return false;
  (void)scene_.client().close(scene_.now(), stream_);
  scene_.pass(10ms);
  return true;
}

std::string GoodClient::story() const {
  return std::string(connected() ? "connected" : "not connected") + ", sent " +
         std::to_string(sent_) + ", received " + std::to_string(received_) + " of " +
         std::to_string(octets_) + (spoiled_ ? ", other octets than sent" : "") +
         (failure_ ? ", " + std::string(name(*failure_)) : "");
}

// ---- forging

namespace {

Bytes datagram(const IpAddress& from, const IpAddress& to, std::uint8_t protocol, Octets head,
               Octets text) {
  wire::IpHeader ip{.source = from, .destination = to};
  ip.protocol = protocol;
  Bytes octets(wire::kIpV6HeaderLength + wire::kMaxIpV4Options + head.size() + text.size());
  const std::size_t at = wire::emit_ip(ip, head.size() + text.size(), octets.data());
  std::ranges::copy(head, octets.begin() + static_cast<std::ptrdiff_t>(at));
  std::ranges::copy(text, octets.begin() + static_cast<std::ptrdiff_t>(at + head.size()));
  octets.resize(at + head.size() + text.size());
  return octets;
}

}  // namespace

Bytes forged(const Endpoint& from, const Endpoint& to, Segment segment) {
  segment.source_port = from.port;
  segment.destination_port = to.port;
  std::array<std::uint8_t, wire::kMaxTcpHeaderLength> head;
  const std::size_t length = wire::emit_tcp(segment, head.data());
  const std::array<Octets, 1> pieces = {segment.payload};
  wire::finish_tcp_checksum({head.data(), length}, from.address, to.address, pieces);
  return datagram(from.address, to.address, wire::kProtocolTcp, {head.data(), length},
                  segment.payload);
}

Bytes forged_udp(const Endpoint& from, const Endpoint& to, Octets text) {
  std::array<std::uint8_t, wire::kUdpHeaderLength> head;
  wire::emit_udp({from.port, to.port, static_cast<std::uint16_t>(head.size() + text.size()), 0},
                 head.data());
  const std::array<Octets, 1> pieces = {text};
  wire::finish_udp_checksum(head, from.address, to.address, pieces);
  return datagram(from.address, to.address, wire::kProtocolUdp, head, text);
}

Bytes forged_icmp(const IpAddress& from, const IpAddress& to, std::uint8_t type, std::uint8_t code,
                  std::uint32_t rest, Octets quoted) {
  const wire::IcmpMessage message{type, code, rest, quoted};
  Bytes body(wire::kIcmpHeaderLength + quoted.size());
  wire::emit_icmp(message, from, to, body.data());
  return datagram(from, to, wire::kProtocolIcmp, body, {});
}

Bytes forged_fragment(const IpAddress& from, std::uint16_t id, std::uint16_t offset, bool more,
                      Octets text, std::uint8_t protocol) {
  Bytes octets(20);
  octets[0] = 0x45;
  base::store_be16(&octets[2], static_cast<std::uint16_t>(20 + text.size()));
  base::store_be16(&octets[4], id);
  base::store_be16(&octets[6], static_cast<std::uint16_t>(offset / 8 | (more ? 0x2000 : 0)));
  octets[8] = 64;
  octets[9] = protocol;
  std::ranges::copy(from.wire_octets(), &octets[12]);
  std::ranges::copy(kServer.wire_octets(), &octets[16]);
  base::store_be16(&octets[10], wire::checksum(Octets(octets).first(20)));
  octets.insert(octets.end(), text.begin(), text.end());
  return octets;
}

std::optional<Seen> seen(const Bytes& frame) {
  const auto packet = wire::parse_ip(frame);
  if (!packet || packet->header.protocol != wire::kProtocolTcp) return std::nullopt;
  const auto segment = wire::parse_tcp(packet->payload);
  if (!segment) return std::nullopt;
  Seen result{packet->header.destination, *segment,
              static_cast<std::uint32_t>(segment->payload.size())};
  result.segment.payload = {};
  return result;
}

// ---- Mallory

Mallory::Mallory(Scene& scene, IpAddress address, std::uint16_t port, const Offer& offer,
                 std::uint16_t first_window)
    : window(first_window), scene_(scene), here_{address, port} {
  Segment syn;
  syn.seq = SeqNum(next);
  syn.flags = kSyn;
  syn.window = first_window;
  syn.options.mss = offer.mss;
  syn.options.window_scale = offer.window_scale;
  syn.options.sack_permitted = offer.sack_permitted;
  syn.options.timestamps = offer.timestamps;
  if (offer.timestamps) clock = offer.timestamps->value;
  send_raw(syn);
  next += 1;
  scene_.pass(Duration{0});
  hear();
  open_ = acknowledge != 0;
  if (open_) send(kAck);
}

void Mallory::send_raw(Segment segment) {
  scene_.inject(forged(here_, {kServer, kEcho}, segment));
}

void Mallory::send(TcpFlags flags, Octets text) {
  Segment segment;
  segment.seq = SeqNum(next);
  segment.ack = SeqNum(acknowledge);
  segment.flags = flags | kAck;
  segment.window = window;
  segment.payload = text;
  if (echo) segment.options.timestamps = TcpTimestamps{clock, *echo};
  send_raw(segment);
  next += segment.length();
}

void Mallory::hear() {
  for (const Bytes& frame : scene_.take_sent()) {
    const auto one = seen(frame);
    if (!one || one->to != here_.address || one->segment.destination_port != here_.port) continue;
    ++segments_heard;
    heard.push_back(*one);
    const std::uint32_t end = one->segment.seq.value() + one->payload +
                              (one->segment.flags.syn() ? 1 : 0) +
                              (one->segment.flags.fin() ? 1 : 0);
    if (one->segment.flags.syn()) acknowledge = end;
    const std::int32_t fresh = SeqNum(end) - SeqNum(acknowledge);
    if (fresh > 0) {
      octets_heard += static_cast<std::uint32_t>(fresh);
      acknowledge = end;
    }
    if (one->segment.options.timestamps) echo = one->segment.options.timestamps->value;
  }
}

void figure(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::printf("[ figure ] ");
  std::vprintf(format, arguments);
  std::printf("\n");
  va_end(arguments);
}

}  // namespace estab::attack
