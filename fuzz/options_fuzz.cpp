// Any octets as the option area of a TCP header. Laws: reading ends; what was understood, written
// and read again, is the same; writing fits into 40 octets and a multiple of four; octets behind
// the area, and an area that is cut, make no difference to what stands before.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "estab/segment.h"

#include "wire/tcp.h"
#include "wire/tcp_options.h"

namespace {

using namespace estab;

void require(bool holds) {
  if (!holds) std::abort();
}

TcpOptions read(Octets area) {
  TcpOptions options;
  wire::parse_tcp_options(area, options);
  return options;
}

/// Of the SACK blocks those that fit beside the others.
TcpOptions fitting(const TcpOptions& options) {
  TcpOptions result = options;
  result.sack = {};
  for (std::size_t i = 0; i < wire::fitting_sack_blocks(options); ++i)
    result.sack.add(options.sack[i]);
  return result;
}

/// Nothing that was read from a part disappears when more follows, but for what is said again.
void require_prefix(const TcpOptions& part, const TcpOptions& whole) {
  require(!part.mss || whole.mss);
  require(!part.window_scale || whole.window_scale);
  require(!part.sack_permitted || whole.sack_permitted);
  require(!part.timestamps || whole.timestamps);
  require(part.sack.size() <= whole.sack.size());
  require(!part.fast_open || whole.fast_open);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets area(data, std::min(size, wire::kMaxTcpOptions));
  const TcpOptions options = fitting(read(area));
  std::array<std::uint8_t, wire::kMaxTcpOptions> out;
  const std::size_t length = wire::emit_tcp_options(options, out.data());
  require(length <= out.size() && length % 4 == 0);
  require(length + wire::kTcpHeaderLength == wire::tcp_header_length(options));
  require(read({out.data(), length}) == options);
  for (std::size_t cut = 0; cut <= area.size(); ++cut)
    require_prefix(read(area.first(cut)), read(area));
  return 0;
}
