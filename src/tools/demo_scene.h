// Scene: the stage of an in-memory demonstration. Two stacks, A and B, a wire with a delay between
// them, virtual time, and a recorder that sees both. A case plays on it with the words below, and
// states with expect() what must have happened.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/capture.h"
#include "estab/ladder.h"
#include "estab/pcap_writer.h"
#include "estab/recorder.h"
#include "estab/simulation.h"

namespace estab::tools {

/// With more the timers of a case no longer fit its story; with none nothing can cross.
inline constexpr Duration kLongestDelay = std::chrono::milliseconds(200);
inline constexpr Duration kShortestDelay = std::chrono::microseconds(1);

struct SceneOptions {
  std::uint64_t seed = 1;
  Duration delay = std::chrono::milliseconds(10);  ///< one way
  std::string pcap{}, trace{};                     ///< empty: none
};

/// One of the two ends, with its stream once there is one.
class Actor {
 public:
  Actor(class Scene& scene, Side side) : scene_(scene), side_(side) {}

  Stack& stack();
  StreamId stream() const { return stream_; }
  State state();

  void listen();
  /// Opens towards the other end's port, from this end's port.
  void connect(std::uint16_t to);
  void send(std::string_view text, SendMode mode = SendMode::normal);
  void send(std::size_t octets);
  /// Reads all there is.
  std::string read();
  void shutdown();
  void close();
  void abort();
  /// A remark in the ladder: what this end's application does.
  void remark(const std::string& text);

  bool at_end();
  std::optional<Error> failure() const { return failure_; }
  /// The peer answered one of this end's segments with RST.
  bool reset_seen() const;
  /// Connections its listener has handed over.
  unsigned accepted() const { return accepted_; }
  /// What the last read() gave that gave anything.
  const std::string& last_read() const { return last_read_; }
  bool was_told_urgent() const { return urgent_; }
  std::size_t octets_read() const { return octets_read_; }

 private:
  friend class Scene;
  void take_events();

  Scene& scene_;
  Side side_;
  ListenerId listener_{};
  StreamId stream_{};
  std::optional<Error> failure_{};
  bool urgent_ = false;
  std::size_t octets_read_ = 0;
  std::string last_read_{};
  unsigned accepted_ = 0;
  bool ends_together_ = false;
};

class Scene {
 public:
  static constexpr std::uint16_t kClientPort = 49152, kServerPort = 80;
  static constexpr Duration kMsl = std::chrono::seconds(1);

  /// `arrange` changes what the case wants otherwise, before anything is built.
  Scene(const SceneOptions& options, const std::function<void(SimulationConfig&)>& arrange);
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  ~Scene();

  Actor& a() { return a_; }
  Actor& b() { return b_; }
  Simulation& world() { return world_; }
  Duration delay() const { return options_.delay; }

  /// B listens, A connects, B accepts.
  void open();
  /// The ladder tells what comes before this moment only briefly.
  void curtain();
  void wait(Duration time);
  /// Lets time pass until then; if it does not come about within a minute (or `limit`), `what` has
  /// failed.
  void wait_until(const std::function<bool()>& condition, std::string_view what,
                  Duration limit = std::chrono::minutes(1));
  /// Until nothing more will happen by itself.
  void play_out();
  /// The next so many segments of `side` for which it holds (told the header and the number of
  /// payload octets) get lost.
  void lose(Side side, unsigned how_many, std::function<bool(const Segment&, std::uint32_t)> which);

  /// What becomes of each segment is decided by `fate` from now on.
  void decide(std::function<FrameFate(Side from, const Segment&, std::uint32_t octets)> fate);
  /// Somebody on the way copies the next segment of `side` for which it holds; the copy arrives so
  /// long after it was sent. May be called several times.
  void copy_late(Side side, Duration age, std::function<bool(const Segment&, std::uint32_t)> which);
  /// The rule taken out that a side must be heard before it believes: whatever SYN-ACK it sends is
  /// taken as acknowledged in the same moment, by a segment that nobody sent and no ladder shows.
  void believe(Side side);
  /// The rule taken out that each direction ends by itself: this side's ends with the peer's FIN.
  void end_together(Side side) { actor(side).ends_together_ = true; }
  /// What the applications do whenever something has happened.
  void meanwhile(std::function<void()> act) { meanwhile_ = std::move(act); }

  void expect(const std::function<bool()>& holds, std::string_view what);
  const std::vector<std::string>& failures() const { return failures_; }

  const Recording& recording() const { return recorder_.recording(); }
  std::optional<Instant> curtain_at() const { return curtain_; }
  /// Null if nothing is captured.
  const std::shared_ptr<CaptureFile>& capture() const { return capture_; }

 private:
  friend class Actor;
  class Believer;

  Actor& actor(Side side) { return side == Side::a ? a_ : b_; }
  Observer& observer(Side side) { return *observers_[side == Side::a ? 0 : 1]; }
  void attach_capture();
  void take_events();
  bool run_until(const std::function<bool()>& condition, Duration limit);
  void attach_filter();
  void copy_if_wanted(Instant now, Side from, const TransmitFrame& frame, const Segment& segment);

  SceneOptions options_;
  Simulation world_;
  Recorder recorder_;
  std::shared_ptr<CaptureFile> capture_;
  std::unique_ptr<PcapWriter> writer_;
  std::unique_ptr<PcapTap> tap_;
  Actor a_, b_;
  std::array<Observer*, 2> observers_{};  // of A and B; the recorder owns them
  Side believes_ = Side::b;
  std::unique_ptr<Believer> believer_;
  std::function<void()> meanwhile_{};
  using Which = std::function<bool(const Segment&, std::uint32_t)>;
  struct CopyWish {
    Side from;
    Duration age;
    Which which;
  };
  struct LateCopy {
    Instant arrives;
    Side to;
    std::vector<std::uint8_t> octets;
  };
  std::function<FrameFate(Side, const Segment&, std::uint32_t)> fate_{};
  std::vector<CopyWish> copy_wishes_;
  std::deque<LateCopy> late_copies_;  // by arrival
  std::optional<Instant> curtain_{};
  std::vector<std::string> failures_{};
};

}  // namespace estab::tools
