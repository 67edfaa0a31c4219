// FairEnd: from any world, what happens when the applications wind up, nothing more is lost or
// copied, and timers fire in the order of their deadlines. It must come to both ends CLOSED, and in
// good time: there is no dead end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/hash_map.h"
#include "model/world.h"

namespace estab::model {

class FairEnd {
 public:
  explicit FairEnd(Physics& physics);

  /// Empty if all ends well from there.
  std::string complaint(const World& world);
  /// One step of the same, for telling the story of a bad end.
  struct Stage {
    World world;
    bool patient = true;  ///< the applications wait for each other's end
    std::uint64_t elapsed_ms = 0;
  };
  enum class Step : std::uint8_t { went_on, ended, stuck, broken };
  Step step(Stage& stage);
  const std::string& broken() const { return broken_; }

  std::uint64_t longest_ms() const { return longest_ms_; }
  std::uint64_t limit_ms() const { return limit_ms_; }
  std::size_t known() const { return good_.size(); }

 private:
  bool wind_up(Stage& stage);
  bool deliver(Stage& stage);
  bool wait(Stage& stage);
  void make(Stage& stage, const Move& move);

  Physics& physics_;
  HashMap good_{};  // futures that are known to end well, and after how many milliseconds
  std::uint64_t limit_ms_;
  std::uint64_t longest_ms_ = 0;
  std::string broken_{};
  struct Passed {
    std::uint64_t hash, elapsed_ms;
  };
  std::vector<Passed> way_{};
};

}  // namespace estab::model
