#include "model/fair.h"

#include "model/laws.h"

namespace estab::model {

namespace {

constexpr std::size_t kMostSteps = 1000;

std::uint64_t ms(Duration duration) {
  return static_cast<std::uint64_t>(duration / std::chrono::milliseconds(1));
}

// TIME-WAIT, once more if the peer's FIN comes again; FIN-WAIT-2 of a connection whose peer is
// gone; and some retransmissions on either side. Both ends are set alike.
std::uint64_t limit_of(const Bounds& bounds) {
  const StackConfig& stack = bounds.stack[0];
  return ms(2 * 2 * stack.msl + stack.tcp.fin_wait_2_timeout + stack.tcp.r2_syn +
            10 * stack.tcp.rto_max);
}

}  // namespace

FairEnd::FairEnd(Physics& physics) : physics_(physics), limit_ms_(limit_of(physics.bounds())) {}

std::string FairEnd::complaint(const World& world) {
  Stage stage{.world = world};
  way_.clear();
  std::uint64_t total_ms = 0;
  for (Step step = Step::went_on; step != Step::ended;) {
    const std::uint64_t hash = stage.world.hash_of_future() * 2 + (stage.patient ? 1 : 0);
    if (const std::uint32_t* rest_ms = good_.find(hash)) {
      total_ms = stage.elapsed_ms + *rest_ms;
      break;
    }
    way_.push_back({hash, stage.elapsed_ms});
    if (way_.size() > kMostSteps) return "no end in sight with a fair network";
    step = this->step(stage);
    if (step == Step::stuck) return "a dead end: both may wait for ever";
    if (step == Step::broken) return broken_ + " (on the way to a fair end)";
    total_ms = stage.elapsed_ms;
  }
  if (total_ms > limit_ms_)
    return "not over before " + std::to_string(total_ms) + " ms of a fair network";
  longest_ms_ = std::max(longest_ms_, total_ms);
  for (const Passed& passed : way_)
    good_.insert(passed.hash, static_cast<std::uint32_t>(total_ms - passed.elapsed_ms));
  return {};
}

FairEnd::Step FairEnd::step(Stage& stage) {
  broken_.clear();
  const bool moved = wind_up(stage) || deliver(stage) || wait(stage);
  const HostTable& hosts = physics_.hosts();
  const auto end = [&](Side side) {
    const std::uint32_t host = stage.world.host[index_of(side)];
    return End{hosts.application(host), hosts.facts(host)};
  };
  const End a = end(Side::a), b = end(Side::b);
  if (broken_.empty())
    if (auto broken = broken_law(physics_.bounds(), a, b)) broken_ = *broken;
  if (!broken_.empty()) return Step::broken;
  if (moved) return Step::went_on;
  const bool over =
      a.facts.closed() && b.facts.closed() && !a.application.holds() && !b.application.holds();
  if (over) return Step::ended;
  // Nobody has anything more to say. Whoever waits for the other's end waits in vain, since the
  // other is gone or does not know of it: they let go.
  if (!stage.patient) return Step::stuck;
  stage.patient = false;
  return Step::went_on;
}

void FairEnd::make(Stage& stage, const Move& move) {
  const std::uint32_t complaint = physics_.make(stage.world, move);
  if (complaint != 0) broken_ = physics_.hosts().complaint(complaint);
}

bool FairEnd::wind_up(Stage& stage) {
  bool moved = false;
  for (const Side side : {Side::a, Side::b}) {
    const std::uint32_t before = stage.world.host[index_of(side)];
    if (physics_.hosts().facts(before).in_burst) {
      make(stage, {.side = side, .act = Act::settle});
      return true;
    }
    const Application& application = physics_.hosts().application(before);
    if (!application.holds()) continue;
    const Act wanted = stage.patient ? Act::wind_up : Act::give_up;
    const model::Step step = physics_.hosts().step(before, {wanted, 0});
    if (step.to == before && step.frame_count == 0) continue;
    make(stage, {.side = side, .act = wanted});
    moved = true;
  }
  return moved;
}

bool FairEnd::deliver(Stage& stage) {
  for (const Side side : {Side::a, Side::b}) {
    if (stage.world.bags[index_of(side)].size() == 0) continue;
    make(stage, {.kind = Move::Kind::deliver, .side = side, .place = 0});
    return true;
  }
  return false;
}

bool FairEnd::wait(Stage& stage) {
  std::optional<std::uint32_t> shortest;
  Side first = Side::a;
  for (const Side side : {Side::a, Side::b}) {
    const auto wait = physics_.wait_ms(stage.world, side);
    if (!wait || (shortest && *wait >= *shortest)) continue;
    shortest = wait;
    first = side;
  }
  if (!shortest) return false;
  stage.elapsed_ms += *shortest;
  make(stage, {.side = first, .act = Act::fire});
  return true;
}

}  // namespace estab::model
