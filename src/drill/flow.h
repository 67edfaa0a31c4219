// One connection of a script and how its numbers are translated. A script counts from the numbers
// it gives the two SYNs, as if each side's ISN were what it writes there; the stack draws its own
// ISN and timestamps, and the peer's can be moved by an option. packetdrill itself counts all that
// comes after the peer's SYN from 0, whatever number that has: so does a script here whose first
// number after it lies below it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "estab/segment.h"

#include "drill/script.h"

namespace estab::drill {

/// A timestamp option's two numbers, taken out of its body; and how to put them back.
struct Timestamps {
  std::uint32_t value = 0, echo = 0;
};
std::optional<Timestamps> timestamps_of(const TcpOption& option);
void set_timestamps(TcpOption& option, const Timestamps& timestamps);
const TcpOption* find_timestamps(const TcpSpec& tcp);

class Flow {
 public:
  explicit Flow(std::uint32_t remote_shift = 0) : remote_shift_(remote_shift) {}

  FourTuple tuple{};  ///< as the stack sees it

  /// The stack sent a SYN with `wire`, where the script has `script`.
  void learn_isn(std::uint32_t script, std::uint32_t wire) { local_shift_ = wire - script; }
  /// The peer's SYN has this number in the script; the first one counts.
  void learn_remote_isn(std::uint32_t script) { remote_isn_ = remote_isn_.value_or(script); }
  /// The script gives an octet of the peer's this number, in a segment without SYN.
  void learn_remote_number(std::uint32_t script) {
    constexpr std::uint32_t kHalf = 0x80000000;
    if (!remote_base_ && remote_isn_)
      remote_base_ = script - *remote_isn_ >= kHalf ? *remote_isn_ : 0;
  }
  bool knows_isn() const { return local_shift_.has_value(); }
  /// The stack sent a timestamp `wire` where the script has `script`.
  void learn_timestamp(std::uint32_t script, std::uint32_t wire);
  /// A timestamp of the stack's counted from the first one learnt, in the script's terms. Nothing
  /// before the first one.
  std::optional<std::uint32_t> script_timestamp(std::uint32_t wire) const;

  /// What goes to the stack: from the script's numbers to those on the wire.
  TcpSpec to_wire(TcpSpec tcp) const;
  IcmpSpec to_wire(IcmpSpec icmp) const;
  /// What came from it: from the wire to the script's numbers, save its timestamps, whose meaning
  /// depends on what the script says (script_timestamp).
  TcpSpec to_script(TcpSpec tcp) const;

 private:
  std::uint32_t local_shift() const { return local_shift_.value_or(0); }
  /// What is to be added to the script's numbers of the peer's octets in such a segment.
  std::uint32_t remote_base(const TcpSpec& tcp) const {
    return (tcp.flags & TcpFlags::kSyn) != 0 ? 0 : remote_base_.value_or(0);
  }
  std::uint32_t echo_on_wire(std::uint32_t script) const;

  std::uint32_t remote_shift_ = 0;              // on the wire less in the script
  std::optional<std::uint32_t> local_shift_{};  // the same for the stack's numbers
  std::optional<std::uint32_t> remote_isn_{};   // in the script
  std::optional<std::uint32_t> remote_base_{};  // what segments without SYN count from
  std::optional<std::uint32_t> first_timestamp_script_{};
  std::uint32_t first_timestamp_wire_ = 0;
  std::map<std::uint32_t, std::uint32_t> timestamps_;  // of the stack, script to wire
};

}  // namespace estab::drill
