#include "trace/pcapng.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estab/pcap_writer.h"

#include "trace/finish_checksum.h"
#include "wire/checksum.h"

namespace estab {
namespace {

using Bytes = std::vector<std::uint8_t>;
using std::chrono::nanoseconds;

struct Written {
  Bytes octets;
  int calls = 0;
  OctetSink sink() {
    return [this](Octets more) {
      octets.insert(octets.end(), more.begin(), more.end());
      ++calls;
    };
  }
  Bytes take() { return std::exchange(octets, {}); }
};

TappedFrame frame_of(FrameDirection direction, std::span<const Octets> pieces) {
  return {.direction = direction, .pieces = pieces};
}

TEST(PcapWriter, BeginsWithASectionHeader) {
  Written written;
  PcapWriter writer(written.sink(), "estab");
  EXPECT_EQ(written.octets, (Bytes{0x0a, 0x0d, 0x0d, 0x0a, 44, 0,    0,    0,    0x4d, 0x3c, 0x2b,
                                   0x1a, 1,    0,    0,    0,  0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 4,    0,    5,  0,    'e',  's',  't',  'a',  'b',
                                   0,    0,    0,    0,    0,  0,    0,    44,   0,    0,    0}));
}

TEST(PcapWriter, DescribesAnInterfaceWithoutEthernetTimedInNanoseconds) {
  Written written;
  PcapWriter writer(written.sink());
  written.take();
  EXPECT_EQ(writer.add_interface("tun0"), 0u);
  EXPECT_EQ(written.take(),
            (Bytes{1,   0,   0,   0,   40, 0, 0, 0, 113, 0, 0, 0, 0, 0, 4, 0, 2,  0, 4, 0,
                   't', 'u', 'n', '0', 9,  0, 1, 0, 9,   0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0}));
  EXPECT_EQ(writer.add_interface("x", "second"), 1u);
  EXPECT_NE(as_text(written.octets).find("second"), std::string_view::npos);
}

TEST(PcapWriter, WritesAFrameWithTimeLengthAndDirectionInOneCall) {
  Written written;
  PcapWriter writer(written.sink());
  writer.add_interface("tun0");
  written.take();
  written.calls = 0;

  const Bytes head = {0x45, 1, 2}, tail = {3, 4};
  const std::array<Octets, 2> pieces = {head, tail};
  writer.write(0, nanoseconds(0x1'0000'0002), frame_of(FrameDirection::sent, pieces));
  EXPECT_EQ(written.calls, 1);
  EXPECT_EQ(written.take(),
            (Bytes{6, 0, 0, 0, 68, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 21, 0, 0, 0, 21, 0,
                   0, 0,  // both lengths, and then the header, for a
                          // frame that goes out
                   0, 4, 0xff, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0x45, 1, 2, 3, 4, 0, 0, 0,
                   2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 68, 0, 0, 0}));

  writer.write(0, nanoseconds(7), frame_of(FrameDirection::received, pieces), "why");
  const Bytes block = written.take();
  ASSERT_EQ(block.size(), 76u);
  EXPECT_EQ(block[29], 0) << "inbound, in the header";
  EXPECT_EQ(block[56], 1) << "inbound, in the flags";
  EXPECT_EQ(Bytes(block.begin() + 60, block.begin() + 68), (Bytes{1, 0, 3, 0, 'w', 'h', 'y', 0}));
}

TEST(PcapWriter, NamesTheVersionOfIpBeforeEachFrame) {
  Written written;
  PcapWriter writer(written.sink());
  writer.add_interface("tun0");
  for (const auto& [first, high, low] :
       {std::array<int, 3>{0x45, 0x08, 0x00}, {0x60, 0x86, 0xdd}}) {
    written.take();
    const Bytes nothing, head = {static_cast<std::uint8_t>(first)};
    const std::array<Octets, 2> pieces = {nothing, head};
    writer.write(0, {}, frame_of(FrameDirection::sent, pieces));
    EXPECT_EQ(written.octets[42], high);
    EXPECT_EQ(written.octets[43], low);
  }
}

TEST(PcapWriter, FinishesAnUnfinishedChecksumInTheCopy) {
  Written written;
  PcapWriter writer(written.sink());
  writer.add_interface("tun0");
  written.take();
  // A UDP datagram from port 1 to port 2 with the payload "ab", whose field holds 0x1234.
  const Bytes head = {0, 0, 0, 0, 0, 1, 0, 2, 0, 10, 0x12, 0x34}, payload = {'a', 'b'};
  const std::array<Octets, 2> pieces = {head, payload};
  TappedFrame frame = frame_of(FrameDirection::sent, pieces);
  frame.partial_checksum = {.start = 4, .offset = 6};
  writer.write(0, {}, frame);
  const Bytes copy(written.octets.begin() + 44, written.octets.begin() + 58);
  // ~(0001 + 0002 + 000a + 1234 + 6162)
  EXPECT_EQ(copy[10] << 8 | copy[11], 0xffff & ~(0x1 + 0x2 + 0xa + 0x1234 + 0x6162));
  EXPECT_EQ(head[10], 0x12) << "the frame itself is not touched";
}

TEST(FinishChecksum, LeavesAFrameAloneThatIsTooShortForItsField) {
  Bytes frame = {1, 2, 3, 4};
  const Bytes before = frame;
  trace::finish_checksum(frame, {.start = 2, .offset = 1});
  trace::finish_checksum(frame, {.start = 0xffff, .offset = 0xffff});
  EXPECT_EQ(frame, before);
}

TEST(FinishChecksum, WritesOnesForAUdpChecksumOfZero) {
  Bytes udp = {0, 0, 0, 0, 0, 0, 0xff, 0xff};
  trace::finish_checksum(udp, {.start = 0, .offset = 6});
  EXPECT_EQ(udp[6] << 8 | udp[7], 0xffff);
}

TEST(PcapTap, StampsFramesWithItsOffset) {
  Written written;
  PcapWriter writer(written.sink());
  PcapTap first(writer, "a", nanoseconds(1000)), second(writer, "b");
  written.take();
  const Bytes octets = {0x45};
  const std::array<Octets, 1> pieces = {octets};
  first.on_frame(Instant(nanoseconds(5)), frame_of(FrameDirection::sent, pieces));
  second.on_frame(Instant(nanoseconds(5)), frame_of(FrameDirection::sent, pieces));
  const std::size_t length = written.octets.size() / 2;
  EXPECT_EQ(written.octets[8], 0);
  EXPECT_EQ(written.octets[16] | written.octets[17] << 8, 1005);
  EXPECT_EQ(written.octets[length + 8], 1) << "the interface";
  EXPECT_EQ(written.octets[length + 16], 5);
}

}  // namespace
}  // namespace estab
