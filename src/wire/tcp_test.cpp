#include "wire/tcp.h"

#include <gtest/gtest.h>

#include "wire/checksum.h"
#include "wire/tcp_options.h"
#include "wire/wire_test_support.h"

namespace estab::wire {
namespace {

// A SYN as Linux 6 sent it to 10.9.0.2:80.
const OctetVector kLinuxSynV4 = from_hex(
    "4500003c52e640004006d3c10a0900010a090002"
    "e9120050975faac000000000a002faf066c00000020405b40402080a11f194c3000000000103030a");
const OctetVector kLinuxSynV6 = from_hex(
    "60050dc500280640fd000009000000000000000000000001fd000009000000000000000000000002"
    "892c0050be7fad0d00000000a002fd20aaf10000020405a00402080acf76e167000000000103030a");

OctetVector emit(const Segment& segment) {
  OctetVector octets(kMaxTcpHeaderLength, 0xa5);
  octets.resize(emit_tcp(segment, octets.data()));
  octets.insert(octets.end(), segment.payload.begin(), segment.payload.end());
  return octets;
}

// The options a parser sees in `area`, which is filled up with EOL.
TcpOptions options_in(std::string_view area) {
  OctetVector options = from_hex(area);
  options.resize((options.size() + 3) / 4 * 4);
  OctetVector octets = emit(Segment{});
  octets[12] = static_cast<std::uint8_t>((5 + options.size() / 4) << 4);
  octets.insert(octets.end(), options.begin(), options.end());
  const auto segment = parse_tcp(octets);
  EXPECT_TRUE(segment.has_value());
  return segment ? segment->options : TcpOptions{};
}

std::string_view option_octets(const OctetVector& octets) {
  return as_text(Octets(octets).subspan(kTcpHeaderLength));
}

void expect_equal(const Segment& a, const Segment& b) {
  EXPECT_EQ(a.source_port, b.source_port);
  EXPECT_EQ(a.destination_port, b.destination_port);
  EXPECT_EQ(a.seq, b.seq);
  EXPECT_EQ(a.ack, b.ack);
  EXPECT_EQ(a.flags, b.flags);
  EXPECT_EQ(a.window, b.window);
  EXPECT_EQ(a.urgent_pointer, b.urgent_pointer);
  EXPECT_EQ(a.options, b.options);
  EXPECT_EQ(to_vector(a.payload), to_vector(b.payload));
}

TEST(Tcp, ReadsASynOfLinux) {
  const auto packet = parse_ip(kLinuxSynV4);
  ASSERT_TRUE(packet.has_value());
  const auto syn = parse_tcp(packet->payload);
  ASSERT_TRUE(syn.has_value());
  EXPECT_EQ(syn->source_port, 0xe912);
  EXPECT_EQ(syn->destination_port, 80);
  EXPECT_EQ(syn->seq, SeqNum(0x975faac0));
  EXPECT_EQ(syn->flags, kSyn);
  EXPECT_EQ(syn->window, 64240);
  EXPECT_EQ(syn->options.mss, 1460);
  EXPECT_TRUE(syn->options.sack_permitted);
  EXPECT_EQ(syn->options.timestamps, (TcpTimestamps{0x11f194c3, 0}));
  EXPECT_EQ(syn->options.window_scale, 10);
  EXPECT_TRUE(syn->payload.empty());
}

TEST(Tcp, WritesASynOctetForOctetAsLinuxDoes) {
  for (const OctetVector& frame : {kLinuxSynV4, kLinuxSynV6}) {
    const auto packet = parse_ip(frame);
    ASSERT_TRUE(packet.has_value());
    const auto syn = parse_tcp(packet->payload);
    ASSERT_TRUE(syn.has_value());
    OctetVector octets = emit(*syn);
    finish_tcp_checksum(octets, packet->header.source, packet->header.destination);
    EXPECT_EQ(octets, to_vector(packet->payload));
  }
}

TEST(Tcp, ReadsBackEverySegmentItWrote) {
  Chance chance(10);
  for (int round = 0; round < 20000; ++round) {
    Segment segment = chance.segment();
    const OctetVector payload = chance.octets(chance.below(50));
    segment.payload = payload;
    const OctetVector octets = emit(segment);
    ASSERT_EQ(octets.size(), tcp_header_length(segment.options) + payload.size());
    Segment expected = segment;
    expected.options.sack = SackBlocks{};
    for (std::size_t i = 0; i < fitting_sack_blocks(segment.options); ++i)
      expected.options.sack.add(segment.options.sack[i]);
    const auto back = parse_tcp(octets);
    ASSERT_TRUE(back.has_value());
    expect_equal(*back, expected);
  }
}

TEST(Tcp, HeaderLengthIsAMultipleOfFourAndAtMostSixty) {
  Chance chance(11);
  for (int round = 0; round < 2000; ++round) {
    const std::size_t length = tcp_header_length(chance.tcp_options());
    EXPECT_EQ(length % 4, 0U);
    EXPECT_GE(length, 20U);
    EXPECT_LE(length, 60U);
  }
}

// Behind the end of the list there would have to be zeros; a list that fills its words has no end.
// [RFC 9293 MUST-69]
TEST(Tcp, FillsOptionsUpWithNopsSoThatNoPaddingIsLeft) {
  Chance chance(15);
  for (int round = 0; round < 2000; ++round) {
    OctetVector area(kMaxTcpOptions, 0);
    const std::size_t length = emit_tcp_options(chance.tcp_options(), area.data());
    std::size_t at = 0;
    while (at < length) {
      ASSERT_NE(area[at], 0) << "an end of the list at " << at << " of " << length;
      at += area[at] == 1 ? 1 : area[at + 1];
    }
    EXPECT_EQ(at, length);
  }
}

TEST(Tcp, SendsReservedBitsAsZeroAndIgnoresThemOnReceipt) {
  Segment segment;
  segment.flags = TcpFlags(0x1ff);
  OctetVector octets = emit(segment);
  EXPECT_EQ(octets[12], 0x51);
  EXPECT_EQ(octets[13], 0xff);
  octets[12] |= 0x0f;
  const auto back = parse_tcp(octets);
  ASSERT_TRUE(back.has_value());
  expect_equal(*back, segment);
}

TEST(Tcp, LaysOptionsOutAsLinuxDoes) {
  Segment segment;
  segment.options.mss = 1460;
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("020405b4")));
  segment.options.window_scale = 7;
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("020405b4 01030307")));
  segment.options.sack_permitted = true;
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("020405b4 01010402 01030307")));
  segment.options = TcpOptions{};
  segment.options.timestamps = TcpTimestamps{1, 2};
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("0101080a 00000001 00000002")));
  segment.options.sack.add({SeqNum(3), SeqNum(4)});
  EXPECT_EQ(option_octets(emit(segment)),
            as_text(from_hex("0101080a 00000001 00000002 0101050a 00000003 00000004")));
}

// [RFC 9768 3.2.3-1, 3.2.3-2]
TEST(Tcp, WritesAccurateEcnInEitherOrderAndOfAnyLength) {
  using Order = AccurateEcnOption::Order;
  Segment segment;
  segment.options.accurate_ecn = AccurateEcnOption{Order::e0b_first, 3, 0x010203, 4, 5};
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("ac0b 010203 000004 000005 01")));
  segment.options.accurate_ecn = AccurateEcnOption{Order::e1b_first, 3, 3, 4, 5};
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("ae0b 000005 000004 000003 01")));
  segment.options.accurate_ecn = AccurateEcnOption{Order::e1b_first, 2, 0, 4, 5};
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("ae08 000005 000004")));
  segment.options.accurate_ecn = AccurateEcnOption{Order::e0b_first, 1, 3, 0, 0};
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("ac05 000003 010101")));
  segment.options.accurate_ecn = AccurateEcnOption{Order::e0b_first, 0, 0, 0, 0};
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("ac02 0101")));
}

// [RFC 9768 3.2.3-3, 3.2.3-4]
TEST(Tcp, ReadsTheWholeFieldsOfAccurateEcnWhateverItsLength) {
  using Order = AccurateEcnOption::Order;
  const auto read = [](std::string_view area) { return *options_in(area).accurate_ecn; };
  EXPECT_EQ(read("ac0b 000003 000004 000005"), (AccurateEcnOption{Order::e0b_first, 3, 3, 4, 5}));
  EXPECT_EQ(read("ae0b 000003 000004 000005"), (AccurateEcnOption{Order::e1b_first, 3, 5, 4, 3}));
  EXPECT_EQ(read("ac08 000003 000004"), (AccurateEcnOption{Order::e0b_first, 2, 3, 4, 0}));
  EXPECT_EQ(read("ae05 000003"), (AccurateEcnOption{Order::e1b_first, 1, 0, 0, 3}));
  EXPECT_EQ(read("ae02"), (AccurateEcnOption{Order::e1b_first, 0, 0, 0, 0}));
  EXPECT_EQ(read("ac07 000003 ffff"), (AccurateEcnOption{Order::e0b_first, 1, 3, 0, 0}));
  EXPECT_EQ(read("ac0d 000003 000004 000005 ffff"),
            (AccurateEcnOption{Order::e0b_first, 3, 3, 4, 5}));
}

TEST(Tcp, LaysFastOpenOutAsLinuxDoes) {
  const auto cookie = FastOpenCookie::from(from_hex("00112233 44556677"));
  Segment segment;
  segment.options.mss = 1460;
  segment.options.fast_open = FastOpenOption{};
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("020405b4 22020101")));
  segment.options.fast_open->cookie = *cookie;
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("020405b4 220a0011 22334455 66770101")));
  segment.options.fast_open->experimental = true;
  EXPECT_EQ(option_octets(emit(segment)), as_text(from_hex("020405b4 fe0cf989 00112233 44556677")));
}

// [RFC 7413 4.1.1-1, 4.1.1-2]
TEST(Tcp, TakesCookiesOfAnEvenLengthFromFourToSixteen) {
  for (std::size_t size = 0; size <= 18; ++size) {
    OctetVector area = {34, static_cast<std::uint8_t>(2 + size)};
    area.resize(2 + size, 7);
    TcpOptions options;
    parse_tcp_options(area, options);
    const bool good = size == 0 || (size >= 4 && size <= 16 && size % 2 == 0);
    ASSERT_EQ(options.fast_open.has_value(), good) << size;
    if (!good) continue;
    EXPECT_EQ(options.fast_open->cookie.octets().size(), size);
  }
}

TEST(Tcp, KnowsTheExperimentThatBecameFastOpenFromOthers) {
  EXPECT_EQ(options_in("fe 04 f989").fast_open, (FastOpenOption{{}, true}));
  EXPECT_EQ(options_in("fe 08 f989 01020304").fast_open->cookie.octets().size(), 4U);
  EXPECT_EQ(options_in("fe 04 f988"), TcpOptions{});
  EXPECT_EQ(options_in("fe 03 f9"), TcpOptions{});
  EXPECT_EQ(options_in("fe 05 f989 01"), TcpOptions{});
}

TEST(Tcp, WritesAsManySackBlocksAsFit) {
  TcpOptions options;
  for (std::uint32_t i = 0; i < 4; ++i) options.sack.add({SeqNum(i), SeqNum(i + 1)});
  EXPECT_EQ(fitting_sack_blocks(options), 4U);
  EXPECT_EQ(tcp_header_length(options), 56U);
  options.timestamps = TcpTimestamps{};
  EXPECT_EQ(fitting_sack_blocks(options), 3U);
  options.mss = 1460;
  options.window_scale = 0;
  EXPECT_EQ(fitting_sack_blocks(options), 2U);
  options.sack = SackBlocks{};
  EXPECT_EQ(fitting_sack_blocks(options), 0U);
}

// [RFC 9293 MUST-64]
TEST(Tcp, ReadsOptionsAtAnyAlignment) {
  EXPECT_EQ(options_in("01 02 04 05b4 03 03 07").mss, 1460);
  EXPECT_EQ(options_in("01 02 04 05b4 03 03 07").window_scale, 7);
  EXPECT_EQ(options_in("01 01 01 08 0a 00000005 00000006").timestamps, (TcpTimestamps{5, 6}));
  EXPECT_EQ(options_in("01 05 0a 00000005 00000006").sack.size(), 1U);
}

TEST(Tcp, StopsAtTheEndOfOptionList) {
  EXPECT_EQ(options_in("00 02 04 05b4"), TcpOptions{});
}

// [RFC 9293 MUST-6, MUST-68]
TEST(Tcp, SkipsOptionsItDoesNotKnow) {
  const TcpOptions options = options_in("fd 04 1234 02 04 0218 23 02 1e 03 00 03 03 02");
  EXPECT_EQ(options.mss, 536);
  EXPECT_EQ(options.window_scale, 2);
}

TEST(Tcp, SkipsAKnownOptionOfAnotherLengthAndReadsOn) {
  const TcpOptions options =
      options_in("02 03 05 03 04 0101 04 03 00 08 06 00000000 05 07 0102030405 02 04 0218");
  TcpOptions expected;
  expected.mss = 536;
  EXPECT_EQ(options, expected);
}

// [RFC 9293 MUST-7]
TEST(Tcp, SurvivesIllegalOptionLengthsAndKeepsWhatCameBefore) {
  TcpOptions expected;
  expected.mss = 1460;
  EXPECT_EQ(options_in("020405b4 03 00 07 01 03 03 07 00"), expected);
  EXPECT_EQ(options_in("020405b4 03 01 07 01 03 03 07 00"), expected);
  EXPECT_EQ(options_in("020405b4 08 0a 0000"), expected);
  EXPECT_EQ(options_in("020405b4 fd ff 0000"), expected);
  EXPECT_EQ(options_in("020405b4 01 01 01 08"), expected);
}

TEST(Tcp, TakesTheShortPathOnlyForTheTwelveUsualOctets) {
  EXPECT_EQ(options_in("0101080a 00000001 00000002").timestamps, (TcpTimestamps{1, 2}));
  const TcpOptions more = options_in("0101080a 00000001 00000002 020405b4");
  EXPECT_EQ(more.timestamps, (TcpTimestamps{1, 2}));
  EXPECT_EQ(more.mss, 1460);
}

TEST(Tcp, OverwritesEverythingInTheSegmentItReadsInto) {
  Chance chance(12);
  for (int round = 0; round < 200; ++round) {
    Segment used = chance.segment();
    const Segment plain;
    ASSERT_TRUE(parse_tcp_into(emit(plain), used));
    expect_equal(used, plain);
  }
}

TEST(Tcp, RefusesADataOffsetOutsideTheSegment) {
  OctetVector octets = emit(Segment{});
  for (int offset = 0; offset < 16; ++offset) {
    octets[12] = static_cast<std::uint8_t>(offset << 4);
    EXPECT_EQ(parse_tcp(octets).has_value(), offset == 5) << offset;
  }
  EXPECT_FALSE(parse_tcp({}).has_value());
  EXPECT_FALSE(parse_tcp(Octets(octets).first(19)).has_value());
}

// [RFC 9293 MUST-2]
TEST(Tcp, ChecksumOverHeaderAndPiecesVerifies) {
  Chance chance(13);
  for (int round = 0; round < 3000; ++round) {
    const Family family = chance.family();
    const IpAddress source = chance.address(family), destination = chance.address(family);
    const OctetVector payload = chance.octets(chance.below(2000));
    OctetVector octets = emit(chance.segment());
    const std::size_t cut = chance.below(static_cast<std::uint32_t>(payload.size()) + 1);
    const Octets pieces[] = {Octets(payload).first(cut), Octets(payload).subspan(cut)};
    finish_tcp_checksum(octets, source, destination, pieces);
    octets.insert(octets.end(), payload.begin(), payload.end());
    ASSERT_TRUE(verify_transport_checksum(source, destination, kProtocolTcp, octets));
    ASSERT_EQ(tcp_checksum(source, destination, octets), 0);
    octets[chance.below(static_cast<std::uint32_t>(octets.size()))] ^= 0x10;
    ASSERT_FALSE(verify_transport_checksum(source, destination, kProtocolTcp, octets));
  }
}

TEST(Tcp, ChecksumCoversThePseudoHeader) {
  const auto packet = parse_ip(kLinuxSynV6);
  ASSERT_TRUE(packet.has_value());
  const IpAddress& source = packet->header.source;
  const IpAddress& destination = packet->header.destination;
  EXPECT_TRUE(verify_transport_checksum(source, destination, kProtocolTcp, packet->payload));
  EXPECT_FALSE(verify_transport_checksum(source, source, kProtocolTcp, packet->payload));
  EXPECT_FALSE(verify_transport_checksum(source, destination, kProtocolUdp, packet->payload));
}

TEST(Tcp, SurvivesEveryTruncationAndAnyMutation) {
  Chance chance(14);
  std::size_t readable = 0;
  for (int round = 0; round < 300; ++round) {
    const OctetVector octets = emit(chance.segment());
    for (std::size_t length = 0; length <= octets.size(); ++length)
      EXPECT_EQ(parse_tcp(truncated(octets, length)).has_value(), length == octets.size());
  }
  for (int round = 0; round < 100000; ++round) {
    OctetVector octets = emit(chance.segment());
    chance.mutate(octets);
    const auto segment = parse_tcp(truncated(octets, octets.size()));
    if (!segment) continue;
    ++readable;
    ASSERT_LE(segment->payload.size(), octets.size() - kTcpHeaderLength);
  }
  EXPECT_GT(readable, 10000U);
}

}  // namespace
}  // namespace estab::wire
