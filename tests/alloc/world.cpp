// Two stacks and a link, driven through an open, a transfer and a close that may fail anywhere.
#include "world.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "base/byte_order.h"
#include "failing_new.h"
#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/udp.h"

namespace estab::test {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kOctets = 120'000;  // each way
constexpr std::size_t kAtOnce = 7000;     // more than what is left of a block, now and then
constexpr std::uint16_t kWeb = 80, kName = 53;
constexpr IpAddress kClient = IpAddress::v4(10, 0, 0, 1), kServer = IpAddress::v4(10, 0, 0, 2);

std::uint8_t octet_at(std::size_t place) {
  return static_cast<std::uint8_t>(place * 31 + place / 251);
}

StackConfig small_config(std::uint64_t seed) {
  StackConfig config;
  config.seed = {seed, 2};
  config.msl = 1s;
  config.tcp.receive_buffer = config.tcp.send_buffer = 32 << 10;
  config.limits.syn_cache = 2;
  return config;
}

}  // namespace

World::World() : client_(small_config(1)), server_(small_config(2)) {}

template <class Call>
auto World::insist(Call&& call) {
  while (true) {
    try {
      const Scarce scarce;
      return call();
    } catch (const std::bad_alloc&) {
      ++refused_calls_;
    }
  }
}

bool World::complain(std::string what) {
  if (complaint_.empty()) complaint_ = std::move(what);
  return false;
}

void World::set_up_addresses(End& end, const IpAddress& address) {
  end.interface = insist([&] { return end.stack.add_interface({.name = "alloc"}); });
  // What is there already is there: a second try may say so.
  (void)insist([&] { return end.stack.add_address(end.interface, {address, 24}); });
  const Route other{*Cidr::parse("192.0.2.0/24"), end.interface, {}};
  (void)insist([&] { return end.stack.add_route(other); });
}

void World::set_up(End& end, const IpAddress& address, std::uint16_t port) {
  set_up_addresses(end, address);
  const auto listener =
      insist([&] { return end.stack.listen({.local = {IpAddress(), port}, .backlog = 2}); });
  const auto bound = insist([&] { return end.stack.bind_datagram({IpAddress(), kName}); });
  if (!listener || !bound) complain("a port that is free was refused");
  if (listener) end.listener = *listener;
  if (bound) end.port = *bound;
}

void World::copy_stack(End& end) {
  std::optional<Stack> copy = insist([&] { return std::optional<Stack>(end.stack); });
  if (!(*copy == end.stack)) complain("a copy differs from what it was made of");
  end.stack = *std::move(copy);
}

bool World::open() {
  for (int i = 0; i < 3; ++i) {  // the others stay half open for a while, and are given up
    ConnectOptions to;
    to.remote = {kServer, kWeb};
    if (i == 1) to.tcp = client_.stack.config().tcp;
    const auto stream = insist([&] { return client_.stack.connect(now_, to); });
    if (!stream) return complain("connect was refused: " + std::string(name(stream.error())));
    if (i == 0) client_.stream = *stream;
    if (i > 0) (void)insist([&] { return client_.stack.abort(now_, *stream); });
  }
  return true;
}

// ---- the wire

void World::carry(End& from, End& to) {
  TransmitFrame frame;
  while (insist([&] { return from.stack.poll_transmit(now_, frame); })) {
    Bytes octets(frame.size());
    frame.copy_to(octets.data());
    if (++from.frames % 11 == 0) continue;  // lost
    if (from.frames % 17 == 0 && !to.arriving.empty()) {
      to.arriving.push_front(std::move(octets));  // overtakes
    } else {
      to.arriving.push_back(std::move(octets));
    }
  }
  while (!to.arriving.empty()) {
    const Bytes octets = std::move(to.arriving.front());
    to.arriving.pop_front();
    try {
      const Scarce scarce;
      Block block = to.stack.take_block(octets.size());
      std::ranges::copy(octets, block.data());
      const ReceivedFrame in{.octets = {block.data(), octets.size()}, .owner = &block};
      to.stack.handle_frame(now_, to.interface, in);
      if (block) to.stack.give_block(std::move(block));
    } catch (const std::bad_alloc&) {
      ++refused_calls_;
    }
  }
}

void World::fragments() {
  Bytes text(3000, 7);
  Bytes whole(wire::kUdpHeaderLength);
  const auto length = static_cast<std::uint16_t>(whole.size() + text.size());
  wire::emit_udp({999, kName, length, 0}, whole.data());
  const std::array<Octets, 1> pieces = {text};
  wire::finish_udp_checksum(whole, kClient, kServer, pieces);
  whole.insert(whole.end(), text.begin(), text.end());
  for (std::size_t at : {std::size_t{1480}, std::size_t{0}, std::size_t{2960}}) {
    const std::size_t size = std::min<std::size_t>(1480, whole.size() - at);
    Bytes octets(20);
    octets[0] = 0x45;
    base::store_be16(&octets[2], static_cast<std::uint16_t>(20 + size));
    octets[5] = static_cast<std::uint8_t>(steps_);
    const std::size_t more = at + size < whole.size() ? 0x2000 : 0;
    base::store_be16(&octets[6], static_cast<std::uint16_t>(at / 8 | more));
    octets[8] = 64;
    octets[9] = wire::kProtocolUdp;
    std::ranges::copy(kClient.wire_octets(), &octets[12]);
    std::ranges::copy(kServer.wire_octets(), &octets[16]);
    base::store_be16(&octets[10], wire::checksum(Octets(octets).first(20)));
    octets.insert(octets.end(), whole.begin() + static_cast<std::ptrdiff_t>(at),
                  whole.begin() + static_cast<std::ptrdiff_t>(at + size));
    server_.arriving.push_back(std::move(octets));
  }
}

/// Word from a router that the path to the client is narrower.
void World::forged_icmp() {
  const auto info = server_.stream ? server_.stack.info(*server_.stream) : Result<TcpInfo>();
  TransmitFrame frame;
  if (!info || !insist([&] { return server_.stack.poll_transmit(now_, frame); })) return;
  Bytes quoted(frame.size());
  frame.copy_to(quoted.data());
  client_.arriving.push_back(quoted);
  quoted.resize(std::min<std::size_t>(quoted.size(), 28));
  const wire::IcmpMessage narrow{3, 4, 1000, quoted};
  Bytes body(wire::kIcmpHeaderLength + quoted.size());
  wire::emit_icmp(narrow, kClient, kServer, body.data());
  wire::IpHeader header{.source = kClient, .destination = kServer};
  header.protocol = wire::kProtocolIcmp;
  Bytes octets(wire::kIpV4HeaderLength + wire::kMaxIpV4Options);
  octets.resize(wire::emit_ip(header, body.size(), octets.data()));
  octets.insert(octets.end(), body.begin(), body.end());
  server_.arriving.push_back(std::move(octets));
}

// ---- the applications

void World::talk(End& end) {
  if (!end.stream) return;
  Stack& stack = end.stack;
  while (end.sent < kOctets) {
    Bytes octets(std::min<std::size_t>(kAtOnce, kOctets - end.sent));
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = octet_at(end.sent + i);
    const bool lend = end.sent / kAtOnce % 5 == 3;
    const auto owner = std::make_shared<const Bytes>(octets);
    const auto took = insist([&]() -> Result<std::size_t> {
      if (!lend) return stack.send(now_, *end.stream, octets);
      const auto lent = stack.send_owned(now_, *end.stream, *owner, owner);
      if (!lent) return std::unexpected(lent.error());
      return owner->size();
    });
    if (!took) break;
    end.sent += *took;
    if (end.sent == kOctets) (void)insist([&] { return stack.shutdown(now_, *end.stream); });
  }
  std::array<std::uint8_t, 3000> buffer;
  while (!end.at_end) {
    const auto got = insist([&] { return stack.recv(now_, *end.stream, buffer); });
    if (!got) {
      end.at_end = got.error() == Error::end_of_stream;
      if (!end.at_end && got.error() != Error::would_block)
        complain("reading failed: " + std::string(name(got.error())));
      break;
    }
    for (std::size_t i = 0; i < *got; ++i)
      if (buffer[i] != octet_at(end.received + i)) complain("an octet that was not sent");
    end.received += *got;
  }
  if (!end.at_end || end.sent < kOctets) return;
  const State state = stack.state(*end.stream);
  if (state != State::closed && state != State::time_wait) return;
  (void)insist([&] { return stack.close(now_, *end.stream); });
  end.stream.reset();
  end.closed = true;
}

// Only what the stack tells: who misses an event here waits for ever.
void World::events(End& end) {
  while (const auto event = insist([&] { return end.stack.poll_event(); })) {
    if (const auto* stream = std::get_if<StreamEvent>(&*event)) {
      if (end.stream && stream->stream == *end.stream) talk(end);
    } else if (std::get_if<AcceptEvent>(&*event)) {
      while (const auto taken = insist([&] { return end.stack.accept(now_, *end.listener); })) {
        if (end.stream || end.closed) {
          (void)insist([&] { return end.stack.abort(now_, *taken); });
        } else {
          end.stream = *taken;
          (void)insist([&] {
            return end.stack.reconfigure(now_, *taken, [](TcpConfig& c) { c.nagle = false; });
          });
          talk(end);
        }
      }
    } else if (std::get_if<DatagramEvent>(&*event)) {
      std::array<std::uint8_t, 4000> buffer;
      (void)insist([&] { return end.stack.recv_datagram(*end.port, buffer); });
    }
  }
}

void World::use(End& end, End& other) {
  carry(end, other);
  events(other);
  events(end);
}

void World::step() {
  ++steps_;
  use(client_, server_);
  use(server_, client_);
  if (steps_ % 16 == 3) fragments();
  if (steps_ == 5) forged_icmp();
  if (steps_ == 9) copy_stack(server_);
  if (steps_ % 16 == 7) {
    const Bytes text(100, 3);
    (void)insist(
        [&] { return client_.stack.send_datagram(now_, *client_.port, {kServer, kName}, text); });
    (void)insist([&] { return client_.stack.send_echo(now_, kServer, 1, 1, text); });
    (void)insist(
        [&] { return client_.stack.send_datagram(now_, *client_.port, {kServer, 999}, text); });
  }
  const Instant next = std::min(client_.stack.next_deadline(), server_.stack.next_deadline());
  now_ += 1ms;
  if (next != kNever && steps_ % 4 == 0) now_ = std::max(now_, next);
  insist([&] { client_.stack.handle_deadline(now_); });
  insist([&] { server_.stack.handle_deadline(now_); });
}

bool World::done() const {
  const auto empty = [](const Stack& stack) {
    const Stack::Census census = stack.census();
    return census.streams + census.syn_cache + census.time_wait == 0;
  };
  return client_.closed && server_.closed && empty(client_.stack) && empty(server_.stack);
}

bool World::run() {
  set_up(client_, kClient, 81);
  set_up(server_, kServer, kWeb);
  if (!complaint_.empty() || !open()) return false;
  while (!done() && complaint_.empty()) {
    step();
    if (steps_ > 4000) {
      const Stack::Census a = client_.stack.census(), b = server_.stack.census();
      const auto told = [](const End& end, const Stack::Census& c) {
        return std::to_string(end.sent) + " sent, " + std::to_string(end.received) + " received, " +
               std::to_string(c.streams) + " streams, " + std::to_string(c.syn_cache) +
               " half open, " + std::to_string(c.time_wait) + " waiting; ";
      };
      complain("no end: client " + told(client_, a) + "server " + told(server_, b));
    }
  }
  for (const End* end : {&client_, &server_})
    if (end->received != kOctets) complain("not everything arrived");
  if (server_.listener) (void)insist([&] { return server_.stack.close(now_, *server_.listener); });
  return complaint_.empty();
}

}  // namespace estab::test
