#include "device/virtio_header.h"

#include <gtest/gtest.h>

#include "tests/support/frames.h"

namespace estab::device {
namespace {

using namespace test;

const Endpoint kUs{IpAddress::v4(10, 0, 0, 2), 4000}, kThem{IpAddress::v4(10, 0, 0, 1), 80};

TEST(VirtioHeader, SaysNothingOfAFinishedFrame) {
  const auto frame = udp_frame(kUs, kThem, as_octets("hello"), Checksums::finished);
  const VirtioHeader header = virtio_header_of(frame);
  EXPECT_EQ(header.flags, 0);
  EXPECT_EQ(header.gso_type, VirtioHeader::kNoGso);
  EXPECT_EQ(header.checksum_start, 0);
}

TEST(VirtioHeader, SaysWhereTheChecksumIsToBeFinished) {
  const auto frame = udp_frame(kUs, kThem, as_octets("hello"), Checksums::partial);
  const VirtioHeader header = virtio_header_of(frame);
  EXPECT_EQ(header.flags, VirtioHeader::kNeedsChecksum);
  EXPECT_EQ(little_endian(header.checksum_start), 20);
  EXPECT_EQ(little_endian(header.checksum_offset), 6);
  const VirtioNotes notes = notes_of(header);
  EXPECT_EQ(notes.partial_checksum, (PartialChecksum{.start = 20, .offset = 6}));
  EXPECT_TRUE(notes.checksum_verified);
}

TEST(VirtioHeader, DescribesASuperSegmentOfEitherFamily) {
  const std::vector<std::uint8_t> payload(3000, 1);
  const Segment segment = segment_of(SeqNum(1), kAck, payload);
  auto frame = tcp_frame(kUs, kThem, segment, Checksums::partial, 1460);
  EXPECT_EQ(virtio_header_of(frame).gso_type, VirtioHeader::kTcpV4);
  EXPECT_EQ(little_endian(virtio_header_of(frame).header_length), 40);
  EXPECT_EQ(notes_of(virtio_header_of(frame)).gso_size, 1460);

  const Endpoint us{*IpAddress::parse("fd00::2"), 1}, them{*IpAddress::parse("fd00::1"), 2};
  frame = tcp_frame(us, them, segment, Checksums::partial, 1440);
  EXPECT_EQ(virtio_header_of(frame).gso_type, VirtioHeader::kTcpV6);
  EXPECT_EQ(notes_of(virtio_header_of(frame)).gso_size, 1440);
}

TEST(VirtioHeader, TellsTheSplitterOfACwr) {
  const std::vector<std::uint8_t> payload(3000, 1);
  const Segment segment = segment_of(SeqNum(1), kAck | kCwr, payload);
  const auto header = virtio_header_of(tcp_frame(kUs, kThem, segment, Checksums::partial, 1460));
  EXPECT_EQ(header.gso_type, VirtioHeader::kTcpV4 | VirtioHeader::kWithEcn);
  EXPECT_EQ(notes_of(header).gso_size, 1460);
}

TEST(VirtioHeader, VouchesForAChecksumTheKernelHasSeen) {
  VirtioHeader header;
  EXPECT_FALSE(notes_of(header).checksum_verified);
  header.flags = VirtioHeader::kDataValid;
  EXPECT_TRUE(notes_of(header).checksum_verified);
  EXPECT_FALSE(notes_of(header).partial_checksum);
}

TEST(VirtioHeader, GivesNoSegmentSizeForAKindItDoesNotKnow) {
  VirtioHeader header;
  header.gso_type = 3;  // UDP fragments
  header.gso_size = little_endian(1400);
  EXPECT_EQ(notes_of(header).gso_size, 0);
}

}  // namespace
}  // namespace estab::device
