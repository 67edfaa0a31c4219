#include "estab/sim/pipe.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "sim/packet.h"
#include "wire/ip.h"
#include "wire/tcp.h"

namespace estab::sim {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{Duration(1h)};

/// An IPv4 datagram with a segment in it.
Packet packet_of(const Segment& segment, std::uint8_t traffic_class = 0) {
  wire::IpHeader header;
  header.source = IpAddress::v4(10, 0, 0, 1);
  header.destination = IpAddress::v4(10, 0, 0, 2);
  header.protocol = wire::kProtocolTcp;
  header.traffic_class = traffic_class;
  const std::size_t tcp = wire::tcp_header_length(segment.options);
  const std::size_t length = tcp + segment.payload.size();
  Packet packet(wire::ip_header_length(Family::ipv4) + length);
  const std::size_t begin = wire::emit_ip(header, length, packet.data());
  wire::emit_tcp(segment, &packet[begin]);
  std::ranges::copy(segment.payload, packet.begin() + static_cast<std::ptrdiff_t>(begin + tcp));
  const std::array<Octets, 1> text{segment.payload};
  wire::finish_tcp_checksum(MutableOctets(packet).subspan(begin, tcp), header.source,
                            header.destination, text);
  return packet;
}

Packet numbered(std::size_t number, std::size_t size = 1000) {
  Packet packet(size);
  packet[0] = static_cast<std::uint8_t>(number);
  packet[1] = static_cast<std::uint8_t>(number >> 8);
  return packet;
}
std::size_t number_of(const Packet& packet) {
  return packet[0] + std::size_t{packet[1]} * 256;
}

struct Arrival {
  std::size_t number;
  Duration after;
  friend bool operator==(const Arrival&, const Arrival&) = default;
};

/// All that comes out, with its times.
std::vector<Arrival> drain(Pipe& pipe) {
  std::vector<Arrival> arrivals;
  while (pipe.next_deadline() != kNever) {
    const Instant now = pipe.next_deadline();
    while (auto packet = pipe.take(now)) arrivals.push_back({number_of(*packet), now - kStart});
  }
  return arrivals;
}

std::vector<Arrival> send_at_once(Pipe& pipe, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) pipe.enter(kStart, numbered(i));
  return drain(pipe);
}

TEST(Pipe, TakesTheTimeOfRateAndDelayAndKeepsTheOrder) {
  Pipe pipe({.rate_bits_per_second = 8'000'000, .delay = 10ms}, 1, kStart);  // 1 ms a packet
  EXPECT_EQ(send_at_once(pipe, 3), (std::vector<Arrival>{{0, 11ms}, {1, 12ms}, {2, 13ms}}));
  EXPECT_EQ(pipe.counters().most_waiting, 2u);
  EXPECT_EQ(pipe.counters().delivered, 3u);
}

TEST(Pipe, DoesNotCareHowOftenItIsAsked) {
  const LinkConfig config{.rate_bits_per_second = 8'000'000,
                          .delay = 3ms,
                          .jitter = 2ms,
                          .queue = {.discipline = Queue::Discipline::codel},
                          .impairments = {.loss = 0.1, .reorder = 0.1}};
  Pipe often(config, 5, kStart), seldom(config, 5, kStart);
  std::vector<std::size_t> first, second;
  for (std::size_t i = 0; i < 500; ++i) {
    const Instant now = kStart + static_cast<int>(i) * 500us;
    often.enter(now, numbered(i));
    seldom.enter(now, numbered(i));
    while (auto packet = often.take(now)) first.push_back(number_of(*packet));
  }
  for (const Arrival& arrival : drain(often)) first.push_back(arrival.number);
  for (const Arrival& arrival : drain(seldom)) second.push_back(arrival.number);
  EXPECT_EQ(first, second);
  EXPECT_LT(first.size(), 500u);
}

TEST(Pipe, LosesWhatItsQueueHasNoRoomFor) {
  Pipe packets({.rate_bits_per_second = 8'000'000, .queue = {.packets = 3}}, 1, kStart);
  EXPECT_EQ(send_at_once(packets, 10).size(), 4u);  // one goes at once
  EXPECT_EQ(packets.counters().queue_dropped, 6u);
  Pipe octets({.rate_bits_per_second = 8'000'000, .queue = {.octets = 2500}}, 1, kStart);
  EXPECT_EQ(send_at_once(octets, 10).size(), 3u);
}

TEST(Pipe, LosesByChanceWhatItIsToldTo) {
  Pipe pipe({.impairments = {.loss = 0.2}}, 3, kStart);
  const std::size_t arrived = send_at_once(pipe, 10'000).size();
  EXPECT_NEAR(static_cast<double>(arrived), 8000, 160);  // four standard deviations
  EXPECT_EQ(pipe.counters().lost, 10'000 - arrived);
}

TEST(Pipe, LosesInBurstsOfTheLengthAsked) {
  Pipe pipe({.impairments = {.burst_loss = BurstLoss{.enter = 0.01, .leave = 0.25}}}, 3, kStart);
  const auto arrivals = send_at_once(pipe, 50'000);
  std::size_t bursts = 0;
  for (std::size_t i = 1; i < arrivals.size(); ++i)
    bursts += arrivals[i].number > arrivals[i - 1].number + 1;
  ASSERT_GT(bursts, 300u);
  const double length = static_cast<double>(pipe.counters().lost) / static_cast<double>(bursts);
  EXPECT_NEAR(length, 4.0, 0.5);
}

TEST(Pipe, LetsOthersOvertakeAReorderedPacket) {
  Pipe pipe({.delay = 5ms, .impairments = {.reorder = 0.05, .reorder_delay = 3ms}}, 2, kStart);
  std::size_t late = 0;
  for (std::size_t i = 0; i < 200; ++i) pipe.enter(kStart + static_cast<int>(i) * 1ms, numbered(i));
  const auto arrivals = drain(pipe);
  for (std::size_t i = 1; i < arrivals.size(); ++i)
    late += arrivals[i].number < arrivals[i - 1].number;
  EXPECT_EQ(late, pipe.counters().reordered);
  EXPECT_GT(late, 2u);
}

TEST(Pipe, NeverReordersForJitterAlone) {
  Pipe pipe({.delay = 5ms, .jitter = 20ms}, 2, kStart);
  for (std::size_t i = 0; i < 200; ++i) pipe.enter(kStart + static_cast<int>(i) * 1ms, numbered(i));
  const auto arrivals = drain(pipe);
  EXPECT_TRUE(std::ranges::is_sorted(arrivals, {}, &Arrival::number));
}

TEST(Pipe, DuplicatesAndCorruptsOneOctet) {
  Pipe twice({.impairments = {.duplicate = 1}}, 2, kStart);
  EXPECT_EQ(send_at_once(twice, 5).size(), 10u);
  Pipe bad({.impairments = {.corrupt = 1}}, 2, kStart);
  const Packet sent(500, 7);
  bad.enter(kStart, sent);
  const Packet got = bad.take(kStart).value();
  std::size_t different = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) different += got[i] != sent[i];
  EXPECT_EQ(different, 1u);
}

TEST(Pipe, IsDarkInABlackoutAndForWhatIsTooLarge) {
  Pipe pipe({.impairments = {.blackouts = {{.begin = 2ms, .length = 3ms}}}}, 1, kStart);
  for (int i = 0; i < 8; ++i) pipe.enter(kStart + i * 1ms, numbered(static_cast<std::size_t>(i)));
  std::vector<std::size_t> numbers;
  for (const Arrival& arrival : drain(pipe)) numbers.push_back(arrival.number);
  EXPECT_EQ(numbers, (std::vector<std::size_t>{0, 1, 5, 6, 7}));
  Pipe hole({.impairments = {.black_hole_above = 999}}, 1, kStart);
  hole.enter(kStart, numbered(1, 999));
  hole.enter(kStart, numbered(2, 1000));
  EXPECT_EQ(drain(hole).size(), 1u);
}

TEST(Pipe, OvertakesOnAShorterWay) {
  Pipe pipe({.delay = 50ms, .delay_changes = {{.at = 10ms, .delay = 5ms}}}, 1, kStart);
  pipe.enter(kStart + 9ms, numbered(0));
  pipe.enter(kStart + 10ms, numbered(1));
  EXPECT_EQ(drain(pipe), (std::vector<Arrival>{{1, 15ms}, {0, 59ms}}));
}

TEST(Pipe, GathersAndLosesAcknowledgementsOnly) {
  Segment ack;
  ack.flags = kAck;
  Segment data = ack;
  const std::vector<std::uint8_t> text(100);
  data.payload = text;
  Pipe pipe({.impairments = {.ack_loss = 1}}, 1, kStart);
  pipe.enter(kStart, packet_of(ack));
  pipe.enter(kStart, packet_of(data));
  EXPECT_EQ(pipe.counters().lost, 1u);
  Pipe gathers({.impairments = {.ack_compression = 10ms}}, 1, kStart);
  for (int i = 0; i < 20; ++i) gathers.enter(kStart + i * 1ms, packet_of(ack));
  std::set<Duration> times;
  for (const Arrival& arrival : drain(gathers)) times.insert(arrival.after);
  EXPECT_EQ(times, (std::set<Duration>{10ms, 21ms}));
}

/// How long the last packets of a load a twentieth above the link's rate wait, after 20 s of it.
Duration wait_under_load(Queue::Discipline discipline) {
  Pipe pipe({.rate_bits_per_second = 8'000'000, .queue = {.discipline = discipline}}, 1, kStart);
  Duration worst{0};
  std::vector<Instant> sent;
  for (int i = 0; i < 21'000; ++i) {
    const Instant now = kStart + i * 952us;
    sent.push_back(now);
    pipe.enter(now, numbered(static_cast<std::size_t>(i)));
    while (auto packet = pipe.take(now))
      if (i > 15'000) worst = std::max(worst, now - sent[number_of(*packet)]);
  }
  return worst;
}

TEST(Pipe, CoDelKeepsTheWaitInBounds) {
  EXPECT_GT(wait_under_load(Queue::Discipline::drop_tail), 900ms);
  EXPECT_LT(wait_under_load(Queue::Discipline::codel), 300ms);
}

TEST(Pipe, MarksInsteadOfDroppingWhatCanBeMarked) {
  Segment data;
  data.flags = kAck;
  const std::vector<std::uint8_t> text(900);
  data.payload = text;
  Pipe pipe({.rate_bits_per_second = 8'000'000, .queue = {.mark_from = 2}}, 1, kStart);
  for (int i = 0; i < 5; ++i) pipe.enter(kStart, packet_of(data, wire::kEcnEct0));
  pipe.enter(kStart, packet_of(data));  // says nothing of ECN
  std::vector<std::uint8_t> seen;
  while (pipe.next_deadline() != kNever) {
    const auto packet = pipe.take(pipe.next_deadline());
    if (!packet) continue;
    const auto ip = wire::parse_ip(*packet);  // and its checksum is right
    ASSERT_TRUE(ip);
    seen.push_back(ip->ecn());
  }
  EXPECT_EQ(seen, (std::vector<std::uint8_t>{2, 2, 2, 3, 3, 0}));
  EXPECT_EQ(pipe.counters().marked, 2u);
}

TEST(Middlebox, ClampsAndStripsInSynsAndLeavesTheRest) {
  Segment syn;
  syn.flags = kSyn;
  syn.options.mss = 1460;
  syn.options.window_scale = 7;
  syn.options.sack_permitted = true;
  syn.options.timestamps = TcpTimestamps{5, 0};
  const Middlebox box{.clamp_mss = 1200, .strip_timestamps = true, .strip_sack = true};
  Packet packet = packet_of(syn);
  rewrite_syn(box, packet);
  const auto ip = wire::parse_ip(packet).value();
  EXPECT_TRUE(wire::verify_transport_checksum(ip.header.source, ip.header.destination,
                                              wire::kProtocolTcp, ip.payload));
  const Segment seen = wire::parse_tcp(ip.payload).value();
  EXPECT_EQ(seen.options.mss, 1200);
  EXPECT_EQ(seen.options.window_scale, 7);
  EXPECT_FALSE(seen.options.sack_permitted);
  EXPECT_FALSE(seen.options.timestamps);
  Segment data = syn;
  data.flags = kAck;
  Packet other = packet_of(data);
  const Packet before = other;
  rewrite_syn(box, other);
  EXPECT_EQ(other, before);
}

TEST(Pipe, IsAValue) {
  Pipe pipe({.delay = 5ms, .impairments = {.loss = 0.3}}, 9, kStart);
  for (std::size_t i = 0; i < 20; ++i) pipe.enter(kStart, numbered(i));
  Pipe copy = pipe;
  EXPECT_EQ(copy, pipe);
  EXPECT_EQ(drain(copy), drain(pipe));
}

}  // namespace
}  // namespace estab::sim
