// One connection of a script and how its numbers are translated. A script counts from the numbers
// it gives the two SYNs, as if each side's ISN were what it writes there; the stack draws its own
// ISN and timestamps, and the peer's can be moved by an option.
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
  std::uint32_t echo_on_wire(std::uint32_t script) const;

  std::uint32_t remote_shift_ = 0;              // on the wire less in the script
  std::optional<std::uint32_t> local_shift_{};  // the same for the stack's numbers
  std::optional<std::uint32_t> first_timestamp_script_{};
  std::uint32_t first_timestamp_wire_ = 0;
  std::map<std::uint32_t, std::uint32_t> timestamps_;  // of the stack, script to wire
};

}  // namespace estab::drill
