#include "tcp/send/sender.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/public_fields.h"

namespace estab::tcp {

Sender::Sender(const Opening& opening, std::uint32_t mss, const TcpConfig& config)
    : space_(opening.iss),
      window_(opening.send_window),
      max_window_(opening.send_window),
      mss_(mss),
      path_mss_(mss),
      ecn_(opening.negotiated.ecn),
      sack_(opening.negotiated.sack),
      rtt_(config),
      congestion_(config.congestion_control,
                  {.mss = mss,
                   .seed = opening.iss.value(),
                   .initial_window_segments = static_cast<std::uint16_t>(
                       std::min<std::uint32_t>(config.initial_window_segments, 0xffff)),
                   .paced = config.pacing || config.congestion_control == CongestionControl::bbr}) {
  if (opening.rtt) rtt_.on_sample(*opening.rtt, config);
  if (!opening.syn_repeated) return;
  rtt_.on_syn_retransmitted(config);
  // [RFC 5681 3.1-5]
  congestion_.on_syn_lost();
}

const loss::Flight& Sender::flight() const {
  static const loss::Flight kNone;
  return flight_ ? *flight_ : kNone;
}

// ---- fifth check

Sender::AckKind Sender::check_ack(StreamOffset ack) const {
  if (ack > max_) return AckKind::beyond;
  if (ack > una_) return AckKind::advance;
  return ack == una_ ? AckKind::duplicate : AckKind::old;
}

// RFC 9293 §3.10.7.4 asks for SND.WL1 < SEG.SEQ first. But a retransmission has an old number and
// today's window: if only it acknowledges new octets, the window left from before would be counted
// from the new SND.UNA, and so reach beyond what was allowed (the test
// ARetransmissionsNewAcknowledgementBringsItsWindow fails by the RFC's rule). Acknowledgements
// never go back: they tell the order. Every window the RFC's rule takes is taken by this one.
bool Sender::check_window_update(StreamOffset seq, StreamOffset ack) const {
  return wl2_ < ack || (wl2_ == ack && wl1_ <= seq);
}

bool Sender::accept_window(StreamOffset seq, StreamOffset ack, std::uint32_t window,
                           TimerTable& timers) {
  wl1_ = seq;
  wl2_ = ack;
  const bool changed = window != window_;
  const bool opens = window_ == 0 && window > 0;
  window_ = window;
  max_window_ = std::max(max_window_, window);
  if (changed) timers.stop(Timer::persist);
  if (changed && window_ > 0) probes_ = 0;
  if (opens) oldest_at_ = heard_at_;  // what waited for it has only now a chance to be acknowledged
  return changed;
}

// RFC 2018 §5, RFC 2883 §4. The first block may report octets that came twice: below the
// acknowledgement of the same segment, or within the second block.
// [RFC 2018 5-1] [RFC 2883 5-1]
void Sender::take_sack(const AckFacts& facts, loss::Flight::Ack& ack,
                       std::array<loss::OctetRange, SackBlocks::kMax>& blocks) const {
  std::size_t count = 0;
  const auto range_of = [&](const SackBlock& block) {
    return loss::OctetRange{offset_of(block.left), offset_of(block.right)};
  };
  for (std::size_t i = 0; i < facts.sack.size(); ++i) {
    const loss::OctetRange block = range_of(facts.sack[i]);
    if (block.begin >= block.end || block.end > nxt_) continue;
    if (i == 0) {
      const auto second = facts.sack.size() > 1 ? std::optional(range_of(facts.sack[1]))
                                                : std::optional<loss::OctetRange>();
      const bool within = second && second->begin <= block.begin && block.end <= second->end;
      if (block.end <= facts.number || within) {
        ack.reported = block;
        continue;
      }
    }
    if (block.end <= facts.number) continue;
    blocks[count++] = {std::max(block.begin, facts.number), block.end};
  }
  ack.sacked = std::span(blocks.data(), count);
}

void Sender::accept_ack(const Turn& turn, const AckFacts& facts) {
  const bool advances = facts.number > una_;
  loss::Flight::Outcome outcome;
  if (flight_ && (advances || facts.is_duplicate || facts.answers_nothing ||
                  facts.echoes_congestion || !facts.sack.empty())) {
    std::array<loss::OctetRange, SackBlocks::kMax> blocks;
    loss::Flight::Ack ack{.number = facts.number,
                          .sacked = {},
                          .reported = {},
                          .is_duplicate = facts.is_duplicate,
                          .answers_nothing = facts.answers_nothing,
                          .echoes_congestion = facts.echoes_congestion,
                          .echo = facts.echo};
    if (sack_) take_sack(facts, ack, blocks);
    outcome = flight_->on_ack(lend(turn), ack);
  }
  if (advances) accept_advance(turn, facts.number);
  if (outcome.is_least) slowed_ = true;
  if (una_ == nxt_) {
    if (!slowed_) turn.timers.stop(Timer::retransmit);  // (5.2)
    turn.timers.stop(Timer::reordering);
  } else if (outcome.restarts_timer) {
    restart_retransmit_timer(turn);  // (5.3)
  }
  if (outcome.is_least) restart_retransmit_timer(turn);
  if (advances || turn.timers.runs(Timer::tail_probe))
    arrange_tail_probe(turn, advances ? Anew::yes : Anew::no);
}

void Sender::accept_advance(const Turn& turn, StreamOffset ack) {
  if (turn.config.quirks.ack_releases_more) more_ = false;
  una_ = ack;
  nxt_ = std::max(nxt_, una_);
  if (flight_) flight_->tail_probe().cancel();  // it was heard of
  // [RFC 2018 8-5]
  queue_.release_until(std::min(ack, queue_.end()), turn.context.blocks);
  retransmits_ = 0;
  probes_ = 0;
  probe_due_ = false;
  oldest_at_ = turn.now();
  turn.timers.stop(Timer::persist);
}

// A mark too far away for 16 bits is told as one just so far, if that lies beyond all that was
// sent: what is sent there will tell better. Among octets sent without a mark it would be a false
// one.
// [RFC 9293 MUST-30, MUST-31, MUST-62]
std::optional<std::uint16_t> Sender::urgent_pointer(StreamOffset at) const {
  constexpr std::int64_t kFarthest = 0xffff;
  if (!has_urgent(at) || (urgent_end_ - at > kFarthest && at + kFarthest <= max_))
    return std::nullopt;
  return static_cast<std::uint16_t>(std::min(urgent_end_ - at, kFarthest));
}

// ---- the application

std::size_t Sender::room(const TcpConfig& config) const {
  return queue_.room(config.send_buffer);
}

void Sender::after_append(std::size_t octets, SendMode mode) {
  more_ = mode == SendMode::more;
  if (octets > 0) unpushed_ = more_;
  // [RFC 9293 MAY-15]
  if (mode == SendMode::push) release_end_ = queue_.end();
  if (mode == SendMode::push && octets > 0) push_end_ = queue_.end();
  if (mode == SendMode::urgent) {
    urgent_end_ = queue_.end();
    urgent_notice_ = true;
  }
}

void Sender::take_over(EarlyData& early) {
  queue_ = early.take_queue();
  push_end_ = early.push_end();
  urgent_end_ = early.urgent_end();
  urgent_notice_ = urgent_end_ > kSynOffset;
  more_ = unpushed_ = early.more();
}

// RFC 5681 §4.1: after a pause longer than the RTO the old window says nothing of the path.
void Sender::before_append(const Context& context, const TcpConfig& config) {
  if (!config.slow_start_after_idle || in_flight() || max_ == kFirstOctet) return;
  const Duration idle = context.now - last_sent_, rto = rtt_.rto(config);
  if (idle > rto) congestion_.on_restart_after_idle({.now = context.now, .idle = idle, .rto = rto});
}

void Sender::append(const Context& context, const TcpConfig& config, Octets octets, SendMode mode) {
  before_append(context, config);
  queue_.append(octets, context.blocks);
  after_append(octets.size(), mode);
}

void Sender::append_owned(const Context& context, const TcpConfig& config, Octets octets,
                          const std::shared_ptr<const void>& owner, SendMode mode) {
  before_append(context, config);
  queue_.append_owned(octets, owner, context.blocks);
  after_append(octets.size(), mode);
}

// tcp_update_pacing_rate and tcp_tso_autosize of Linux: twice the window a round trip in slow
// start, 1.2 times later; a 1024th of a second of that, and up to 64 KiB where the round trip is
// below 2 ms. tcp_cwnd_test: half a window at most, so that there are always two on the way.
std::uint32_t Sender::burst_segments(const TcpConfig& config) const {
  constexpr std::uint64_t kMost = 65536;
  const auto round_trip = static_cast<std::uint64_t>(std::max<std::int64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(rtt_.srtt()).count(), 1));
  const bool doubles = cwnd() < ssthresh() / 2;
  const std::uint64_t rate = std::uint64_t{cwnd()} * (doubles ? 200 : 120) * 10'000 / round_trip;
  const auto shift =
      std::chrono::duration_cast<std::chrono::microseconds>(rtt_.min_rtt()).count() >> 9;
  const std::uint64_t near = shift < 16 ? kMost >> shift : 0;
  const std::uint64_t octets = std::min((rate >> 10) + near, kMost);
  const auto paced =
      static_cast<std::uint32_t>(std::max<std::uint64_t>(octets / mss_, config.quirks.least_burst));
  return std::min(paced, std::max(cwnd() / mss_ / 2, 1u));
}

// What is in flight was too big (RFC 1191 §6.4), if it can have been: it goes again in smaller
// segments.
// [RFC 1191 3-1, 3-2, 3-3, 3-4, 6.1-2, 6.4-1, 6.4-3, 6.2-9, 6.4-6]
void Sender::set_mss(const Turn& turn, std::uint32_t mss) {
  path_mss_ = mss;
  mss = std::min(mss, mss_cap_);
  const bool smaller = mss < mss_;
  mss_ = mss;
  congestion_.on_mss(mss);
  if (smaller && flight_) flight_->on_smaller_segments(lend(turn));
}

std::string_view Sender::phase() const {
  switch (flight().state()) {
    case CaState::recovery:
      return "recovery";
    case CaState::loss:
      return "loss";
    default:
      return congestion_.in_slow_start() ? "slow start" : "congestion avoidance";
  }
}

void Sender::fill(TcpInfo& info, const TcpConfig& config) const {
  info.retransmits = retransmits_;
  info.backoff = rtt_.backoff();
  info.rto = rtt_.rto(config);
  info.rtt = rtt_.srtt();
  info.rttvar = rtt_.rttvar();
  info.min_rtt = rtt_.min_rtt();
  info.snd_mss = mss_;
  info.snd_cwnd = cwnd();
  info.congestion_control = congestion_.algorithm();
  info.pacing_rate = is_paced(config) ? congestion_.pacing_rate(rtt_.srtt()) : congestion::kUnpaced;
  info.snd_ssthresh = ssthresh();
  info.snd_wnd = window_;
  info.bytes_acked = static_cast<std::uint64_t>(std::min(una_, queue_.end()) - kFirstOctet);
  info.bytes_retrans = bytes_retransmitted_;
  info.bytes_sent =
      static_cast<std::uint64_t>(std::min(max_, queue_.end()) - kFirstOctet) + bytes_retransmitted_;
  info.total_retrans = total_retransmits_;
  info.notsent_bytes = static_cast<std::uint64_t>(queue_.end() - std::min(max_, queue_.end()));
  info.unacked_bytes = static_cast<std::uint64_t>(max_ - una_);
  flight().fill(info, rtt_);
}

// Where the RTO is pinned and nothing asks how long a round trip takes, when something was sent
// decides nothing.
loss::Times Sender::times_of(const TcpConfig& config) const {
  const bool measured = !is_rto_pinned(config) || sack_ ||
                        congestion_.algorithm() != CongestionControl::new_reno || is_paced(config);
  return measured ? loss::Times::decide : loss::Times::are_history;
}

// For the future a time counts only while something may yet ask for it.
auto Sender::fields(const TcpConfig& config) const {
  const auto& [space, una, nxt, max, wl1, wl2, urgent_end, push_end, release_end, oldest_at,
               heard_at, last_sent, window, max_window, mss, path_mss, mss_cap, retransmits, probes,
               probe_due, fin_queued, more, unpushed, urgent_notice, ecn, sack, slowed,
               total_retransmits, bytes_retransmitted, rtt, congestion, flight_box, queue] = *this;
  // Else it is set anew before it is read.
  const bool owes = in_flight() || !all_sent() || (fin_queued && !fin_acked());
  // It tells whether a peer with a shut window, or a silent one, is there.
  const bool doubts = window == 0 || probes > 0 || config.keep_alive.enabled;
  const loss::Times times = times_of(config);
  return base::fields(
      space, una, nxt, max, wl1, wl2, urgent_end, push_end, release_end,
      base::If{owes}.decides(oldest_at), base::If{doubts}.decides(heard_at),
      base::hashed_by(last_sent,
                      [&config, &heard_at, doubts](auto& h, Instant at) {
                        if (doubts) h.add(heard_at >= at);
                        if (h.takes_history() || config.slow_start_after_idle) h.add(at);
                      }),
      window, max_window, mss, path_mss, mss_cap, retransmits, probes, probe_due, fin_queued, more,
      unpushed, urgent_notice, ecn, sack, slowed, base::history(total_retransmits),
      base::history(bytes_retransmitted), base::If{times == loss::Times::decide}.decides(rtt),
      base::hashed_by(
          congestion,
          [this](auto& h, const auto& control) { control.hash_into(h, flight().delivered()); }),
      base::hashed_by(flight_box,
                      [this, times](auto& h, const auto&) { flight().hash_into(h, times); }),
      queue);
}

void Sender::hash_into(base::Hasher& hasher, const TcpConfig& config) const {
  hasher.add(fields(config));
}

}  // namespace estab::tcp
