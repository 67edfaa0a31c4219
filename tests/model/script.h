// Script: the life of one side, written down as a packetdrill script while it is lived.
#pragma once

#include <optional>
#include <string>

#include "estab/segment.h"
#include "estab/time.h"

#include "model/application.h"
#include "model/host.h"

namespace estab::model {

class Script {
 public:
  Script(Side side, std::string_view title, Instant start);

  /// An input, and the segments it led to. `before` and `after` are what the application had done
  /// by then.
  void add(Instant when, Input input, Octets segment, const Application& before,
           const Application& after, const std::vector<Frame>& sent);
  std::string text() const { return text_; }

 private:
  void line(Instant when, const std::string& what);
  void call(Instant when, const std::string& call);
  void command(Instant when, Act act);
  void reading(Instant when, const Application& before, const Application& after);
  std::string notation(const Segment& segment, SeqNum from, SeqNum to) const;
  int descriptor(std::size_t stream) const { return descriptors_[stream]; }

  Instant last_;
  SeqNum ours_{}, theirs_{};  // initial sequence numbers, from which the script counts
  int listener_ = 0, next_descriptor_ = 3;
  std::array<int, kMostStreams> descriptors_{};
  std::size_t streams_ = 0;
  std::string text_;
};

}  // namespace estab::model
