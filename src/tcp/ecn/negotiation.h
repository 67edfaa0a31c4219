// Which feedback of marks two ends agree on: none, that of RFC 3168, or AccECN (RFC 9768 §3.1). The
// three flags AE, CWR and ECE of the SYNs say it:
//
//   SYN 111 asks for AccECN; 011 for RFC 3168; 000 for nothing. Any other asks for what may come
//   after AccECN, and is answered as 111 is (§3.1.3).
//   SYN-ACK 010, 011, 100, 110 agrees to AccECN, and tells with which mark the SYN came; 101 agrees
//   to it too (§3.1.3); 001 agrees to RFC 3168; 000, and 111 from those who send back what they
//   got, to nothing.
//
// Laws. The mode of the first SYN, or of the first SYN-ACK, stays, whatever comes later (§3.1.5).
// What cannot get through is asked for less and less: a SYN twice with 111, then with 000; a
// SYN-ACK with the AccECN option, without it, then with 000 (§3.1.4, §3.2.3.2.2).
#pragma once

#include <cstdint>
#include <optional>

#include "estab/config.h"
#include "estab/segment.h"

#include "tcp/ecn/mark.h"

namespace estab::tcp {

enum class EcnMode : std::uint8_t { none, classic, accurate };

/// AE, CWR and ECE as a number of three bits: the ACE field, where it is one (RFC 9768 §3.2.2).
constexpr std::uint8_t ace_of(TcpFlags flags) {
  return static_cast<std::uint8_t>((flags.ae() ? 4 : 0) | (flags.cwr() ? 2 : 0) |
                                   (flags.ece() ? 1 : 0));
}
constexpr TcpFlags ace_flags(std::uint8_t ace) {
  return ((ace & 4) != 0 ? kAe : TcpFlags()) | ((ace & 2) != 0 ? kCwr : TcpFlags()) |
         ((ace & 1) != 0 ? kEce : TcpFlags());
}

/// What a SYN that has been repeated so often asks for.
TcpFlags ecn_request(const TcpConfig& config, std::uint8_t repeats);
/// The mode in which a host that is willing to use what `config` says answers a SYN.
EcnMode answer_to_syn(TcpFlags syn, const TcpConfig& config);
/// The mode of a host whose first SYN had the flags `asked`, once `syn_ack` has come.
EcnMode agreed_by_syn_ack(TcpFlags asked, TcpFlags syn_ack);
/// The same when a SYN comes instead: both open at once.
EcnMode agreed_by_syn(TcpFlags asked, TcpFlags syn);

/// The mark with which a SYN or SYN-ACK came, as the answer to it tells it (RFC 9768 tables 2, 3).
TcpFlags reflection_of(IpMark mark);
/// The same read; nothing: it tells none.
std::optional<IpMark> reflected_mark(std::uint8_t ace);

/// What the SYNs of an opening have said and shown so far, for the side that answers one.
struct SynsSeen {
  IpMark mark : 2 = IpMark::not_ect;  ///< of the latest
  bool without : 1 = false;           ///< one asked for no ECN
  bool classic : 1 = false;           ///< one asked for RFC 3168
  bool accurate : 1 = false;          ///< one asked for AccECN

  void add(TcpFlags syn, IpMark came_with);
  /// A peer that asks for both has two ends that cannot know which it uses (RFC 9768 §3.1.5).
  bool contradict() const { return classic && accurate; }
  friend bool operator==(const SynsSeen&, const SynsSeen&) = default;
  void hash_into(auto& hasher) const {
    const auto& [latest, asked_nothing, asked_classic, asked_accurate] = *this;
    hasher.add_all(latest, asked_nothing, asked_classic, asked_accurate);
  }
};

/// AE, CWR and ECE of a SYN-ACK that has been repeated so often.
TcpFlags syn_ack_flags(EcnMode mode, IpMark syn_mark, std::uint8_t repeats);
/// After so many timeouts a SYN-ACK promises nothing more.
constexpr std::uint8_t kSynAcksWithEcn = 2;

}  // namespace estab::tcp
