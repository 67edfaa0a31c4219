// Reflector: the Data Receiver of AccECN (RFC 9768 §3.2). It counts what arrives by the mark it
// came with and tells the peer, without judging whether the marks make sense (§2.5): packets with
// CE by the ACE field of every segment, payload octets by the AccECN option.
//
// Laws. The counters only grow, and what is told is the latest. The option goes where a counter has
// changed since the last option, with every counter that has ever changed as far as there is room
// (the simple scheme of §3.2.3.3); without room for what has changed it does not go at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "estab/info.h"
#include "estab/segment.h"

#include "tcp/ecn/mark.h"

namespace estab::tcp {

/// Whether what is sent has the AccECN option.
enum class WithOption : bool { no, yes };
/// Whether octets have come in order that no ACK has told of.
enum class Unacknowledged : bool { none, some };

class Reflector {
 public:
  /// r.cep at first: not zero, so that a field that somebody clears is seen (§3.2.1).
  static constexpr std::uint64_t kInitialCep = 5;

  /// A client reflects the mark of the SYN-ACK; who has answered a SYN has done so already.
  explicit Reflector(std::optional<IpMark> syn_ack);

  // ---- what arrives
  /// An acceptable segment, SYNs excluded. True: an ACK is due at once (§3.2.2.5.1).
  bool on_segment(const Carrier& carrier, std::uint32_t octets, Unacknowledged unacknowledged);
  /// A SYN-ACK came once more.
  void on_syn_ack(IpMark mark);

  // ---- what is told
  /// The next ACK without text tells the mark of the SYN-ACK instead of a count (§3.2.2.1).
  bool reflects() const { return reflects_; }
  TcpFlags take_reflection();
  /// The ACE field.
  std::uint8_t ace() const { return static_cast<std::uint8_t>(cep_ & 7); }
  /// An option is due, or wanted for a test of the path.
  bool wants_option() const { return changed_ != 0 || tests_ > 0; }
  /// An ACK without text is needed: to tell the mark of the SYN-ACK, or because so much has come
  /// untold that the fields of the option might wrap.
  bool owes_ack() const { return reflects_ || untold_ >= kOverdue; }
  /// The option for a place with so many octets; nothing if what matters does not fit.
  std::optional<AccurateEcnOption> option(std::size_t room) const;
  void on_sent(WithOption with);
  /// What a SYN-ACK tells, before anything can have changed.
  static AccurateEcnOption initial_option();

  void fill(TcpInfo& info) const;
  friend bool operator==(const Reflector&, const Reflector&) = default;
  void hash_into(auto& hasher) const {
    const auto& [cep, e0b, e1b, ceb, untold, since_ack, changed, ever, tests, reflects, was_ce,
                 syn_ack, counted] = *this;
    hasher.add_all(cep, e0b, e1b, ceb, untold, since_ack, changed, ever, tests, reflects, was_ce,
                   syn_ack, counted);
  }

 private:
  static constexpr std::uint32_t kOverdue = 1 << 22;  // octets (§3.2.3.3)
  /// Sets of counters.
  static constexpr std::uint8_t kE0b = 1, kE1b = 2, kCeb = 4;

  AccurateEcnOption make_option(std::uint8_t counters) const;
  void count(std::uint64_t& counter, std::uint8_t which, std::uint32_t octets);

  std::uint64_t cep_ = kInitialCep;            // r.cep
  std::uint64_t e0b_ = 1, e1b_ = 1, ceb_ = 0;  // r.e0b, r.e1b, r.ceb
  std::uint32_t untold_ = 0;                   // octets, since the last option
  std::uint8_t since_ack_ = 0;                 // CE marks that no ACK has told of
  std::uint8_t changed_ = 0;                   // counters, since the last option
  std::uint8_t ever_ = 0;                      // counters that have changed at all
  std::uint8_t tests_ = 0;                     // options still to go to test the path
  bool reflects_ = false;
  bool was_ce_ = false;  // the previous segment
  IpMark syn_ack_ = IpMark::not_ect;
  bool syn_ack_counted_ = false;  // its CE mark, which counts once
};

}  // namespace estab::tcp
