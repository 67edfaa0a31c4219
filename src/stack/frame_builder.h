// From a segment or datagram to a frame: the headers are written, the checksum is finished or left
// to the device. Law: this is the only place where octets for the wire are made.
#pragma once

#include "stack/core.h"

namespace estab::stack {

struct IpService {
  std::uint8_t ttl = 64;
  std::uint8_t traffic_class = 0;  ///< DSCP << 2
  const std::vector<IpAddress>* source_route = nullptr;
};

/// Writes TCP and IP headers in front of the pieces already in `frame`.
void build_tcp_frame(Core& core, const Path& path, const FourTuple& tuple,
                     const tcp::Emission& emission, const IpService& service, TransmitFrame& frame);
/// Makes a frame of a finished datagram, or of its next fragment if the path does not take it
/// whole. True if that was the last of it; the frame points into `reply` or, at the end, into
/// `storage`, which takes the octets over.
bool build_raw_frame(Core& core, const Path& path, RawReply& reply,
                     std::vector<std::uint8_t>& storage, TransmitFrame& frame);

}  // namespace estab::stack
