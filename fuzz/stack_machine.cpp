#include "fuzz/stack_machine.h"

#include <algorithm>
#include <chrono>
#include <span>

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace estab::fuzz {

namespace {

constexpr std::size_t kMaxMemory = 24 << 20;
constexpr int kMaxBurst = 20'000;
constexpr std::size_t kRemembered = 8;

/// Limits so low that a short program reaches them.
StackConfig machine_config(std::uint8_t flavour) {
  StackConfig config;
  config.seed = {1, 2};
  config.tcp.receive_buffer = 64 << 10;
  config.tcp.send_buffer = 64 << 10;
  config.tcp.use_timestamps = (flavour & 1) != 0;
  config.tcp.use_sack = (flavour & 2) != 0;
  config.tcp.use_window_scale = (flavour & 4) != 0;
  config.tcp.urgent_inline = (flavour & 8) != 0;
  config.tcp.quirks.header_prediction = (flavour & 16) != 0;
  config.syn_cookies = (flavour & 32) != 0;
  config.tcp.require_timestamps = (flavour & 64) != 0;
  config.tcp.congestion_control = static_cast<CongestionControl>(flavour >> 6 & 3);
  config.limits.transmissions = 256;
  config.limits.connections = 24;
  config.limits.time_wait = 8;
  config.limits.syn_cache = 4;
  config.limits.listeners = 4;
  config.limits.datagram_ports = 4;
  config.limits.datagram_queue = 16 << 10;
  config.limits.out_of_order_pieces = 64;
  config.limits.fragment_octets = 128 << 10;
  config.limits.path_mtu_entries = 8;
  config.limits.pending_replies = 64;
  config.limits.echo_events = 64;
  if ((flavour & 64) != 0) config.quirks.fixed_isn = 0xffffff80;
  const bool strict = (flavour & 128) != 0;
  config.tcp.require_timestamps = config.time_wait_ignores_resets = strict;
  config.tcp.soft_errors_end_opening = !strict;
  return config;
}

InterfaceConfig machine_interface(std::uint8_t flavour) {
  InterfaceConfig link;
  link.name = "fuzz";
  link.segmentation_v4 = link.segmentation_v6 = (flavour & 1) != 0;
  link.checksum_offload = (flavour & 2) != 0;
  if ((flavour & 4) != 0) link.mtu = 1280;
  return link;
}

}  // namespace

StackMachine::StackMachine(Octets program) : program_(program), stack_(machine_config(u8())) {
  plug_in(machine_interface(u8()));
  if (auto made = stack_.listen({.local = {IpAddress(), kListenPort}, .backlog = 4}))
    listeners_.push_back(*made);
  if (auto made = stack_.bind_datagram({IpAddress(), kDatagramPort})) ports_.push_back(*made);
  for (Conversation& talk : talks_) talk.local_port = kListenPort;
}

void StackMachine::plug_in(const InterfaceConfig& config) {
  interface_ = stack_.add_interface(config);
  (void)stack_.add_address(interface_, {local(Family::ipv4), 24});
  (void)stack_.add_address(interface_, {local(Family::ipv6), 64});
}

IpAddress StackMachine::local(Family family) const {
  return family == Family::ipv4
             ? IpAddress::v4(10, 0, 0, 1)
             : IpAddress::v6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

IpAddress StackMachine::remote(Family family) const {
  return family == Family::ipv4
             ? IpAddress::v4(10, 0, 0, 2)
             : IpAddress::v6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2});
}

StackMachine::Bytes StackMachine::take(std::size_t most) {
  const std::size_t n = std::min(most, program_.size() - at_);
  Bytes bytes(program_.begin() + static_cast<std::ptrdiff_t>(at_),
              program_.begin() + static_cast<std::ptrdiff_t>(at_ + n));
  at_ += n;
  return bytes;
}

void StackMachine::run() {
  while (!at_end() && complaint_.empty()) {
    instruction();
    check_limits();
  }
  // What is left to itself comes to rest.
  for (int i = 0; i < 3000 && complaint_.empty() && stack_.next_deadline() != kNever; ++i) {
    now_ = std::max(stack_.next_deadline(), now_ + std::chrono::milliseconds(1));
    stack_.handle_deadline(now_);
    let_out();
  }
}

void StackMachine::instruction() {
  switch (u8() % 20) {
    case 0:
      return noise();
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
      return segment();
    case 7:
    case 8:
      return reflected();
    case 9:
      return icmp();
    case 10:
      return fragment();
    case 11:
      return datagram();
    case 12:
      return open();
    case 13:
    case 14:
      return transfer();
    case 15:
      return finish();
    case 16:
      return listening();
    case 17:
      return (u8() & 1) != 0 ? settings() : datagram_calls();
    case 18:
      return pass_time();
    default:
      const std::uint8_t what = u8() & 7;
      if (what == 7) return renumber();
      return (what & 3) != 0 ? let_out() : copy();
  }
}

// ---- frames

void StackMachine::arrive(Bytes octets) {
  ++frames_in_;
  const std::uint8_t how = u8();
  ReceivedFrame frame{.octets = octets, .checksum_verified = (how & 1) != 0};
  if ((how & 2) != 0) frame.gso_size = 500;
  if ((how & 4) == 0) {
    stack_.handle_frame(now_, interface_, frame);
  } else {  // in a block the stack may keep
    Block block = stack_.take_block(octets.size());
    std::ranges::copy(octets, block.data());
    frame.octets = {block.data(), octets.size()};
    frame.owner = &block;
    stack_.handle_frame(now_, interface_, frame);
    if (block) stack_.give_block(std::move(block));
  }
  if ((how & 8) == 0) let_out();
}

void StackMachine::arrive_ip(wire::IpHeader header, const Bytes& payload) {
  Bytes octets(wire::kIpV6HeaderLength + wire::kMaxIpV4Options);
  octets.resize(wire::emit_ip(header, payload.size(), octets.data()));
  octets.insert(octets.end(), payload.begin(), payload.end());
  arrive(std::move(octets));
}

void StackMachine::noise() {
  Bytes octets = take(u16() % 1600);
  if (!octets.empty()) octets[0] = static_cast<std::uint8_t>((u8() & 1) != 0 ? 0x45 : 0x60);
  arrive(std::move(octets));
}

/// A number near this one, or any.
std::uint32_t StackMachine::near(std::uint32_t number) {
  const std::uint8_t how = u8();
  if (how < 128) return number;
  if (how < 192) return number + static_cast<std::uint32_t>(static_cast<std::int8_t>(u8()));
  if (how < 240) return number + static_cast<std::uint32_t>(static_cast<std::int16_t>(u16()));
  return u32();
}

StackMachine::Bytes StackMachine::segment_octets(Conversation& talk, std::uint16_t remote_port,
                                                 Family family) {
  constexpr std::array<std::uint8_t, 8> kFlags = {0x02, 0x10, 0x18, 0x11, 0x19, 0x14, 0x30, 0x12};
  const std::uint8_t what = u8();
  Segment s;
  s.source_port = remote_port;
  s.destination_port = talk.local_port;
  s.flags = TcpFlags(what < 224 ? kFlags[what % 8] : u8());
  s.seq = SeqNum(near(talk.next));
  s.ack = SeqNum(near(talk.ack));
  s.window = (u8() & 3) != 0 ? 65535 : u16();
  s.urgent_pointer = s.flags.urg() ? u16() : 0;
  const std::uint8_t options = u8();
  if (s.flags.syn()) s.options.mss = (options & 1) != 0 ? u16() : 1460;
  if (s.flags.syn() && (options & 2) != 0) s.options.window_scale = u8();
  if (s.flags.syn()) s.options.sack_permitted = (options & 4) != 0;
  if ((options & 8) != 0)
    s.options.timestamps = TcpTimestamps{
        near(static_cast<std::uint32_t>(now_.time_since_epoch() / std::chrono::milliseconds(1))),
        talk.clock};
  if ((options & 16) != 0) s.options.sack.add({SeqNum(near(talk.ack)), SeqNum(near(talk.ack))});
  const std::size_t size = (options & 32) != 0 ? u16() % 3000 : u8() % 32;
  const Bytes payload = (options & 32) != 0 ? Bytes(size, u8()) : take(size);
  s.payload = payload;
  Bytes octets(wire::kMaxTcpHeaderLength);
  octets.resize(wire::emit_tcp(s, octets.data()));
  if ((options & 192) == 192 && octets.size() > 20) octets[20 + u8() % (octets.size() - 20)] = u8();
  const std::array<Octets, 1> pieces = {s.payload};
  wire::finish_tcp_checksum(octets, remote(family), local(family), pieces);
  octets.insert(octets.end(), payload.begin(), payload.end());
  // What the stack takes in order moves us on; if it does not, near() will meet it again.
  if (s.seq.value() == talk.next) talk.next += s.length();
  return octets;
}

void StackMachine::segment() {
  const std::size_t which = u8() % kConversations;
  const Family family = which % 2 == 0 ? Family::ipv4 : Family::ipv6;
  const auto port = static_cast<std::uint16_t>(kRemotePort + which);
  wire::IpHeader header{.source = remote(family), .destination = local(family)};
  header.protocol = wire::kProtocolTcp;
  arrive_ip(header, segment_octets(talks_[which], port, family));
}

/// One of the stack's own frames comes back, from the other side and with some octets changed.
void StackMachine::reflected() {
  if (sent_.empty()) return;
  Bytes octets = sent_[u8() % sent_.size()];
  const bool v4 = octets[0] >> 4 == 4;
  const std::size_t source = v4 ? 12 : 8, size = v4 ? 4 : 16;
  std::swap_ranges(octets.begin() + static_cast<std::ptrdiff_t>(source),
                   octets.begin() + static_cast<std::ptrdiff_t>(source + size),
                   octets.begin() + static_cast<std::ptrdiff_t>(source + size));
  const std::size_t header = v4 ? (octets[0] & 15u) * 4u : 40u;
  if (octets.size() >= header + 4) {
    std::swap(octets[header], octets[header + 2]);
    std::swap(octets[header + 1], octets[header + 3]);
  }
  for (int i = u8() % 4; i > 0; --i) octets[u16() % octets.size()] ^= u8();
  if ((u8() & 1) != 0) octets.resize(u16() % octets.size() + 1);
  arrive(std::move(octets));
}

void StackMachine::icmp() {
  const Family family = some_family();
  Bytes body = sent_.empty() || (u8() & 7) == 0 ? take(u8()) : sent_[u8() % sent_.size()];
  for (int i = u8() % 3; i > 0 && !body.empty(); --i) body[u16() % body.size()] ^= u8();
  body.resize(std::min<std::size_t>(body.size(), 28u + u16() % 600));
  const wire::IcmpMessage message{u8(), u8(), u32(), body};
  Bytes octets(wire::kIcmpHeaderLength + body.size());
  wire::emit_icmp(message, remote(family), local(family), octets.data());
  wire::IpHeader header{.source = remote(family), .destination = local(family)};
  header.protocol = wire::icmp_protocol(family);
  arrive_ip(header, octets);
}

void StackMachine::fragment() {
  const std::uint16_t offset = u16();
  const std::uint8_t identification = u8() % 4;
  const Bytes payload = take(u8());
  if ((offset & 0x4000) == 0) {
    Bytes octets(20 + payload.size());
    octets[0] = 0x45;
    base::store_be16(&octets[2], static_cast<std::uint16_t>(octets.size()));
    octets[5] = identification;
    base::store_be16(&octets[6], offset & 0x201f);
    octets[8] = 64;
    octets[9] = (offset & 0x80) != 0 ? wire::kProtocolTcp : wire::kProtocolUdp;
    std::ranges::copy(remote(Family::ipv4).wire_octets(), &octets[12]);
    std::ranges::copy(local(Family::ipv4).wire_octets(), &octets[16]);
    base::store_be16(&octets[10], wire::checksum(Octets(octets).first(20)));
    std::ranges::copy(payload, octets.begin() + 20);
    return arrive(std::move(octets));
  }
  Bytes body = {u8(), 0, 0, 0, 0, 0, 0, identification};
  base::store_be16(&body[2], offset & 0x00f9);
  body.insert(body.end(), payload.begin(), payload.end());
  wire::IpHeader header{.source = remote(Family::ipv6), .destination = local(Family::ipv6)};
  header.protocol = wire::kProtocolFragment;
  arrive_ip(header, body);
}

void StackMachine::datagram() {
  const Family family = some_family();
  const Bytes text = take(u8());
  Bytes octets(wire::kUdpHeaderLength);
  const auto length = static_cast<std::uint16_t>(octets.size() + text.size());
  wire::emit_udp({kRemotePort, u8() < 200 ? kDatagramPort : u16(), length, 0}, octets.data());
  const std::array<Octets, 1> pieces = {text};
  wire::finish_udp_checksum(octets, remote(family), local(family), pieces);
  octets.insert(octets.end(), text.begin(), text.end());
  wire::IpHeader header{.source = remote(family), .destination = local(family)};
  header.protocol = wire::kProtocolUdp;
  arrive_ip(header, octets);
}

// ---- the application

StreamId StackMachine::some_stream() {
  if (streams_.empty()) return StreamId{u8(), u8()};
  return streams_[u8() % streams_.size()];
}

void StackMachine::open() {
  const std::size_t which = u8() % kConversations;
  const Family family = which % 2 == 0 ? Family::ipv4 : Family::ipv6;
  ConnectOptions options;
  options.remote = {remote(family), static_cast<std::uint16_t>(kRemotePort + which)};
  if ((u8() & 1) != 0) options.local_port = kListenPort;
  if ((u8() & 15) == 0) options.remote.address = local(family);  // to ourselves
  const auto stream = stack_.connect(now_, options);
  if (stream) streams_.push_back(*stream);
  let_out();
}

void StackMachine::transfer() {
  const StreamId stream = some_stream();
  Bytes octets(u16() % 9000);
  switch (u8() % 5) {
    case 0: {
      auto lent = std::make_shared<const Bytes>(octets);
      (void)stack_.send_owned(now_, stream, *lent, lent, static_cast<SendMode>(u8() % 4));
      break;
    }
    case 1:
      (void)stack_.send(now_, stream, octets, static_cast<SendMode>(u8() % 4));
      break;
    case 2: {
      std::array<Octets, 3> views;
      if (stack_.peek(stream, views) > 0) (void)stack_.consume(now_, stream, views[0].size());
      break;
    }
    default:
      (void)stack_.recv(now_, stream, octets);
      break;
  }
  (void)stack_.urgent(stream);
  (void)stack_.info(stream);
  let_out();
}

void StackMachine::finish() {
  const StreamId stream = some_stream();
  const std::uint8_t how = u8() % 8;
  if (how < 4) (void)stack_.shutdown(now_, stream);
  if (how == 5) (void)stack_.abort(now_, stream);
  if (how >= 6) (void)stack_.close(now_, stream);
  let_out();
}

void StackMachine::listening() {
  const std::uint8_t how = u8() % 8;
  if (how < 6) {
    for (const ListenerId listener : listeners_)
      if (const auto stream = stack_.accept(now_, listener)) streams_.push_back(*stream);
  } else if (how == 6) {
    const std::uint16_t port = (u8() & 1) != 0 ? kListenPort : u16();
    if (const auto made = stack_.listen({.local = {IpAddress(), port}, .backlog = u8()}))
      listeners_.push_back(*made);
  } else if (!listeners_.empty()) {
    (void)stack_.close(now_, listeners_[u8() % listeners_.size()]);
  }
  let_out();
}

void StackMachine::settings() {
  const StreamId stream = some_stream();
  const std::uint8_t which = u8() % 8;
  const std::uint16_t value = u16();
  const auto change = [&](TcpConfig& config) {
    const bool on = (value & 1) != 0;
    if (which == 0) config.nagle = on;
    if (which == 1)
      config.keep_alive = {on, std::chrono::seconds(u8()), std::chrono::milliseconds(u16()), u8()};
    if (which == 2) config.user_timeout = std::chrono::milliseconds(value);
    if (which == 3) config.urgent_inline = on;
    if (which == 4) config.dscp = static_cast<std::uint8_t>(value);
    if (which == 5) config.send_buffer = value;
    if (which == 6) config.receive_buffer = value;
  };
  if (which < 7) return static_cast<void>(stack_.reconfigure(now_, stream, change));
  static_cast<void>(stack_.set_mtu(interface_, value % 10000));
}

/// Addresses, routes and the interface itself go away, and come back.
void StackMachine::renumber() {
  const Family family = some_family();
  const Cidr own{local(family), std::uint8_t(family == Family::ipv4 ? 24 : 64)};
  switch (u8() % 6) {
    case 0:
      (void)stack_.remove_address(now_, interface_, own.address);
      break;
    case 1:
      (void)stack_.add_address(interface_, own);
      break;
    case 2:
      (void)stack_.remove_route({own, interface_});
      break;
    case 3:
      (void)stack_.add_route({own, interface_});
      break;
    case 4:
      (void)stack_.add_address(interface_, *Cidr::parse("fe80::1/64"));
      break;
    default: {
      const InterfaceConfig config = stack_.interface(interface_).value();
      const InterfaceId gone = interface_;
      (void)stack_.remove_interface(now_, gone);
      plug_in(config);
      if (stack_.interface(gone)) complain("an interface that was removed");
      break;
    }
  }
  let_out();
}

void StackMachine::datagram_calls() {
  const Family family = some_family();
  Bytes octets(u16() % 2000);
  const DatagramId port = ports_.empty() ? DatagramId{} : ports_[u8() % ports_.size()];
  switch (u8() % 5) {
    case 0:
      (void)stack_.send_datagram(now_, port, {remote(family), u16()}, octets);
      break;
    case 1:
      (void)stack_.recv_datagram(port, octets);
      break;
    case 2:
      (void)stack_.send_echo(now_, remote(family), u16(), 1, octets);
      break;
    case 3:
      if (const auto made = stack_.bind_datagram({IpAddress(), u16()})) ports_.push_back(*made);
      break;
    default:
      (void)stack_.close(port);
      break;
  }
  let_out();
}

// ---- time and output

void StackMachine::pass_time() {
  const std::uint8_t how = u8();
  if (how < 128) {
    now_ += std::chrono::microseconds(1) * (1 << how % 28);
  } else if (stack_.next_deadline() != kNever) {
    now_ = std::max(now_, stack_.next_deadline());
  }
  stack_.handle_deadline(now_);
  let_out();
}

/// From here on a copy takes the stack's place.
void StackMachine::copy() {
  Stack other = stack_;
  if (!(other == stack_) || other.hash() != stack_.hash()) complain("a copy that is not equal");
  if (other.next_deadline() != stack_.next_deadline()) complain("a copy with another deadline");
  stack_ = std::move(other);
}

void StackMachine::let_out() {
  TransmitFrame frame;
  for (int i = 0; stack_.poll_transmit(now_, frame); ++i) {
    if (i > kMaxBurst) return complain("output without end");
    ++frames_out_;
    Bytes octets(frame.size());
    frame.copy_to(octets.data());
    check_sent(frame, octets);
    note_sent(octets);
  }
  for (int i = 0; stack_.poll_event(); ++i)
    if (i > kMaxBurst) return complain("events without end");
}

void StackMachine::check_sent(const TransmitFrame& frame, const Bytes& octets) {
  const auto packet = wire::parse_ip(octets);
  if (!packet) return complain("sent a datagram that cannot be read");
  if (packet->payload.size() + packet->header_octets.size() != octets.size())
    complain("sent a datagram of the wrong length");
  if (frame.gso_size == 0 && octets.size() > stack_.interface(interface_)->mtu)
    complain("sent a datagram too long for the link");
  if (packet->header.protocol != wire::kProtocolTcp || frame.checksum_partial) return;
  if (!wire::verify_transport_checksum(packet->header.source, packet->header.destination,
                                       wire::kProtocolTcp, packet->payload))
    complain("sent a wrong checksum");
}

void StackMachine::note_sent(const Bytes& octets) {
  if (sent_.size() == kRemembered) sent_.pop_front();
  sent_.push_back(octets);
  const auto packet = wire::parse_ip(octets);
  if (!packet || packet->header.protocol != wire::kProtocolTcp) return;
  const auto segment = wire::parse_tcp(packet->payload);
  if (!segment) return complain("sent a segment that cannot be read");
  const auto which = static_cast<std::size_t>(segment->destination_port - kRemotePort);
  if (which >= kConversations) return;
  Conversation& talk = talks_[which];
  talk.local_port = segment->source_port;
  talk.ack = (segment->seq + segment->length()).value();
  if (segment->flags.ack() && !segment->flags.rst()) talk.next = segment->ack.value();
  if (segment->options.timestamps) talk.clock = segment->options.timestamps->value;
}

void StackMachine::check_limits() {
  if (stack_.memory() > kMaxMemory) complain("memory beyond every limit");
  const Stack::Census census = stack_.census();
  const StackLimits& limits = stack_.config().limits;
  if (census.streams > limits.connections || census.time_wait > limits.time_wait ||
      census.syn_cache > limits.syn_cache || census.listeners > limits.listeners ||
      census.datagram_ports > limits.datagram_ports)
    complain("more records than the limits allow");
}

}  // namespace estab::fuzz
