// Outgoing: what an application has handed over to be sent, and the marks it has made in it: where
// it pushed, what is urgent, whether more follows, and where the stream ends (RFC 9293 §3.9.1.2).
//
// Law: a mark stands behind the last octet of the call that made it, and outlives the octets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "estab/stack.h"

#include "tcp/buffer_growth.h"
#include "tcp/send/send_queue.h"

namespace estab::tcp {

class Outgoing {
 public:
  // ---- the application
  std::size_t room(const BufferSize& buffer) const { return queue_.room(growth_.size(buffer)); }
  /// The application found no room for all it had: it is to be told when there is some.
  void await_room() { awaits_room_ = true; }
  bool awaits_room() const { return awaits_room_; }
  /// Whether it waited.
  bool end_wait_for_room() { return std::exchange(awaits_room_, false); }
  BufferGrowth& growth() { return growth_; }
  const BufferGrowth& growth() const { return growth_; }
  void append(Octets octets, SendMode mode, BlockPool& pool);
  void append_owned(Octets octets, const std::shared_ptr<const void>& owner, SendMode mode,
                    BlockPool& pool);
  /// Nothing comes behind what there is: a FIN does.
  void queue_fin() {
    fin_queued_ = true;
    more_ = unpushed_ = false;
  }
  bool fin_queued() const { return fin_queued_; }

  // ---- the octets
  StreamOffset end() const { return queue_.end(); }
  std::size_t size() const { return queue_.size(); }
  SendQueue::Gathered gather(StreamOffset from, std::uint32_t length,
                             std::span<Octets> views) const {
    return queue_.gather(from, length, views);
  }
  /// The peer has everything before `offset`, perhaps the FIN too.
  void release_until(StreamOffset offset, BlockPool& pool) {
    queue_.release_until(std::min(offset, queue_.end()), pool);
  }
  void release_all(BlockPool& pool) { queue_.release_all(pool); }
  void trim() { queue_.trim(); }
  std::size_t memory() const { return queue_.memory(); }

  // ---- the marks
  /// The application said that more follows, so a partial segment may wait for it.
  bool expects_more() const { return more_; }
  void forget_more() { more_ = false; }
  /// What begins at `from` waits neither for company nor for more.
  bool is_released(StreamOffset from) const { return push_end_ > from || release_end_ > from; }
  /// Whether a segment [from, end) is to carry PSH: where the queue ends (MUST-61), unless more is
  /// to come there, and where the application asked.
  bool is_pushed(StreamOffset from, StreamOffset end) const;
  /// The last octets have gone with PSH.
  void on_end_pushed() { unpushed_ = false; }
  bool has_urgent(StreamOffset at) const { return urgent_end_ > at; }
  /// What a segment that begins at `at` says of the urgent octets, if anything, when all before
  /// `max` has been sent.
  std::optional<std::uint16_t> urgent_pointer(StreamOffset at, StreamOffset max) const;
  /// The peer has not been told of SND.UP yet.
  bool owes_urgent_notice() const { return urgent_notice_; }
  void on_urgent_notice_sent() { urgent_notice_ = false; }

  friend bool operator==(const Outgoing&, const Outgoing&) = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  void mark(std::size_t octets, SendMode mode);

  SendQueue queue_;
  StreamOffset urgent_end_;   // SND.UP: behind the last urgent octet; 0: none
  StreamOffset push_end_;     // behind the last octet pushed explicitly; 0: none
  StreamOffset release_end_;  // what stands before is held back no longer; 0: none
  bool more_ = false;         // the application said more follows
  bool unpushed_ = false;     // and said so with the last octets of the queue
  bool fin_queued_ = false;
  bool urgent_notice_ = false;
  bool awaits_room_ = false;
  BufferGrowth growth_;
};

}  // namespace estab::tcp
