// A program of fragments, from a few senders, with time passing, against the reassembler of IP.
// Laws: it stays within its limits; a datagram that comes out is as long as its last fragment said,
// and each octet of it was sent at its place by a fragment of the same datagram.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/byte_order.h"
#include "ip/reassembler.h"
#include "wire/checksum.h"
#include "wire/ip.h"

namespace {

using namespace estab;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kLimit = 64 << 10;

void require(bool holds) {
  if (!holds) std::abort();
}

/// What the senders have sent of each datagram: runs of one octet.
class Model {
 public:
  void note(std::uint8_t datagram, std::size_t offset, Octets text) {
    if (!text.empty()) sent_[datagram].push_back({offset, text.size(), text[0]});
  }
  void check(std::uint8_t datagram, Octets whole) {
    std::vector<bool> sent(whole.size());
    for (const Run& run : sent_[datagram])
      for (std::size_t i = run.offset; i < std::min(run.offset + run.length, whole.size()); ++i)
        if (whole[i] == run.octet) sent[i] = true;
    require(std::ranges::find(sent, false) == sent.end());
  }

 private:
  struct Run {
    std::size_t offset, length;
    std::uint8_t octet;
  };
  std::array<std::vector<Run>, 256> sent_;
};

class Program {
 public:
  Program(const std::uint8_t* data, std::size_t size) : octets_(data, size) {}
  bool at_end() const { return octets_.empty(); }
  std::uint8_t u8() {
    if (octets_.empty()) return 0;
    const std::uint8_t value = octets_[0];
    octets_ = octets_.subspan(1);
    return value;
  }
  std::uint16_t u16() { return static_cast<std::uint16_t>(u8() << 8 | u8()); }

 private:
  Octets octets_;
};

Bytes header_v4(std::uint8_t datagram, std::size_t offset, bool more, std::size_t length) {
  Bytes octets(20);
  octets[0] = 0x45;
  base::store_be16(&octets[2], static_cast<std::uint16_t>(20 + length));
  octets[5] = datagram;
  base::store_be16(&octets[6], static_cast<std::uint16_t>(offset / 8 | (more ? 0x2000u : 0u)));
  octets[8] = 64;
  octets[9] = wire::kProtocolUdp;
  octets[12] = octets[16] = 10;
  octets[15] = 2;
  octets[19] = 1;
  base::store_be16(&octets[10], wire::checksum(Octets(octets)));
  return octets;
}

Bytes header_v6(std::uint8_t datagram, std::size_t offset, bool more, std::size_t length) {
  Bytes octets(48);
  octets[0] = 0x60;
  base::store_be16(&octets[4], static_cast<std::uint16_t>(8 + length));
  octets[6] = wire::kProtocolFragment;
  octets[7] = 64;
  octets[8] = octets[24] = 0xfd;
  octets[23] = 2;
  octets[39] = 1;
  octets[40] = wire::kProtocolUdp;
  base::store_be16(&octets[42], static_cast<std::uint16_t>(offset | (more ? 1u : 0u)));
  octets[47] = datagram;
  return octets;
}

/// One fragment: which datagram (the top bit chooses the family), where, how long, of which octets.
void fragment(Program& program, Instant now, ip::Reassembler& reassembler, Model& model) {
  const std::uint8_t datagram = program.u8() & 0x83;
  const std::uint16_t place = program.u16();
  const std::size_t offset = (place & 0x7fff) % 9000 * 8 % 65536;
  const bool more = (place & 0x8000) != 0;
  const std::uint8_t how = program.u8();
  std::size_t length = (how & 0x3f) * ((how & 0x40) != 0 ? 64u : 8u);
  if ((how & 0x80) != 0) length += 3;
  const Bytes text(length, program.u8());
  Bytes octets = (datagram & 0x80) != 0 ? header_v6(datagram, offset, more, length)
                                        : header_v4(datagram, offset, more, length);
  octets.insert(octets.end(), text.begin(), text.end());
  const auto packet = wire::parse_ip(octets);
  if (!packet || !packet->fragment) return;
  model.note(datagram, packet->fragment->offset, packet->payload);
  const auto whole = reassembler.accept(now, *packet);
  if (!whole || !*whole) return;
  const auto made = wire::parse_ip(**whole);
  require(made && !made->fragment);
  model.check(datagram, made->payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Program program(data, size);
  ip::Reassembler reassembler({.octets = kLimit, .fragments_per_datagram = 16});
  Model model;
  Instant now{std::chrono::hours(1)};
  while (!program.at_end()) {
    const std::uint8_t what = program.u8();
    if (what < 240) {
      fragment(program, now, reassembler, model);
    } else {
      now += std::chrono::seconds(what - 239);
      reassembler.expire(now,
                         [](const wire::IpPacket& first) { require(first.payload.size() > 0); });
    }
    require(reassembler.octets() <= kLimit);
    require((reassembler.size() == 0) == (reassembler.next_deadline() == kNever));
    const ip::Reassembler copy = reassembler;
    require(copy == reassembler);
  }
  reassembler.expire(now + std::chrono::hours(1), [](const wire::IpPacket&) {});
  require(reassembler.size() == 0 && reassembler.octets() == 0);
  return 0;
}
