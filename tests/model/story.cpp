#include "model/story.h"

#include <sstream>

#include "estab/ladder.h"
#include "estab/notation.h"
#include "estab/recorder.h"

#include "model/laws.h"
#include "model/script.h"

namespace estab::model {

namespace {

constexpr int kMostFairSteps = 60;

/// One side, gone through once more.
struct Narrator {
  Narrator(const Bounds& bounds, Side which, Recorder& recorder, std::string_view title)
      : side(which), host(bounds, which), state(host.make()), script(which, title, state.now) {
    state.stack.set_observer(&recorder.add_end(which == Side::a ? "a" : "b"));
  }
  Side side;
  Host host;
  HostState state;
  Script script;
};

class Narration {
 public:
  Narration(Explorer& explorer, const Bounds& bounds, const std::string& title)
      : physics_(explorer.physics()),
        a_(bounds, Side::a, recorder_, title),
        b_(bounds, Side::b, recorder_, title),
        start_(a_.state.now),
        world_(physics_.first()) {
    physics_.tell(&performed_);
  }
  ~Narration() { physics_.tell(nullptr); }
  Narration(const Narration&) = delete;
  Narration& operator=(const Narration&) = delete;

  void go(const std::vector<Move>& way) {
    for (const Move& move : way) {
      if (move.kind == Move::Kind::lose) {
        const std::uint32_t segment = world_.bags[index_of(move.side)][move.place];
        say("lost: " + notation(move.side, segment));
      }
      if (move.kind == Move::Kind::deliver_copy) say("a copy arrives, and is still under way:");
      (void)physics_.make(world_, move);
      follow();
    }
  }
  void go_on_fairly() {
    say("From here on nothing more is lost, and the applications wind up:");
    FairEnd fair(physics_);
    FairEnd::Stage stage{.world = world_};
    for (int i = 0; i < kMostFairSteps; ++i) {
      const FairEnd::Step step = fair.step(stage);
      world_ = stage.world;
      follow();
      if (step != FairEnd::Step::went_on) return;
    }
  }
  Telling finish() {
    Telling telling;
    telling.steps = steps_.str();
    LadderOptions options;
    options.flow = Host::tuple(Side::a);
    telling.ladder = render_ladder(recorder_.recording(), options);
    telling.scripts = {a_.script.text(), b_.script.text()};
    telling.difference = difference_;
    return telling;
  }

 private:
  Narrator& of(Side side) { return side == Side::a ? a_ : b_; }

  void say(const std::string& what) { say(what, a_.state.now); }
  void say(const std::string& what, Instant when) {
    const auto ms = (when - start_) / std::chrono::milliseconds(1);
    steps_ << ms << " ms  " << what << '\n';
  }
  std::string notation(Side from, std::uint32_t segment) {
    const auto octets = physics_.hosts().segments().octets(segment, a_.state.now);
    return std::string(from == Side::a ? "a > b  " : "b > a  ") +
           to_string(segment_of(octets), isn_[index_of(from)], isn_[index_of(other(from))]);
  }

  void follow() {
    for (const Performed& performed : performed_) perform(performed);
    performed_.clear();
    for (const Side side : {Side::a, Side::b}) {
      const auto found = physics_.hosts().find(of(side).host.hash(of(side).state));
      if (found != world_.host[index_of(side)] && difference_.empty())
        difference_ = "gone through again, it is in another state after:\n" + steps_.str();
    }
  }

  void perform(const Performed& performed) {
    Narrator& narrator = of(performed.side);
    const Input input = performed.input;
    std::vector<std::uint8_t> octets;
    if (input.is_arrival())
      octets = physics_.hosts().segments().octets(input.argument, narrator.state.now);
    const Application before = narrator.state.application;
    const auto remembered = physics_.hosts().find(narrator.host.hash(narrator.state));
    const Outcome outcome = narrator.host.perform(narrator.state, input, octets);
    if (outcome.nothing) return;
    if (remembered) compare(physics_.hosts().step(*remembered, input), outcome, narrator.state.now);
    narrator.script.add(narrator.state.now, input, octets, before, narrator.state.application,
                        outcome.frames);
    for (const Frame& frame : outcome.frames) {
      const Segment segment = segment_of(frame.octets);
      if (segment.flags.syn()) isn_[index_of(performed.side)] = segment.seq;
    }
    describe(performed, outcome);
  }

  void compare(model::Step step, const Outcome& outcome, Instant now) {
    HostTable& hosts = physics_.hosts();
    bool same = step.frame_count == outcome.frames.size();
    for (std::size_t i = 0; same && i < outcome.frames.size(); ++i)
      same = hosts.frame(step, i) == hosts.segments().intern(outcome.frames[i], now);
    if (!same && difference_.empty())
      difference_ = "gone through again, it sends something else after:\n" + steps_.str();
  }

  void describe(const Performed& performed, const Outcome& outcome) {
    const std::string who = performed.side == Side::a ? "a" : "b";
    const Instant now = of(performed.side).state.now;
    switch (performed.input.act) {
      case Act::pass:
        break;
      case Act::settle:
        break;
      case Act::deliver:
      case Act::deliver_first:
        say(who + " gets " + notation(other(performed.side), performed.input.argument));
        break;
      case Act::fire:
        say(who + ": a timer fires", now);
        break;
      default:
        say(who + ": " + std::string(name(performed.input.act)));
    }
    for (const Frame& frame : outcome.frames) {
      const Side side = performed.side;
      const Segment segment = segment_of(frame.octets);
      const std::string text =
          to_string(segment, isn_[index_of(side)], isn_[index_of(other(side))]);
      say("    " + who + " sends " + text, now);
    }
    if (!outcome.complaint.empty()) say("    " + outcome.complaint);
  }

  Physics& physics_;
  Recorder recorder_{};
  Narrator a_, b_;
  Instant start_;
  World world_;
  std::array<SeqNum, 2> isn_{};
  std::vector<Performed> performed_{};
  std::ostringstream steps_{};
  std::string difference_{};
};

}  // namespace

Telling tell(Explorer& explorer, const Bounds& bounds, const Violation& violation) {
  Narration narration(explorer, bounds, violation.what);
  narration.go(violation.way);
  if (violation.at_fair_end) narration.go_on_fairly();
  return narration.finish();
}

Telling tell(Explorer& explorer, const Bounds& bounds, const std::vector<Move>& way) {
  Narration narration(explorer, bounds, "a way through the exploration");
  narration.go(way);
  return narration.finish();
}

}  // namespace estab::model
