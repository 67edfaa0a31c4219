#include "model/host_table.h"

#include <algorithm>

#include "base/ensure.h"

namespace estab::model {

namespace {

std::uint64_t key_of(std::uint32_t from, Input input) {
  base::ensure(input.argument < 1u << 27);
  return std::uint64_t{from + 1} << 32 | static_cast<std::uint64_t>(input.act) << 27 |
         input.argument;
}

template <class T>
std::uint32_t size32(const std::vector<T>& of) {
  return static_cast<std::uint32_t>(of.size());
}

Facts facts_of(const HostState& state) {
  Facts facts;
  facts.records = view_records(state.stack);
  facts.listens = state.application.listener.has_value();
  facts.drew_isn = state.drew_isn;
  facts.in_burst = state.in_burst;
  if (const StreamRecord* last = state.application.last()) {
    facts.flow = view_flow(state.stack, last->id, state.now);
    if (facts.flow && !facts.flow->indexed) facts.flow.reset();
    if (facts.flow) {
      facts.flow->iss = facts.flow->iss - number_clock(state.now);
      facts.flow->irs = facts.flow->irs - number_clock(state.now);
    }
  }
  return facts;
}

/// What must hold of a side by itself.
std::string complaint_about(const Facts& facts, const HostState& state) {
  if (!facts.flow) return {};
  const FlowView& flow = *facts.flow;
  if (state.stack.next_deadline() > flow.deadline) return "a timer nobody will wake up for";
  if (!is_synchronized(flow.state)) return {};
  if (flow.una > flow.nxt || flow.nxt > flow.max) return "SND.UNA <= SND.NXT <= the highest sent";
  if (flow.rcv_nxt > flow.edge) return "RCV.NXT beyond the window's edge";
  if (flow.received() != state.application.last()->read + std::int64_t{flow.unread})
    return "octets received are neither read nor waiting";
  return {};
}

}  // namespace

HostTable::HostTable(const Bounds& bounds, SegmentTable& segments)
    : segments_(segments), hosts_{Host(bounds, Side::a), Host(bounds, Side::b)} {
  for (const Side side : {Side::a, Side::b}) {
    const std::uint32_t number = intern(host(side).make(), side, 0, {});
    base::ensure(number == first(side));
  }
}

const Step& HostTable::step(std::uint32_t from, Input input) {
  const auto [number, fresh] = by_input_.insert(key_of(from, input), size32(steps_));
  if (!fresh) return steps_[number];
  HostState next = state(from);
  const Side side = entries_[from].side;
  const Outcome outcome = perform(side, next, input);
  Step step;
  step.first_frame = size32(frames_);
  step.frame_count = static_cast<std::uint16_t>(outcome.frames.size());
  for (const Frame& frame : outcome.frames) frames_.push_back(segments_.intern(frame, next.now));
  step.elapsed_ms = static_cast<std::uint32_t>(outcome.elapsed / std::chrono::milliseconds(1));
  std::string complaint = outcome.complaint;
  if (complaint.empty()) complaint = complaint_about(facts_of(next), next);
  step.complaint = note(complaint);
  step.to = outcome.nothing ? from : intern(std::move(next), side, from, input);
  steps_.push_back(step);
  return steps_.back();
}

Outcome HostTable::perform(Side side, HostState& state, Input input) const {
  std::vector<std::uint8_t> segment;
  if (input.is_arrival()) segment = segments_.octets(input.argument, state.now);
  return host(side).perform(state, input, segment);
}

std::uint32_t HostTable::note(const std::string& complaint) {
  const auto found = std::ranges::find(complaints_, complaint);
  if (found == complaints_.end()) complaints_.push_back(complaint);
  return static_cast<std::uint32_t>(std::ranges::find(complaints_, complaint) -
                                    complaints_.begin());
}

std::uint32_t HostTable::intern(HostState&& state, Side side, std::uint32_t parent, Input by) {
  const auto [number, fresh] = index_.insert(host(side).hash(state), size32(entries_));
  if (!fresh) return number;
  Entry entry{.side = side, .parent = parent, .by = by};
  entry.enabled = host(side).enabled(state);
  entry.application = state.application.moved(0 - number_clock(state.now));
  entry.facts = facts_of(state);
  entry.now = state.now;
  entry.used = ++clock_;
  entry.stack = std::make_unique<const Stack>(std::move(state.stack));
  entries_.push_back(std::move(entry));
  if (number > 1) kept_.push_back(number);  // where all ways begin is never let go
  make_room();
  return number;
}

std::optional<std::uint32_t> HostTable::find(std::uint64_t hash) const {
  const std::uint32_t* found = index_.find(hash);
  return found ? std::optional(*found) : std::nullopt;
}

void HostTable::make_room() {
  if (kept_.size() < kMostStacks) return;
  const auto older = [&](std::uint32_t x, std::uint32_t y) {
    return entries_[x].used < entries_[y].used;
  };
  const auto middle = kept_.begin() + static_cast<std::ptrdiff_t>(kept_.size() / 2);
  std::ranges::nth_element(kept_, middle, older);
  for (auto at = kept_.begin(); at != middle; ++at) entries_[*at].stack.reset();
  kept_.erase(kept_.begin(), middle);
}

HostState HostTable::state(std::uint32_t number) {
  const Stack& stack = stack_of(number);
  const Entry& entry = entries_[number];
  return {stack, entry.application.moved(number_clock(entry.now)), entry.now, entry.facts.drew_isn,
          entry.facts.in_burst};
}

// The way back to the nearest state whose stack is still there, and from it forward again.
const Stack& HostTable::stack_of(std::uint32_t number) {
  std::vector<std::uint32_t> way;
  for (std::uint32_t at = number; !entries_[at].stack; at = entries_[at].parent) {
    way.push_back(at);
  }
  if (!way.empty()) {
    const Entry& from = entries_[entries_[way.back()].parent];
    HostState state{*from.stack, from.application.moved(number_clock(from.now)), from.now,
                    from.facts.drew_isn, from.facts.in_burst};
    for (; !way.empty(); way.pop_back()) {
      const Entry& to = entries_[way.back()];
      (void)perform(to.side, state, to.by);
    }
    entries_[number].stack = std::make_unique<const Stack>(std::move(state.stack));
    entries_[number].used = ++clock_;
    kept_.push_back(number);
    make_room();
  }
  entries_[number].used = ++clock_;
  return *entries_[number].stack;
}

}  // namespace estab::model
