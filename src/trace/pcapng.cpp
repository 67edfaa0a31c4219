#include "trace/pcapng.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "estab/pcap_writer.h"

#include "base/byte_order.h"
#include "trace/finish_checksum.h"

namespace estab::trace {
namespace {

template <class T>
void append(std::vector<std::uint8_t>& block, T value) {
  const std::size_t at = block.size();
  block.resize(at + sizeof value);
  base::store<std::endian::little>(block.data() + at, value);
}

constexpr std::size_t kLengthAt = 4;

// The header of LINKTYPE_LINUX_SLL, in network order: direction, kind of device, its address (a
// device for IP has none), EtherType. An empty frame, which is no datagram, has no EtherType.
constexpr std::size_t kCookedHeader = 16;
std::array<std::uint8_t, kCookedHeader> cooked_header(const TappedFrame& frame) {
  constexpr std::uint16_t kToUs = 0, kFromUs = 4, kNoHardwareType = 0xfffe;
  std::uint16_t protocol = 0;
  for (const Octets piece : frame.pieces) {
    if (piece.empty()) continue;
    protocol = piece.front() >> 4 == 6 ? 0x86dd : 0x0800;
    break;
  }
  std::array<std::uint8_t, kCookedHeader> header{};
  const auto put = [&header](std::size_t at, std::uint16_t value) {
    base::store<std::endian::big>(header.data() + at, value);
  };
  put(0, frame.direction == FrameDirection::received ? kToUs : kFromUs);
  put(2, kNoHardwareType);
  put(14, protocol);
  return header;
}

}  // namespace

BlockWriter::BlockWriter(std::vector<std::uint8_t>& block, BlockType type) : block_(block) {
  block_.clear();
  add32(static_cast<std::uint32_t>(type));
  add32(0);  // the length, known at the end
}

void BlockWriter::add16(std::uint16_t value) {
  append(block_, value);
}
void BlockWriter::add32(std::uint32_t value) {
  append(block_, value);
}
void BlockWriter::add64(std::uint64_t value) {
  append(block_, value);
}

void BlockWriter::add_octets(Octets octets) {
  block_.insert(block_.end(), octets.begin(), octets.end());
}

void BlockWriter::pad() {
  block_.resize((block_.size() + 3) & ~std::size_t{3});
}

void BlockWriter::add_option(PcapOption option, Octets value) {
  constexpr std::size_t kLongest = std::numeric_limits<std::uint16_t>::max();
  value = value.first(std::min(value.size(), kLongest));
  add16(static_cast<std::uint16_t>(option));
  add16(static_cast<std::uint16_t>(value.size()));
  add_octets(value);
  pad();
}

void BlockWriter::add_text(PcapOption option, std::string_view text) {
  if (!text.empty()) add_option(option, as_octets(text));
}

void BlockWriter::add_number(PcapOption option, std::uint32_t value) {
  add16(static_cast<std::uint16_t>(option));
  add16(sizeof value);
  add32(value);
}

void BlockWriter::finish() {
  add_option(PcapOption::end, {});
  const auto length = static_cast<std::uint32_t>(block_.size() + sizeof(std::uint32_t));
  add32(length);
  base::store<std::endian::little>(block_.data() + kLengthAt, length);
}

}  // namespace estab::trace

namespace estab {

using trace::BlockType;
using trace::BlockWriter;
using trace::PcapOption;

PcapWriter::PcapWriter(OctetSink sink, std::string_view application) : sink_(std::move(sink)) {
  constexpr std::uint64_t kUnknownLength = ~std::uint64_t{0};
  BlockWriter block(block_, BlockType::section_header);
  block.add32(trace::kByteOrderMagic);
  block.add16(1);  // version 1.0
  block.add16(0);
  block.add64(kUnknownLength);
  block.add_text(PcapOption::application, application);
  block.finish();
  sink_(block_);
}

std::uint32_t PcapWriter::add_interface(std::string_view name, std::string_view description) {
  constexpr std::uint8_t kNanoseconds = 9;  // ten to the minus nine
  BlockWriter block(block_, BlockType::interface_description);
  block.add16(trace::kLinkTypeCooked);
  block.add16(0);
  block.add32(trace::kSnapLength);
  block.add_text(PcapOption::if_name, name);
  block.add_text(PcapOption::if_description, description);
  block.add_option(PcapOption::if_time_resolution, {&kNanoseconds, 1});
  block.finish();
  sink_(block_);
  return interfaces_++;
}

void PcapWriter::write(std::uint32_t interface, Duration since_unix_epoch, const TappedFrame& frame,
                       std::string_view comment) {
  const auto time = static_cast<std::uint64_t>(since_unix_epoch.count());
  const auto header = trace::cooked_header(frame);
  const auto size = static_cast<std::uint32_t>(header.size() + frame.size());
  BlockWriter block(block_, BlockType::enhanced_packet);
  block.add32(interface);
  block.add32(static_cast<std::uint32_t>(time >> 32));
  block.add32(static_cast<std::uint32_t>(time));
  block.add32(size);  // kept
  block.add32(size);  // as it was
  block.add_octets(header);
  const std::size_t begin = block_.size();
  for (const Octets piece : frame.pieces) block.add_octets(piece);
  if (frame.partial_checksum)
    trace::finish_checksum(MutableOctets(block_).subspan(begin), *frame.partial_checksum);
  block.pad();
  const bool came_in = frame.direction == FrameDirection::received;
  block.add_number(PcapOption::packet_flags, came_in ? trace::kInbound : trace::kOutbound);
  block.add_text(PcapOption::comment, comment);
  block.finish();
  sink_(block_);
}

PcapTap::PcapTap(PcapWriter& writer, std::string_view interface_name, Duration wall_clock_offset)
    : writer_(writer),
      interface_(writer.add_interface(interface_name)),
      wall_clock_offset_(wall_clock_offset) {}

void PcapTap::on_frame(Instant now, const TappedFrame& frame) {
  writer_.write(interface_, now.time_since_epoch() + wall_clock_offset_, frame);
}

}  // namespace estab
