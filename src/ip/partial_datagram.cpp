#include "ip/partial_datagram.h"

#include <algorithm>
#include <bit>

#include "base/byte_order.h"
#include "base/public_fields.h"
#include "wire/checksum.h"

namespace estab::ip {
namespace {

constexpr std::size_t kMaxDatagram = 65535;   // IPv4: header included; IPv6: without the first 40
constexpr std::size_t kCostOfDatagram = 512;  // the object, its place in the table, allocators' due
constexpr std::size_t kCostOfPiece = 32;      // twice its size: vectors grow by doubling

bool is_v4(Octets headers) {
  return headers[0] >> 4 == 4;
}

/// How the ECN codepoint of the whole follows from those of the fragments (RFC 3168 §5.3). Nothing
/// if the datagram must be dropped.
// [RFC 3168 5.3-2, 5.3-3, 5.3-4, 5.3-5, 5.3-6]
std::optional<std::uint8_t> combine_ecn(std::uint8_t seen, std::uint8_t first) {
  const auto has = [&](std::uint8_t codepoint) { return (seen >> codepoint & 1) != 0; };
  if (!has(wire::kEcnCe)) return first;
  if (has(wire::kEcnNotEct)) return std::nullopt;
  return wire::kEcnCe;
}

std::uint8_t ecn_of(Octets headers) {
  return is_v4(headers) ? headers[1] & 3 : headers[1] >> 4 & 3;
}

void set_ecn(MutableOctets headers, std::uint8_t ecn) {
  const int shift = is_v4(headers) ? 0 : 4;
  headers[1] = static_cast<std::uint8_t>((headers[1] & ~(3 << shift)) | ecn << shift);
}

/// Makes the header of the first fragment that of the whole.
void finish_v4(MutableOctets headers, std::size_t payload_length) {
  constexpr std::uint16_t kDontFragment = 0x4000;
  base::store_be16(&headers[2], static_cast<std::uint16_t>(headers.size() + payload_length));
  base::store_be16(&headers[6], base::load_be16(&headers[6]) & kDontFragment);
  base::store_be16(&headers[10], 0);
  base::store_be16(&headers[10], wire::checksum(headers));
}

/// Where the number of the header behind `headers` stands: in the last of them.
std::size_t last_next_header_field(Octets headers) {
  std::size_t field = 6;
  std::size_t at = wire::kIpV6HeaderLength;
  while (at + 1 < headers.size()) {
    const bool is_fragment_header = headers[field] == wire::kProtocolFragment;
    field = at;
    at += is_fragment_header ? wire::kFragmentHeaderLength : (headers[at + 1] + std::size_t{1}) * 8;
  }
  return field;
}

/// The same for IPv6; `next_header` is what the fragment header, already cut off, said.
void finish_v6(MutableOctets headers, std::size_t payload_length, std::uint8_t next_header) {
  headers[last_next_header_field(headers)] = next_header;
  const std::size_t length = headers.size() - wire::kIpV6HeaderLength + payload_length;
  base::store_be16(&headers[4], static_cast<std::uint16_t>(length));
}

}  // namespace

PartialDatagram::Outcome PartialDatagram::add(const wire::IpPacket& packet,
                                              std::size_t max_fragments) {
  if (spoiled_) return Outcome::spoiled;
  switch (check_fit(*packet.fragment, packet.payload)) {
    case Fit::conflicting:
      return spoil();
    case Fit::repeated:
      return Outcome::held;
    case Fit::fresh:
      break;
  }
  if (pieces_.size() >= max_fragments) return spoil();
  accept_piece(packet);
  return end_ == octets_.size() ? Outcome::complete : Outcome::held;
}

PartialDatagram::Fit PartialDatagram::check_fit(const wire::FragmentInfo& fragment,
                                                Octets payload) const {
  const std::uint32_t end = fragment.offset + static_cast<std::uint32_t>(payload.size());
  if (contradicts_end(fragment, end)) return Fit::conflicting;
  // The first piece that does not end before this one begins.
  const auto piece = std::ranges::upper_bound(pieces_, fragment.offset, {}, &Piece::end);
  if (piece == pieces_.end() || piece->offset >= end) return Fit::fresh;
  const bool same = piece->offset == fragment.offset && piece->end() == end &&
                    fragment.more == (end_ != end) &&
                    std::ranges::equal(octets_of(*piece), payload);
  return same ? Fit::repeated : Fit::conflicting;
}

bool PartialDatagram::contradicts_end(const wire::FragmentInfo& fragment, std::uint32_t end) const {
  if (end_) return fragment.more ? end >= *end_ : end != *end_;
  return !fragment.more && !pieces_.empty() && pieces_.back().end() > end;
}

void PartialDatagram::accept_piece(const wire::IpPacket& packet) {
  const wire::FragmentInfo& fragment = *packet.fragment;
  const Piece piece{fragment.offset, static_cast<std::uint32_t>(packet.payload.size()),
                    static_cast<std::uint32_t>(octets_.size())};
  pieces_.insert(std::ranges::upper_bound(pieces_, piece.offset, {}, &Piece::offset), piece);
  const std::size_t size = octets_.size() + packet.payload.size();
  if (size > octets_.capacity()) octets_.reserve(std::bit_ceil(size));
  octets_.insert(octets_.end(), packet.payload.begin(), packet.payload.end());
  if (!fragment.more) end_ = piece.end();
  if (fragment.offset == 0) {
    headers_.assign(packet.header_octets.begin(), packet.header_octets.end());
  }
  ecn_seen_ |= static_cast<std::uint8_t>(1 << packet.ecn());
}

Octets PartialDatagram::octets_of(const Piece& piece) const {
  return Octets(octets_).subspan(piece.at, piece.length);
}

PartialDatagram::Outcome PartialDatagram::spoil() {
  *this = PartialDatagram();
  spoiled_ = true;
  return Outcome::spoiled;
}

std::vector<std::uint8_t> PartialDatagram::first_fragment() const {
  std::vector<std::uint8_t> fragment = headers_;
  if (fragment.empty()) return fragment;
  const Octets payload = octets_of(pieces_.front());
  fragment.insert(fragment.end(), payload.begin(), payload.end());
  return fragment;
}

std::optional<std::vector<std::uint8_t>> PartialDatagram::assemble() const {
  const bool v4 = is_v4(headers_);
  const std::size_t kept = headers_.size() - (v4 ? 0 : wire::kFragmentHeaderLength);
  const std::size_t counted = kept - (v4 ? 0 : wire::kIpV6HeaderLength);
  const auto ecn = combine_ecn(ecn_seen_, ecn_of(headers_));
  if (!ecn || counted + octets_.size() > kMaxDatagram) return std::nullopt;

  std::vector<std::uint8_t> datagram;
  datagram.reserve(kept + octets_.size());
  datagram.assign(headers_.begin(), headers_.begin() + static_cast<std::ptrdiff_t>(kept));
  set_ecn(datagram, *ecn);
  if (v4) {
    finish_v4(datagram, octets_.size());
  } else {
    finish_v6(datagram, octets_.size(), headers_[kept]);
  }
  for (const Piece& piece : pieces_) {
    const Octets octets = octets_of(piece);
    datagram.insert(datagram.end(), octets.begin(), octets.end());
  }
  return datagram;
}

std::size_t PartialDatagram::cost() const {
  return kCostOfDatagram + headers_.size() + pieces_.size() * kCostOfPiece +
         (octets_.empty() ? 0 : std::bit_ceil(octets_.size()));
}

void PartialDatagram::hash_into(base::Hasher& hasher) const {
  const auto& [pieces, octets, headers, end, ecn_seen, spoiled] = *this;
  hasher.add(pieces.size());
  for (const Piece& piece : pieces) {
    const auto& [offset, length, at] = piece;
    hasher.add_all(offset, length, at);
  }
  hasher.add_all(octets, headers, end, ecn_seen, spoiled);
}

}  // namespace estab::ip
