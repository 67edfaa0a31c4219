#include "tcp/send/sender.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/public_fields.h"

namespace estab::tcp {

Sender::Sender(const Opening& opening, std::uint32_t mss, const TcpConfig& config)
    : space_(opening.iss, opening.send_window),
      mss_(mss),
      path_mss_(mss),
      says_cwr_(opening.negotiated.ecn == EcnMode::classic),
      sack_(opening.negotiated.sack),
      rtt_(config),
      congestion_(config.congestion_control,
                  {.mss = mss,
                   .seed = opening.iss.value(),
                   .initial_window_segments = static_cast<std::uint16_t>(
                       std::min<std::uint32_t>(config.initial_window_segments, 0xffff)),
                   .paced = config.pacing || config.congestion_control == CongestionControl::bbr}) {
  if (opening.rtt) rtt_.on_sample(*opening.rtt, config);
  // A mark counts as a loss would: that of a SYN too (RFC 9768 §3.2.2.2).
  // [RFC 9768 3.2.2.2-3, 3.2.2.2-5]
  if (opening.accurate.met_congestion) congestion_.on_syn_lost();
  if (!opening.syn_repeated) return;
  rtt_.on_syn_retransmitted(config);
  // [RFC 5681 3.1-5]
  congestion_.on_syn_lost();
}

const loss::Flight& Sender::flight() const {
  static const loss::Flight kNone;
  return flight_ ? *flight_ : kNone;
}

// What the SYN carried and its acknowledgement leaves out counts as not sent: nothing else is in
// flight, and it goes with the next segment in any case.
// [RFC 7413 4.2.2-8]
void Sender::begin_behind(std::uint32_t acked, BlockPool& pool) {
  if (acked == 0) return;
  const StreamOffset end = kFirstOctet + acked;
  space_.on_sent(end);
  space_.accept_ack(end);
  outgoing_.release_until(end, pool);
}

// ---- acknowledgements

// RFC 2018 §5, RFC 2883 §4. The first block may report octets that came twice: below the
// acknowledgement of the same segment, or within the second block.
// [RFC 2018 5-1] [RFC 2883 5-1]
void Sender::take_sack(const AckFacts& facts, loss::Flight::Ack& ack,
                       std::array<loss::OctetRange, SackBlocks::kMax>& blocks) const {
  std::size_t count = 0;
  const auto range_of = [&](const SackBlock& block) {
    return loss::OctetRange{space_.offset_of(block.left), space_.offset_of(block.right)};
  };
  for (std::size_t i = 0; i < facts.sack.size(); ++i) {
    const loss::OctetRange block = range_of(facts.sack[i]);
    if (block.begin >= block.end || block.end > space_.nxt()) continue;
    if (i == 0) {
      const auto second = facts.sack.size() > 1 ? std::optional(range_of(facts.sack[1]))
                                                : std::optional<loss::OctetRange>();
      const bool within = second && second->begin <= block.begin && block.end <= second->end;
      if (block.end <= facts.number || within) {
        ack.reported = block;
        continue;
      }
    }
    if (block.end <= ack.number) continue;
    blocks[count++] = {std::max(block.begin, ack.number), block.end};
  }
  ack.sacked = std::span(blocks.data(), count);
}

void Sender::accept_ack(const Turn& turn, const AckFacts& facts) {
  if (flight_ && (!sack_ || !facts.sack.empty()))
    flight_->make_room(static_cast<std::uint32_t>(2 * facts.sack.size() + 1));
  const bool advances = facts.number > space_.una();
  loss::Flight::Outcome outcome;
  if (flight_ && (advances || facts.is_duplicate || facts.answers_nothing ||
                  facts.echoes_congestion || !facts.sack.empty())) {
    std::array<loss::OctetRange, SackBlocks::kMax> blocks;
    loss::Flight::Ack ack{.number = std::max(facts.number, space_.una()),
                          .sacked = {},
                          .reported = {},
                          .is_duplicate = facts.is_duplicate,
                          .answers_nothing = facts.answers_nothing,
                          .echoes_congestion = facts.echoes_congestion,
                          .feedback = facts.feedback,
                          .told = facts.told,
                          .echo = facts.echo};
    if (sack_) take_sack(facts, ack, blocks);
    outcome = flight_->on_ack(lend(turn), ack);
  } else if (facts.feedback) {
    const Feedback::Marked marked = facts.feedback->on_ack(facts.told, {.mss = mss_});
    if (flight_ && marked.segments > 0) outcome = flight_->on_marked(lend(turn));
  }
  if (advances) accept_advance(turn, facts.number);
  if (outcome.is_least) slowed_ = true;
  if (space_.una() == space_.nxt()) {
    if (!slowed_) turn.timers.stop(Timer::retransmit);  // (5.2)
    turn.timers.stop(Timer::reordering);
  } else if (outcome.restarts_timer) {
    restart_retransmit_timer(turn);  // (5.3)
  }
  if (outcome.is_least) restart_retransmit_timer(turn);
  if (advances || turn.timers.runs(Timer::tail_probe))
    arrange_tail_probe(turn, advances ? Anew::yes : Anew::no);
  if (space_.check_window_update(facts.seq, facts.number)) accept_window(facts, turn.timers);
}

void Sender::accept_window(const AckFacts& facts, TimerTable& timers) {
  const auto change = space_.accept_window(facts.seq, facts.number, facts.window);
  if (change == SendSpace::WindowChange::none) return;
  timers.stop(Timer::persist);
  if (space_.window() > 0) probes_ = 0;
  // What waited for it has only now a chance to be acknowledged.
  if (change == SendSpace::WindowChange::opened) oldest_at_ = heard_at_;
}

void Sender::accept_advance(const Turn& turn, StreamOffset ack) {
  if (turn.config.quirks.ack_releases_more) outgoing_.forget_more();
  space_.accept_ack(ack);
  if (flight_) {
    flight_->tail_probe().cancel();  // it was heard of
    if (ack == space_.nxt() && !has_unsent())
      flight_->chronograph().turn_to(Chronograph::What::nothing, turn.now());
  }
  // [RFC 2018 8-5]
  outgoing_.release_until(ack, turn.context.blocks);
  retransmits_ = 0;
  probes_ = 0;
  probe_due_ = false;
  oldest_at_ = turn.now();
  turn.timers.stop(Timer::persist);
}

// ---- the application

// RFC 5681 §4.1: after a pause longer than the RTO the old window says nothing of the path.
void Sender::restart_after_idle(const Context& context, const TcpConfig& config) {
  if (!config.slow_start_after_idle || space_.in_flight() || space_.max() == kFirstOctet) return;
  const Duration idle = context.now - flight().last_sent(), rto = rtt_.rto(config);
  if (idle <= rto) return;
  congestion_.on_restart_after_idle({.now = context.now, .idle = idle, .rto = rto});
  if (flight_) flight_->on_restart(space_.nxt());
}

// What is under way, and as much again for the application to refill in its own time: it is told of
// room only when an ACK has made some. While losses are repaired what the peer holds beyond them
// is kept as well. BBR goes on probing meanwhile, and has three times its window (as in Linux).
void Sender::grow_buffer(const Context& context, const TcpConfig& config) {
  const std::uint64_t windows = congestion_.recovers_itself() ? 3 : 2;
  outgoing_.growth().grow_to(context, config.send_buffer,
                             windows * congestion_.congestion_window());
}

// tcp_update_pacing_rate and tcp_tso_autosize of Linux: twice the window a round trip in slow
// start, 1.2 times later; a 1024th of a second of that, and up to 64 KiB where the round trip is
// below 2 ms. tcp_cwnd_test: half a window at most, so that there are always two on the way.
std::uint32_t Sender::burst_segments(const TcpConfig& config) const {
  constexpr std::uint64_t kMost = 65536;
  const auto round_trip = static_cast<std::uint64_t>(std::max<std::int64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(rtt_.srtt()).count(), 1));
  const bool doubles = congestion_.congestion_window() < congestion_.ssthresh() / 2;
  const std::uint64_t rate =
      std::uint64_t{congestion_.congestion_window()} * (doubles ? 200 : 120) * 10'000 / round_trip;
  const auto shift =
      std::chrono::duration_cast<std::chrono::microseconds>(rtt_.min_rtt()).count() >> 9;
  const std::uint64_t near = shift < 16 ? kMost >> shift : 0;
  const std::uint64_t octets = std::min((rate >> 10) + near, kMost);
  const auto paced =
      static_cast<std::uint32_t>(std::max<std::uint64_t>(octets / mss_, config.quirks.least_burst));
  return std::min(paced, std::max(congestion_.congestion_window() / mss_ / 2, 1u));
}

bool Sender::continues_burst(const Turn& turn, std::uint32_t segments) const {
  return segments < burst_segments(turn.config) && may_fill_segment(turn);
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

void Sender::fill(TcpInfo& info, const TcpConfig& config, Instant now) const {
  info.retransmits = retransmits_;
  info.backoff = rtt_.backoff();
  info.rto = rtt_.rto(config);
  info.rtt = rtt_.srtt();
  info.rttvar = rtt_.rttvar();
  info.min_rtt = rtt_.min_rtt();
  info.snd_mss = mss_;
  info.snd_cwnd = congestion_.congestion_window();
  info.congestion_control = congestion_.algorithm();
  info.pacing_rate = is_paced(config) ? congestion_.pacing_rate(rtt_.srtt()) : congestion::kUnpaced;
  info.snd_ssthresh = congestion_.ssthresh();
  info.snd_wnd = space_.window();
  info.bytes_acked =
      static_cast<std::uint64_t>(std::min(space_.una(), outgoing_.end()) - kFirstOctet);
  info.bytes_sent =
      static_cast<std::uint64_t>(std::min(space_.max(), outgoing_.end()) - kFirstOctet);
  info.notsent_bytes =
      static_cast<std::uint64_t>(outgoing_.end() - std::min(space_.max(), outgoing_.end()));
  info.unacked_bytes = static_cast<std::uint64_t>(space_.max() - space_.una());
  flight().fill(info, rtt_, now);
  if (space_.max() > kFirstOctet) info.last_data_sent = now - flight().last_sent();
  info.last_ack_recv = now - heard_at_;
  info.last_data_recv = std::chrono::milliseconds(timestamp_clock(now, 0) - text_heard_);
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
  const auto& [space, mss, path_mss, mss_cap, text_heard, retransmits, probes, probe_due, says_cwr,
               sack, slowed, oldest_at, heard_at, rtt, congestion, flight_box, outgoing] = *this;
  // Else it is set anew before it is read.
  const bool owes = space.in_flight() || has_unsent();
  // It tells whether a peer with a shut window, or a silent one, is there.
  const bool doubts = space.window() == 0 || probes > 0 || config.keep_alive.enabled;
  const loss::Times times = times_of(config);
  return base::fields(
      space, mss, path_mss, mss_cap, retransmits, probes, probe_due, says_cwr, sack, slowed,
      base::If{owes}.decides(oldest_at), base::If{doubts}.decides(heard_at),
      base::history(text_heard), base::If{times == loss::Times::decide}.decides(rtt),
      base::hashed_by(
          congestion,
          [this](auto& h, const auto& control) { control.hash_into(h, flight().delivered()); }),
      base::hashed_by(flight_box,
                      [this, &config, &heard_at, doubts, times](auto& h, const auto&) {
                        const Instant last_sent = flight().last_sent();
                        if (doubts) h.add(heard_at >= last_sent);
                        if (h.takes_history() || config.slow_start_after_idle) h.add(last_sent);
                        flight().hash_into(h, times);
                      }),
      outgoing);
}

void Sender::hash_into(base::Hasher& hasher, const TcpConfig& config) const {
  hasher.add(fields(config));
}

}  // namespace estab::tcp
