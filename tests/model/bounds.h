// Bounds: what one exploration explores: two stacks and their settings, what their applications may
// do, what the network and the clock may do to them, and how much of each. Within its bounds an
// exploration leaves nothing out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/config.h"
#include "estab/memory_link.h"
#include "estab/time.h"

namespace estab::model {

constexpr std::size_t index_of(Side side) {
  return static_cast<std::size_t>(side);
}

/// A fault planted between a stack and the world, to see that it is found. The stack itself is
/// whole: what it is told, or what it says, is falsified.
enum class Fault : std::uint8_t {
  none,
  fin_not_counted,      ///< b's acknowledgements never cover a FIN: it takes no number there
  text_taken_twice,     ///< b takes octets it has had already for new ones
  any_reset_believed,   ///< b takes every RST for one with exactly the expected number
  silent_retransmitter  ///< a's timers never fire
};

/// When an application takes what has arrived.
enum class Reading : std::uint8_t { at_once, at_any_time };

enum class Listening : std::uint8_t { never, at_any_time, from_the_start };

struct Applications {
  bool connects = false;
  Listening listens = Listening::never;
  bool stops_listening = false;
  bool shuts_down = true, closes = true, aborts = true;
  std::uint8_t octets = 1;  ///< that it sends on each connection, at most
  std::uint8_t opens = 1;   ///< how often it connects
  Reading reading = Reading::at_once;
};

struct Bounds {
  std::string name;
  std::string about;
  std::array<Applications, 2> applications{};
  std::array<StackConfig, 2> stack{};

  // ---- the network
  std::uint8_t capacity = 3;     ///< segments under way in each direction; one more is lost
  std::uint8_t losses = 0;       ///< besides those
  std::uint8_t duplicates = 0;   ///< copies that arrive and are still under way
  std::uint8_t bursts = 0;       ///< arrivals that are not answered before another
  Duration lifetime = kForever;  ///< the MSL that the network keeps to

  // ---- the clock
  std::uint8_t firings = 2;  ///< of timers, both sides together
  Instant start = Instant(std::chrono::hours(1));

  // ---- the exploration
  std::uint64_t most_states = 1ull << 40;
  /// A little less than the states there are: with fewer the exploration does not see any more what
  /// it was made for, however well it ends. Of other bounds than the standard ones nothing is
  /// known.
  std::uint64_t at_least = 0;
  std::uint32_t fair_every = 1;  ///< how many states share one look at the fair continuation
  Fault fault = Fault::none;
  /// R2 is within reach: a connection may end because nobody answers.
  bool ends_by_silence = false;

  const Applications& of(Side side) const { return applications[index_of(side)]; }
};

/// The explorations of `make model`, and smaller ones under the same names for the tests.
enum class Size : std::uint8_t { small, full };
std::vector<Bounds> standard_bounds(Size size);
/// Nothing if there is none of that name.
std::optional<Bounds> standard_bounds(Size size, std::string_view name);
/// Settings that keep the states few without taking away what there is to be seen.
StackConfig plain_stack(Side side);

}  // namespace estab::model
