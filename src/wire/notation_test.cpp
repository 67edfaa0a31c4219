#include "estab/notation.h"

#include <gtest/gtest.h>

#include "wire/tcp.h"
#include "wire/wire_test_support.h"

namespace estab {
namespace {

using wire::Chance;
using wire::OctetVector;

Segment segment_with(TcpFlags flags, std::uint32_t seq, std::uint32_t ack, std::uint16_t window) {
  Segment segment;
  segment.flags = flags;
  segment.seq = SeqNum(seq);
  segment.ack = SeqNum(ack);
  segment.window = window;
  return segment;
}

// The error of a text that is no segment.
std::string complaint(std::string_view text) {
  const auto noted = parse_segment(text);
  return noted ? "" : noted.error();
}

// What parse_segment is given comes out of to_string again.
void expect_round_trip(std::string_view text) {
  auto noted = parse_segment(text);
  ASSERT_TRUE(noted.has_value()) << noted.error();
  const OctetVector payload(noted->payload_length);
  noted->segment.payload = payload;
  EXPECT_EQ(to_string(noted->segment), text);
}

TEST(Notation, WritesASyn) {
  Segment syn = segment_with(kSyn, 0, 0, 65535);
  syn.options.mss = 1460;
  syn.options.sack_permitted = true;
  syn.options.timestamps = TcpTimestamps{100, 0};
  syn.options.window_scale = 8;
  EXPECT_EQ(to_string(syn), "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 8>");
}

TEST(Notation, WritesDataWithUrgentPointerAndTimestamps) {
  const OctetVector payload(10);
  Segment data = segment_with(kPsh | kAck | kUrg, 1, 1, 512);
  data.payload = payload;
  data.urgent_pointer = 5;
  data.options.timestamps = TcpTimestamps{3, 4};
  EXPECT_EQ(to_string(data), "PU. 1:11(10) ack 1 win 512 urg 5 <nop,nop,TS val 3 ecr 4>");
}

TEST(Notation, WritesNumbersRelativeToBothBases) {
  Segment fin = segment_with(kFin | kAck, 5001, 70001, 9);
  fin.options.sack.add({SeqNum(70101), SeqNum(70201)});
  EXPECT_EQ(to_string(fin, SeqNum(4000), SeqNum(70000)),
            "F. 1001:1001(0) ack 1 win 9 <nop,nop,sack 101:201>");
}

TEST(Notation, KeepsRelativeNumbersAcrossTheWrap) {
  const OctetVector payload(20);
  Segment data = segment_with(kAck, 4, 2, 1);
  data.payload = payload;
  EXPECT_EQ(to_string(data, SeqNum(0xfffffffa), SeqNum(0xffffffff)), ". 10:30(20) ack 3 win 1");
}

TEST(Notation, WritesFlagsInOneOrder) {
  EXPECT_EQ(to_string(TcpFlags(0x1ff)), "SFRPUEWA.");
  EXPECT_EQ(to_string(TcpFlags()), "-");
  EXPECT_EQ(to_string(kSyn | kAck), "S.");
  EXPECT_EQ(to_string(kAck | kPsh | kFin), "FP.");
}

TEST(Notation, LeavesOutAnAcknowledgementThatMeansNothing) {
  EXPECT_EQ(to_string(segment_with(kRst, 7, 99, 0)), "R 7:7(0) win 0");
}

TEST(Notation, ReadsBackTheExamplesOfItsHeader) {
  expect_round_trip("S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 8>");
  expect_round_trip("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  expect_round_trip("S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 8>");
  expect_round_trip("S 0:10(10) win 65535 <mss 1460,FO 0102abcd,nop,nop>");
  expect_round_trip("S 0:0(0) win 65535 <mss 1460,FOEXP>");
  expect_round_trip("P. 1:11(10) ack 1 win 512 urg 5 <nop,nop,TS val 3 ecr 4>");
  expect_round_trip(". 11:11(0) ack 1001 win 512 <nop,nop,sack 2001:3001 4001:5001>");
  expect_round_trip("F. 1001:1001(0) ack 5001 win 65535");
  expect_round_trip("- 5:5(0) win 0");
}

TEST(Notation, ReadsBackEverySegmentItWrote) {
  Chance chance(50);
  for (int round = 0; round < 20000; ++round) {
    Segment segment = chance.segment();
    const OctetVector payload = chance.octets(chance.below(30));
    segment.payload = payload;
    if (!segment.flags.ack()) segment.ack = SeqNum(0);
    const SeqNum base_seq(chance.number32()), base_ack(chance.number32());
    const std::string text = to_string(segment, base_seq, base_ack);
    const auto noted = parse_segment(text, base_seq, base_ack);
    ASSERT_TRUE(noted.has_value()) << noted.error();
    EXPECT_EQ(noted->payload_length, payload.size()) << text;
    const Segment& back = noted->segment;
    EXPECT_EQ(back.seq, segment.seq) << text;
    EXPECT_EQ(back.ack, segment.ack) << text;
    EXPECT_EQ(back.flags, segment.flags) << text;
    EXPECT_EQ(back.window, segment.window) << text;
    EXPECT_EQ(back.urgent_pointer, segment.urgent_pointer) << text;
    EXPECT_EQ(back.options, segment.options) << text;
  }
}

/// `FO`, `FOEXP`, with a cookie in two digits an octet behind a blank.
std::size_t length_of_fast_open(std::string_view option) {
  option = option.substr(0, option.find_first_of(",>"));
  const std::size_t head = option.starts_with("FOEXP") ? 4 : 2;
  const std::size_t blank = option.find(' ');
  return blank == option.npos ? head : head + (option.size() - blank - 1) / 2;
}

TEST(Notation, ShowsTheOptionsInTheirOrderOnTheWire) {
  Chance chance(51);
  for (int round = 0; round < 2000; ++round) {
    Segment segment;
    segment.options = chance.tcp_options();
    segment.options.sack = SackBlocks{};
    const std::string text = to_string(segment);
    // As many octets as the options named take.
    std::size_t octets = 0;
    for (std::size_t at = text.find('<'); at < text.size(); at = text.find(',', at + 1)) {
      const std::string_view option = std::string_view(text).substr(at + 1);
      if (option.starts_with("nop")) octets += 1;
      if (option.starts_with("mss")) octets += 4;
      if (option.starts_with("wscale")) octets += 3;
      if (option.starts_with("sackOK")) octets += 2;
      if (option.starts_with("TS")) octets += 10;
      const std::string_view one = option.substr(0, option.find_first_of(",>"));
      if (one.starts_with("ECN")) octets += 2 + 3 * (std::ranges::count(one, ' ') / 2);
      if (option.starts_with("FO")) octets += length_of_fast_open(option);
    }
    EXPECT_EQ(wire::kTcpHeaderLength + octets, wire::tcp_header_length(segment.options)) << text;
  }
}

TEST(Notation, ReadsAccurateEcnAsPacketdrillHasIt) {
  using Order = AccurateEcnOption::Order;
  const auto option = [](std::string_view text) {
    const auto noted = parse_segment(". 0:0(0) ack 0 <" + std::string(text) + ">", {}, {});
    EXPECT_TRUE(noted.has_value()) << text;
    return noted ? noted->segment.options.accurate_ecn : std::nullopt;
  };
  EXPECT_EQ(option("ECN e1b 1 ceb 2 e0b 3"), (AccurateEcnOption{Order::e1b_first, 3, 3, 2, 1}));
  EXPECT_EQ(option("ECN e0b 1 ceb 2,nop"), (AccurateEcnOption{Order::e0b_first, 2, 1, 2, 0}));
  EXPECT_EQ(option("ECN"), (AccurateEcnOption{Order::e0b_first, 0, 0, 0, 0}));
  EXPECT_EQ(option("ECN1"), (AccurateEcnOption{Order::e1b_first, 0, 0, 0, 0}));
}

TEST(Notation, IsLenientInWhatPeopleWrite) {
  const auto noted =
      parse_segment("  .P  1:11(10) ack 1 <wscale 7, TS val 1 ecr 2 , sackOK, mss 1000,eol> ");
  ASSERT_TRUE(noted.has_value()) << noted.error();
  EXPECT_EQ(noted->segment.flags, kPsh | kAck);
  EXPECT_EQ(noted->segment.window, 0);
  EXPECT_EQ(noted->segment.options.window_scale, 7);
  EXPECT_EQ(noted->segment.options.mss, 1000);
  EXPECT_TRUE(noted->segment.options.sack_permitted);
  EXPECT_EQ(noted->segment.options.timestamps, (TcpTimestamps{1, 2}));
  EXPECT_TRUE(parse_segment("S 0:0(0) win 1 <>").has_value());
}

TEST(Notation, ReadsALengthAcrossTheWrap) {
  const auto noted = parse_segment(". 4294967290:4(10) ack 1 win 1");
  ASSERT_TRUE(noted.has_value()) << noted.error();
  EXPECT_EQ(noted->segment.seq, SeqNum(0xfffffffa));
}

TEST(Notation, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(complaint(""), "expected flags at column 1 of \"\"");
  EXPECT_EQ(complaint("SX 0:0(0)"), "no such flag at column 2 of \"SX 0:0(0)\"");
  EXPECT_EQ(complaint("SS 0:0(0)"), "flag given twice at column 2 of \"SS 0:0(0)\"");
  EXPECT_EQ(complaint("S 0-0(0)"), "expected ':' at column 4 of \"S 0-0(0)\"");
  EXPECT_EQ(complaint("S. 0:0(0) win 5"), "expected 'ack' at column 11 of \"S. 0:0(0) win 5\"");
  EXPECT_EQ(complaint("S 0:0(0) win 65536"),
            "number above 65535 at column 14 of \"S 0:0(0) win 65536\"");
  EXPECT_EQ(complaint("S 0:99999999999(0)"),
            "number above 4294967295 at column 5 of \"S 0:99999999999(0)\"");
  EXPECT_EQ(complaint("P 1:11(9) win 5"),
            "length is not the distance of 1 and 11 at column 7 of \"P 1:11(9) win 5\"");
  EXPECT_EQ(complaint("S 0:0(0) win 5 <moss 1>"),
            "no such option at column 17 of \"S 0:0(0) win 5 <moss 1>\"");
  EXPECT_EQ(complaint("S 0:0(0) win 5 <mss 1,mss 2>"),
            "option given twice at column 23 of \"S 0:0(0) win 5 <mss 1,mss 2>\"");
  EXPECT_EQ(complaint("S 0:0(0) win 5 <mss 1"),
            "expected '>' at column 22 of \"S 0:0(0) win 5 <mss 1\"");
  EXPECT_EQ(complaint("S 0:0(0) win 5 more"),
            "the segment should end here at column 16 of \"S 0:0(0) win 5 more\"");
  EXPECT_EQ(complaint("S 0:0(0) win 5 <sack 1:2 3:4 5:6 7:8 9:10>"),
            "more than four SACK blocks at column 42 of \"S 0:0(0) win 5 <sack 1:2 3:4 5:6 7:8 "
            "9:10>\"");
}

TEST(Notation, SurvivesAnyMutation) {
  Chance chance(52);
  std::size_t readable = 0;
  for (int round = 0; round < 100000; ++round) {
    const std::string text = to_string(chance.segment());
    OctetVector octets = wire::to_vector(as_octets(text));
    chance.mutate(octets);
    const OctetVector exact = wire::truncated(octets, octets.size());
    if (parse_segment(as_text(exact)).has_value()) ++readable;
  }
  EXPECT_GT(readable, 1000U);
}

}  // namespace
}  // namespace estab
