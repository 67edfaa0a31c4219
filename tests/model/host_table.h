// HostTable: every state either side was ever in, once, under a number, and what each input leads
// to. The two sides of a world change by turns and mostly repeat what they did in another world;
// the stack's code runs once for each state and input there is, however many worlds hold them.
//
// Law: a number stands for all states with the same hash (Host::hash). Stacks are kept as long as
// there is room; one that was let go is made again by the input that first led to it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/facts.h"
#include "model/hash_map.h"
#include "model/host.h"
#include "model/segments.h"

namespace estab::model {

/// An interned outcome.
struct Step {
  std::uint32_t to = 0;           ///< the side's next state
  std::uint32_t first_frame = 0;  ///< in HostTable::frames()
  std::uint16_t frame_count = 0;
  std::uint32_t elapsed_ms = 0;  ///< that an act had to wait for
  std::uint32_t complaint = 0;   ///< in HostTable::complaint(); 0: none
};

class HostTable {
 public:
  HostTable(const Bounds& bounds, SegmentTable& segments);

  /// The state a side begins in.
  std::uint32_t first(Side side) const { return index_of(side); }
  const Step& step(std::uint32_t from, Input input);

  const Facts& facts(std::uint32_t state) const { return entries_[state].facts; }
  const Application& application(std::uint32_t state) const { return entries_[state].application; }
  std::uint32_t enabled(std::uint32_t state) const { return entries_[state].enabled; }
  std::uint32_t frame(const Step& step, std::size_t i) const {
    return frames_[step.first_frame + i];
  }
  const std::string& complaint(std::uint32_t number) const { return complaints_[number]; }

  /// The number of the state with this hash, if it was ever met.
  std::optional<std::uint32_t> find(std::uint64_t hash) const;

  std::size_t size() const { return entries_.size(); }
  SegmentTable& segments() { return segments_; }
  std::size_t steps() const { return steps_.size(); }

 private:
  struct Entry {
    Side side;
    std::uint32_t parent = 0;  ///< the state and the input it was first reached by
    Input by{};
    std::uint32_t enabled = 0;
    std::uint32_t used = 0;     ///< when its stack was last asked for
    Application application{};  ///< initial sequence numbers as in `facts`
    Facts facts{};
    Instant now{};
    std::unique_ptr<const Stack> stack{};  ///< may have been let go
  };

  Outcome perform(Side side, HostState& state, Input input) const;
  HostState state(std::uint32_t number);
  const Stack& stack_of(std::uint32_t number);
  std::uint32_t intern(HostState&& state, Side side, std::uint32_t parent, Input by);
  void make_room();
  std::uint32_t note(const std::string& complaint);
  const Host& host(Side side) const { return hosts_[index_of(side)]; }

  static constexpr std::size_t kMostStacks = 16'000;

  SegmentTable& segments_;
  std::array<Host, 2> hosts_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> kept_;  // entries that have their stack
  std::uint32_t clock_ = 0;
  HashMap index_;     // states by their hash
  HashMap by_input_;  // steps by state and input
  std::vector<Step> steps_;
  std::vector<std::uint32_t> frames_;
  std::vector<std::string> complaints_{std::string()};
};

}  // namespace estab::model
