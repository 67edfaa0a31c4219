// Feedback: the Data Sender of AccECN (RFC 9768 §3.2). It follows the peer's counters from what
// ACKs tell of them, and says how much of what was sent has newly met congestion.
//
// Laws. An ACK that may have been overtaken tells nothing. The ACE field has three bits: where it
// may have wrapped, what is safest of what is likely counts (§3.2.2.5.2, appendix A.2); the option,
// where it gets through, says how likely it is. What has been mangled on the way (§3.2.2.3,
// §3.2.2.4, §3.2.3.2.5) ends the marking of what is sent, and never the counting.
#pragma once

#include <cstdint>
#include <optional>

#include "estab/info.h"
#include "estab/segment.h"

#include "tcp/ecn/mark.h"

namespace estab::tcp {

/// What the handshake has shown of the way to the peer and back.
struct AccurateOpening {
  /// Of a client: the mark of the SYN-ACK, which it has to tell.
  std::optional<IpMark> syn_ack{};
  /// Our SYN or SYN-ACK came with CE, though it went without ECT.
  bool met_congestion = false;
  /// The handshake was not mangled: what is sent may be marked.
  bool may_mark = true;
  /// Else what the peer tells is not to be believed.
  bool is_heard = true;
  /// The segment that completes the handshake tells a mark, not a count.
  bool ack_reflects = false;
  /// The peer's first option, or that there was none.
  std::optional<AccurateEcnOption> option{};
};
/// Whether a server's SYN-ACKs, and the SYNs it has got, were all about AccECN.
enum class EcnPromise : bool { kept, taken_back };
/// What a client learns from the SYN-ACK that made it enter this mode.
AccurateOpening accurate_opening(const Segment& syn_ack, IpMark mark);
/// What a server learns from the segment that acknowledges its SYN-ACK.
AccurateOpening accurate_opening(const Segment& ack, EcnPromise promise);

class Feedback {
 public:
  explicit Feedback(const AccurateOpening& opening);

  struct Ack {
    std::uint8_t ace = 0;
    const std::optional<AccurateEcnOption>* option = nullptr;
    std::optional<std::uint32_t> echo{};  ///< TSecr
  };
  /// What an ACK newly delivers.
  struct Delivered {
    std::uint32_t octets = 0, segments = 0;
    std::uint32_t mss = 0;
  };
  /// What of it, or of what was delivered earlier, was marked.
  struct Marked {
    std::uint32_t segments = 0, octets = 0;
  };
  Marked on_ack(const Ack& ack, const Delivered& delivered);
  /// Whether datagrams may go as ECT.
  bool may_mark() const { return may_mark_; }

  void fill(TcpInfo& info) const;
  friend bool operator==(const Feedback&, const Feedback&) = default;
  void hash_into(auto& hasher) const {
    const auto& [cep, e0b, e1b, ceb, cep_at_option, estimated, since_option, average, newest_echo,
                 options, may_mark, is_heard, ack_reflects, first] = *this;
    hasher.add_all(cep, e0b, e1b, ceb, cep_at_option, estimated, since_option, average);
    hasher.add(newest_echo.has_value());
    if (newest_echo) hasher.add_timestamp(*newest_echo);
    hasher.add_all(options, may_mark, is_heard, ack_reflects, first);
  }

 private:
  enum class Options : std::uint8_t {
    heard,
    unheard,  ///< none has come: the ACE field alone counts
    ignored,  ///< somebody clears their fields
  };
  /// What one option brought since the one before it.
  struct Gain {
    std::uint32_t ceb = 0;
    bool is_known = false;
  };

  bool is_superseded(const Ack& ack, const Delivered& delivered);
  void check_zeroed(const Ack& ack, const Delivered& delivered);
  Gain take_option(const Ack& ack);
  std::uint32_t newly_marked(std::uint32_t least, const Delivered& delivered,
                             const Gain& gain) const;
  std::uint32_t marked_octets(std::uint32_t segments, const Delivered& delivered, const Gain& gain);

  std::uint64_t cep_;                          // s.cep
  std::uint64_t e0b_ = 1, e1b_ = 1, ceb_ = 0;  // s.e0b, s.e1b, s.ceb
  std::uint64_t cep_at_option_;                // s.cep as the last option came
  std::uint32_t estimated_ = 0;                // marked octets guessed since the last option
  std::uint32_t since_option_ = 0;             // segments delivered since then
  std::uint32_t average_ = 0;                  // segments an ACK delivers, in eighths
  std::optional<std::uint32_t> newest_echo_;   // TSecr
  Options options_ = Options::unheard;
  bool may_mark_, is_heard_;
  bool ack_reflects_;
  bool first_ = true;  // nothing has been told since the handshake
};

}  // namespace estab::tcp
