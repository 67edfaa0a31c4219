// A look inside a Stack, for those who hold two of them against each other. The public interface
// has no door for this, and needs none: what stands here only reads.
#pragma once

#include <cstdint>
#include <optional>

#include "estab/stack.h"

namespace estab::model {

/// One stream as its control block has it. Offsets count from the SYN, which is 0.
struct FlowView {
  State state = State::closed;
  bool indexed = false;   ///< segments find it
  bool released = false;  ///< the application has let go
  SeqNum iss, irs;
  std::int64_t una = 0, nxt = 0, max = 0;
  std::uint32_t send_window = 0;
  std::int64_t rcv_nxt = 0, edge = 0;
  bool fin_queued = false, fin_acked = false, fin_received = false;
  std::uint32_t unread = 0;
  Instant deadline = kNever;

  /// Octets of text below an offset of this side's numbering.
  std::int64_t text_below(std::int64_t offset, bool fin_below) const {
    return offset - 1 - (fin_below ? 1 : 0);
  }
  std::int64_t acknowledged() const { return text_below(una, fin_acked); }
  std::int64_t received() const { return text_below(rcv_nxt, fin_received); }
};

/// Records that are no stream's.
struct RecordsView {
  std::size_t half_open = 0, time_wait = 0, streams = 0;
  SeqNum half_open_iss, half_open_irs;          ///< of the first
  SeqNum time_wait_snd_nxt, time_wait_rcv_nxt;  ///< of the first
};

/// Nothing if the handle is stale.
std::optional<FlowView> view_flow(const Stack& stack, StreamId id, Instant now);
RecordsView view_records(const Stack& stack);
/// Equal for stacks whose lives go on alike from `now` on, whatever the time.
std::uint64_t future_hash(const Stack& stack, Instant now);

}  // namespace estab::model
