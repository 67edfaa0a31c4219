// What becomes of TCP when addresses of this stack go away. Nothing of it can be sent any more, so
// no peer is told; the application is, through every handle it holds.

#include "stack/tcp_layer.h"

namespace estab::stack {

void TcpLayer::on_removed(Core& core, Instant now, const Removed& gone) {
  recover(core, now);
  half_open_.for_each([&](std::uint32_t index, const tcp::HalfOpen& record) {
    // One whose connection is there already goes with that.
    if (gone.concerns(record.tuple) && !record.is_opened())
      forget_half_open(core, now, index, State::closed);
  });
  time_wait_.for_each([&](std::uint32_t index, const tcp::TimeWait& record) {
    if (gone.concerns(record.tuple)) drop_time_wait(core, now, index);
  });
  held_.for_each([&](std::uint32_t index, const tcp::HeldSyn& syn) {
    if (gone.concerns(syn.tuple) || zone_of(syn.interface) == gone.zone) forget_held(core, index);
  });
  flows_.for_each([&](std::uint32_t index, Flow& flow) {
    const bool cut_off = flow.forwarded && zone_of(flow.path.hop.interface) == gone.zone;
    if (flow.indexed && (cut_off || gone.concerns(flow.tuple()))) end_flow(core, now, flow, index);
  });
  listeners_.for_each([&](std::uint32_t index, const tcp::Listener& listener) {
    if (!listener.failure && gone.has(listener.local.address)) end_listener(core, now, index);
  });
}

void TcpLayer::end_flow(Core& core, Instant now, Flow& flow, std::uint32_t index) {
  interrupted_ = true;
  if (tcp::Handshake* handshake = flow.handshake())
    handshake->fail(core.context(now), Error::address_removed);
  else
    flow.connection()->on_address_removed(core.context(now));
  follow_up(core, now, index);
}

// Those that wait for accept have ended too, as their address was the listener's.
void TcpLayer::end_listener(Core& core, Instant now, std::uint32_t index) {
  for (const StreamId& stream : stop_listening(core, now, index, Tell::nobody))
    if (flows_.find(stream.index, stream.generation)) erase_flow(core, stream.index);
  listeners_[index].failure = Error::address_removed;
  queue_accept_event(index);
}

}  // namespace estab::stack
