// Scenario: everything that is drawn for one run: the wire, the settings of both stacks, and what
// the applications at both ends of each connection do. Law: a seed names a scenario for ever; to
// change how one is drawn makes every seed mean another.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "estab/address.h"
#include "estab/memory_link.h"
#include "estab/simulation.h"
#include "estab/time.h"

namespace estab::properties {

/// When an application that has written everything ends its direction.
enum class EndsWhen : std::uint8_t { written, peer_ended, after_pause };

/// How a connection is meant to end.
enum class Outcome : std::uint8_t {
  complete,  ///< every octet arrives, both sides close
  aborted,   ///< one side breaks off on its way
  silenced,  ///< at some time the wire goes dead for good
};

struct AppPlan {
  std::uint64_t seed = 0;  ///< of the sizes and pauses
  std::uint64_t key = 0;   ///< of the pattern it writes
  std::uint64_t total = 0;
  std::size_t write_most = 1, read_most = 1;  ///< octets a call
  double write_pause = 0, read_pause = 0;     ///< chance after a call
  Duration pause_most{};
  double push = 0, more = 0, urgent = 0, owned = 0;  ///< chance of a call to be such
  /// Where the one urgent octet stands, if the peer is to set it aside (RFC 6093 §4).
  std::optional<std::uint64_t> apart_at{};
  bool in_place = false;  ///< reads with peek and consume
  EndsWhen ends_when = EndsWhen::written;
  Duration end_pause{}, close_pause{};
  bool close_at_once = false;  ///< ends with close instead of shutdown: it expects nothing
  std::uint64_t abort_after = ~std::uint64_t{0};  ///< octets written and read
};

enum class Opener : std::uint8_t { a, b, both };

/// Where connections are accepted.
inline constexpr std::uint16_t kListenPort = 80;

struct ConnectionPlan {
  Family family = Family::ipv4;
  Opener opener = Opener::a;
  std::uint16_t port = 0;   ///< of the opener (if fixed), or of both
  bool fixed_port = false;  ///< else the stack chooses one
  Duration start{}, accept_pause{};
  std::optional<std::size_t> after{};  ///< that connection is over: the same ports once more
  std::array<AppPlan, 2> apps{};       ///< of side a and b
};

/// The link at one side takes other sizes from then on.
struct MtuChange {
  Duration at{};
  Side side = Side::a;
  std::uint16_t mtu = 1500;
};

struct Scenario {
  std::uint64_t seed = 0;
  Outcome outcome = Outcome::complete;
  SimulationConfig world{};
  std::uint32_t backlog = 128;
  std::vector<ConnectionPlan> connections{};
  std::vector<MtuChange> mtu_changes{};
  Duration silent_after{};                 ///< if outcome is silenced
  std::vector<std::uint32_t> copies_at{};  ///< after how many steps the world is copied

  const Impairments& impairments(Side from) const {
    return *(from == Side::a ? world.link.from_a : world.link.from_b);
  }
  /// Over IPv6 nothing but the transport's checksum guards the header: a frame damaged in its
  /// protocol number draws an ICMP error, which may refuse an opening.
  bool may_be_refused() const;
};

Scenario draw_scenario(std::uint64_t seed);
/// The drawn parameters, line by line.
std::string describe(const Scenario& scenario);

}  // namespace estab::properties
