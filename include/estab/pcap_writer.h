// PcapWriter: a packet capture in the pcapng format, handed block by block to whoever stores it.
// A frame is an IP datagram behind 16 octets that say whether it came in or went out
// (LINKTYPE_LINUX_SLL, which every reader of captures knows); times have nanoseconds.
//
//   estab::PcapWriter writer([&](estab::Octets octets) { file.write(octets); });
//   estab::PcapTap tap(writer, "client");
//   link.set_tap(estab::Side::a, &tap);
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "estab/frame_tap.h"
#include "estab/octets.h"
#include "estab/time.h"

namespace estab {

/// Takes the next octets of a file or stream. The view is valid during the call only.
using OctetSink = std::function<void(Octets)>;

class PcapWriter {
 public:
  /// Writes the section header at once.
  explicit PcapWriter(OctetSink sink, std::string_view application = "estab");

  /// Interfaces may be added at any time before their first frame.
  std::uint32_t add_interface(std::string_view name, std::string_view description = {});

  /// An unfinished transport checksum is finished in the copy written. One call of the sink.
  void write(std::uint32_t interface, Duration since_unix_epoch, const TappedFrame& frame,
             std::string_view comment = {});

 private:
  OctetSink sink_;
  std::vector<std::uint8_t> block_;  // kept between frames, so that nothing is allocated for one
  std::uint32_t interfaces_ = 0;
};

/// Writes what it sees as one interface of a capture. The writer must outlive it.
class PcapTap final : public FrameTap {
 public:
  /// `wall_clock_offset` is added to every Instant to give the time since 1970; 0 suits a virtual
  /// clock that starts at its epoch.
  PcapTap(PcapWriter& writer, std::string_view interface_name, Duration wall_clock_offset = {});

  void on_frame(Instant now, const TappedFrame& frame) override;

 private:
  PcapWriter& writer_;
  std::uint32_t interface_;
  Duration wall_clock_offset_;
};

}  // namespace estab
