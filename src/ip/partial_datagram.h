// PartialDatagram: the fragments of one datagram that have come so far. Law: it yields a datagram
// only when the fragments tile it, each octet given by exactly one of them; a repeated fragment
// must say the same again, and any other overlap spoils the whole, fragments yet to come included
// (RFC 5722 §4, RFC 8200 §4.5; kept for IPv4 too, where overlaps have only served attacks).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "estab/octets.h"

#include "base/hasher.h"
#include "wire/ip.h"

namespace estab::ip {

class PartialDatagram {
 public:
  enum class Outcome : std::uint8_t { held, complete, spoiled };

  /// Takes a fragment whose length and end have been checked: neither 0 nor over 65535, and a
  /// multiple of 8 unless it is the last. Spoils the datagram at more than `max_fragments`.
  Outcome add(const wire::IpPacket& packet, std::size_t max_fragments);

  bool is_spoiled() const { return spoiled_; }
  /// The fragment with offset 0, as received; empty while it is missing.
  std::vector<std::uint8_t> first_fragment() const;
  /// The datagram, to be parsed like one that came whole: the first fragment's headers, no longer
  /// those of a fragment, and everything behind them. Only when complete. Nothing if it would be
  /// too long, or its fragments disagree about ECN (RFC 3168 §5.3).
  std::optional<std::vector<std::uint8_t>> assemble() const;

  /// What it costs against the limit: octets of memory, never less than it really takes.
  std::size_t cost() const;

  bool operator==(const PartialDatagram&) const = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  struct Piece {
    std::uint32_t offset = 0;  // in the datagram
    std::uint32_t length = 0;
    std::uint32_t at = 0;  // in octets_
    std::uint32_t end() const { return offset + length; }
    friend bool operator==(const Piece&, const Piece&) = default;
  };
  enum class Fit : std::uint8_t { fresh, repeated, conflicting };

  Fit check_fit(const wire::FragmentInfo& fragment, Octets payload) const;
  bool contradicts_end(const wire::FragmentInfo& fragment, std::uint32_t end) const;
  void accept_piece(const wire::IpPacket& packet);
  Octets octets_of(const Piece& piece) const;
  Outcome spoil();

  std::vector<Piece> pieces_;          // by offset, disjoint
  std::vector<std::uint8_t> octets_;   // of all pieces, as they came
  std::vector<std::uint8_t> headers_;  // before the payload of the first fragment
  std::optional<std::uint32_t> end_;   // known once the last fragment has come
  std::uint8_t ecn_seen_ = 0;          // bit n: some fragment carries codepoint n
  bool spoiled_ = false;
};

}  // namespace estab::ip
