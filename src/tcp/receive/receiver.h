// Receiver: the RCV half of the transmission control block (RFC 9293 §3.3.1). It keeps what arrived
// in order until the application reads it, and decides when and with which window to acknowledge.
//
// Laws. RCV.NXT only grows. What has once been inside the announced window is accepted, and the
// right edge of the window is not taken back (SHLD-14) while the application reads as it promised
// by its buffer (see announce). Octets reach the application once, in order. An ACK is owed as a
// fact and paid by the next segment that carries one, so a burst is acknowledged once (MUST-58,
// MUST-59).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "estab/stack.h"

#include "base/box.h"
#include "tcp/buffer_growth.h"
#include "tcp/connection/context.h"
#include "tcp/connection/timers.h"
#include "tcp/open/opening.h"
#include "tcp/receive/reassembler.h"
#include "tcp/receive/receive_queue.h"
#include "tcp/receive/right_sizing.h"

namespace estab::tcp {

class Receiver {
 public:
  /// `largest_segment`: payload octets of the largest segment that our MSS option lets the peer
  /// send.
  Receiver(const Opening& opening, std::uint32_t largest_segment, const TcpConfig& config,
           Instant now);

  // ---- numbers
  StreamOffset nxt() const { return nxt_; }
  StreamOffset edge() const { return edge_; }
  std::uint32_t window() const { return static_cast<std::uint32_t>(edge_ - nxt_); }
  StreamOffset offset_of(SeqNum number) const { return space_.near(number, nxt_); }
  SeqNum ack_number() const { return space_.wire(nxt_); }
  bool fin_received() const { return fin_received_; }

  // ---- first check: acceptability, timestamps
  /// RFC 9293 §3.10.7.4, the four cases of the table.
  bool check_acceptable(StreamOffset begin, std::uint32_t length) const;
  /// RFC 7323 §5.3 R1: older than what was seen, and that is not itself too old to matter.
  bool check_paws(const TcpTimestamps& timestamps, Instant now) const;
  /// R3: remembers TSval of a segment that spans what was last acknowledged.
  void accept_timestamp(const TcpTimestamps& timestamps, StreamOffset begin, Instant now);
  std::uint32_t ts_recent() const { return ts_recent_; }

  // ---- sixth check: urgent
  /// True if the pointer moved forward.
  bool accept_urgent(StreamOffset end_of_urgent);
  std::optional<UrgentMark> urgent(const TcpConfig& config) const;
  /// With out-of-band delivery: takes the last urgent octet aside if it has arrived.
  void set_aside_urgent(const Context& context, const TcpConfig& config);

  // ---- seventh and eighth check: text, FIN
  /// The first check refused octets: owes an ACK, with the duplicate reported (RFC 2883).
  void on_refused(StreamOffset begin, std::uint32_t octets);
  /// Takes what is new and inside the window; returns how many octets came into order.
  std::uint32_t accept_text(const Context& context, const TcpConfig& config, StreamOffset begin,
                            Incoming in, TimerTable& timers);
  /// The straight path: the expected octets, no gap anywhere, all inside the window.
  void accept_expected(const Context& context, const TcpConfig& config, Incoming in,
                       TimerTable& timers);
  /// Notes where the peer's stream ends; true if the FIN is now in order (once).
  bool accept_fin(StreamOffset at);
  /// The same for a FIN noted earlier, now that a gap may have been filled.
  bool accept_noted_fin() { return nxt_ == fin_ && accept_fin(fin_); }
  /// A segment with so much text has come: if the buffer grows, that tells how long a round trip is
  /// (right_sizing.h). It may throw.
  void note_text(const Context& context, const TcpConfig& config, std::size_t octets,
                 const loss::Echo& echo) {
    ++text_segments_;
    if (config.receive_buffer.grows() && octets >= segment_size_) time_full_segment(context, echo);
  }
  /// No gap, no FIN in sight, no urgent octet to be set aside: text can only be the next in order.
  bool is_straight() const {
    return (!gaps_ || gaps_->empty()) && !fin_seen() && urgent_end_ <= read_;
  }

  // ---- congestion (RFC 3168 §6.1.3)
  /// A segment came marked: every ACK says so until the peer has answered. At once, since a sender
  /// with a small window has nothing else to go by.
  void on_congestion() {
    echoes_congestion_ = true;
    owe(SendReason::ack_immediate);
  }
  /// CWR: the peer has answered.
  void on_window_reduced() {
    echoes_congestion_ = false;
    owe(SendReason::ack_immediate);
  }
  bool echoes_congestion() const { return echoes_congestion_; }
  /// Octets have come in order that no ACK has told of.
  bool has_unacknowledged() const { return unacknowledged_ > 0; }

  // ---- acknowledging
  void owe(SendReason reason) { due_ = reason; }
  void owe_duplicate() { duplicates_owed_ += duplicates_owed_ < kMaxDuplicatesOwed ? 1 : 0; }
  bool owes_duplicate() const { return duplicates_owed_ > 0; }
  std::optional<SendReason> due() const { return due_; }
  /// The next segments are acknowledged at once, and what waits for the timer now.
  void set_quick_acks(std::uint8_t segments, TimerTable& timers);
  void on_delayed_ack_timer() { due_ = SendReason::ack_delayed; }
  /// An ACK is on its way: what was owed is paid. Called for every segment sent with ACK.
  void on_ack_sent(TimerTable& timers);
  void on_duplicate_sent() { --duplicates_owed_; }
  /// The window field of a segment sent now. May move the right edge, forward.
  std::uint16_t announce(const TcpConfig& config);
  SackBlocks sack_blocks();
  bool has_sack() const { return static_cast<bool>(gaps_); }

  // ---- the application
  std::size_t readable() const;
  bool at_end() const { return fin_received_ && queue_.empty(); }
  std::size_t peek(std::span<Octets> views) const;
  std::size_t read(const Context& context, const TcpConfig& config, MutableOctets into);
  void consume(const Context& context, const TcpConfig& config, std::size_t octets);
  /// The application read: owe a window update if it is worth one (RFC 9293 §3.8.6.2.2).
  void after_read(const TcpConfig& config);
  std::size_t unread() const { return queue_.size(); }
  void on_reconfigured(const TcpConfig& config, BufferBudget& budget) {
    growth_.shrink_to(budget, config.receive_buffer, config.receive_buffer.most);
  }
  /// The peer has been quiet: only what it was promised is kept.
  void trim(const TcpConfig& config, BufferBudget& budget);
  void release_all(BlockPool& pool, BufferBudget& budget);

  void fill(TcpInfo& info) const;
  std::size_t memory() const;
  friend bool operator==(const Receiver&, const Receiver&) = default;
  void hash_into(base::Hasher& hasher, const Negotiated& negotiated) const;

 private:
  bool fin_seen() const { return fin_ > kSynOffset; }
  static constexpr std::uint8_t kMaxDuplicatesOwed = 200;

  /// What the window field counts in.
  std::int64_t unit() const { return std::int64_t{1} << shift_; }
  std::int64_t capacity(const TcpConfig& config) const;
  std::int64_t half(const TcpConfig& config) const;
  void time_full_segment(const Context& context, const loss::Echo& echo);
  void grow(const Context& context, const TcpConfig& config);
  auto fields(const Negotiated& negotiated) const;

  StreamOffset free_edge(const TcpConfig& config) const;
  void schedule_ack(const Context& context, const TcpConfig& config, std::uint32_t octets,
                    TimerTable& timers);
  void note_duplicate(OffsetRange range);
  void learn_segment_size(std::size_t size);
  std::uint32_t accept_next(const Context& context, const TcpConfig& config, Incoming in,
                            TimerTable& timers);
  void store_beyond_gap(const Context& context, const TcpConfig& config, StreamOffset begin,
                        Incoming in);
  void take_in_order(const Context& context);

  SequenceSpace space_;
  std::uint32_t text_segments_ = 0;           // received; it wraps
  StreamOffset nxt_ = kFirstOctet;            // RCV.NXT
  StreamOffset edge_;                         // RCV.NXT + RCV.WND, the highest ever announced
  StreamOffset read_ = kFirstOctet;           // first octet the application has not read
  StreamOffset fin_;                          // where the peer's FIN stands; 0: not seen
  StreamOffset urgent_end_;                   // RCV.UP: behind the last urgent octet; 0: never set
  StreamOffset last_ack_sent_ = kFirstOctet;  // RFC 7323 Last.ACK.sent
  Instant ts_recent_at_;
  std::uint32_t ts_recent_ = 0;
  std::uint32_t largest_segment_;     // what our MSS option allows
  std::uint32_t segment_size_ = 0;    // largest payload seen: what "full-sized" means here
  std::uint32_t unacknowledged_ = 0;  // in-order octets since the last ACK
  std::optional<SendReason> due_;
  std::optional<std::uint8_t> out_of_band_;
  std::uint8_t duplicates_owed_ = 0;
  std::uint8_t quick_acks_;
  std::uint8_t shift_;
  bool sack_;
  bool fin_received_ = false;
  bool urgent_set_aside_ = false;
  bool echoes_congestion_ = false;
  BufferGrowth growth_;
  ReceiveQueue queue_;
  base::Box<Reassembler> gaps_;    // made when the first gap appears
  base::Box<RightSizing> sizing_;  // while text comes, if the buffer grows
};

}  // namespace estab::tcp
