#include "model/inside.h"

#include "base/hasher.h"
#include "stack/stack_impl.h"

namespace estab::model {

namespace {

// An explicit instantiation may name what is private ([temp.spec.general]): so the members can be
// read here without making the library's headers speak of tests.
template <class Door, auto kMember>
struct Opened {
  friend constexpr auto open(Door) { return kMember; }
};
struct ImplDoor {
  friend constexpr auto open(ImplDoor);
};
struct FlowsDoor {
  friend constexpr auto open(FlowsDoor);
};
struct HalfOpenDoor {
  friend constexpr auto open(HalfOpenDoor);
};
struct TimeWaitDoor {
  friend constexpr auto open(TimeWaitDoor);
};
template struct Opened<ImplDoor, &Stack::impl_>;
template struct Opened<FlowsDoor, &stack::TcpLayer::flows_>;
template struct Opened<HalfOpenDoor, &stack::TcpLayer::half_open_>;
template struct Opened<TimeWaitDoor, &stack::TcpLayer::time_wait_>;

const auto& inside(const Stack& stack) {
  return *(stack.*open(ImplDoor{}));
}

FlowView view_connection(const tcp::Connection& c) {
  FlowView view;
  view.state = c.state();
  view.released = c.released();
  view.iss = c.sender().space().wire(tcp::kSynOffset);
  view.irs = c.receiver().ack_number() - static_cast<std::uint32_t>(c.receiver().nxt().value());
  view.una = c.sender().space().una().value();
  view.nxt = c.sender().space().nxt().value();
  view.max = c.sender().space().max().value();
  view.send_window = c.sender().space().window();
  view.rcv_nxt = c.receiver().nxt().value();
  view.edge = c.receiver().edge().value();
  view.fin_queued = c.sender().outgoing().fin_queued();
  view.fin_acked = c.fin_acked();
  view.fin_received = c.receiver().fin_received();
  view.unread = static_cast<std::uint32_t>(c.receiver().unread());
  view.deadline = c.next_deadline();
  return view;
}

FlowView view_handshake(const tcp::Handshake& h, Instant now) {
  const tcp::Opening opening = h.opening(now);
  FlowView view;
  view.state = h.state();
  view.released = h.released();
  view.iss = opening.iss;
  view.irs = opening.irs;
  view.deadline = h.next_deadline();
  return view;
}

}  // namespace

std::optional<FlowView> view_flow(const Stack& stack, StreamId id, Instant now) {
  // TcpLayer::find would hide what the application has let go of, and that goes on.
  const auto& flows = inside(stack).tcp.*open(FlowsDoor{});
  const stack::Flow* flow = flows.find(id.index, id.generation);
  if (!flow) return std::nullopt;
  FlowView view = flow->connection() ? view_connection(*flow->connection())
                                     : view_handshake(*flow->handshake(), now);
  view.indexed = flow->indexed;
  return view;
}

RecordsView view_records(const Stack& stack) {
  const auto& tcp = inside(stack).tcp;
  RecordsView view;
  const Stack::Census census = stack.census();
  view.streams = census.streams;
  view.half_open = census.syn_cache;
  view.time_wait = census.time_wait;
  (tcp.*open(HalfOpenDoor{})).for_each([&](std::uint32_t, const tcp::HalfOpen& record) {
    view.half_open_iss = record.iss;
    view.half_open_irs = record.irs;
  });
  (tcp.*open(TimeWaitDoor{})).for_each([&](std::uint32_t, const tcp::TimeWait& record) {
    view.time_wait_snd_nxt = record.snd_nxt;
    view.time_wait_rcv_nxt = record.rcv_nxt;
  });
  return view;
}

std::uint64_t future_hash(const Stack& stack, Instant now) {
  auto hasher = base::Hasher::of_future(now);
  inside(stack).core.hash_into(hasher);
  inside(stack).tcp.hash_into(hasher);
  return hasher.finish();
}

}  // namespace estab::model
