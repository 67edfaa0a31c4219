#include "paths/laws.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

namespace estab::paths {

namespace {
using namespace std::chrono_literals;

constexpr std::uint64_t kLargestPiece = 65536;
constexpr Duration kGrain = 1ms;  // the pacer's (tcp/send/pacer.h)

/// RFC 6928 §2.
std::uint64_t initial_window(const TcpConfig& config, std::uint64_t mss) {
  return std::min(config.initial_window_segments * mss, std::max<std::uint64_t>(2 * mss, 14'600));
}

bool is_retransmission(SendReason reason) {
  switch (reason) {
    case SendReason::retransmit_timeout:
    case SendReason::retransmit_fast:
    case SendReason::retransmit_partial:
    case SendReason::retransmit_smaller:
    case SendReason::retransmit_tail:
      return true;
    default:
      return false;
  }
}
}  // namespace

// ---- what the peer holds

std::int64_t Held::unwrapped(SeqNum number) const {
  const auto low = static_cast<std::uint32_t>(acknowledged_);
  const std::uint32_t offset = number.value() - first_->value();
  return acknowledged_ + static_cast<std::int32_t>(offset - low);
}

void Held::acknowledge(SeqNum number) {
  if (!first_) first_ = number;
  acknowledged_ = std::max(acknowledged_, unwrapped(number));
}

void Held::sack(SeqNum left, SeqNum right) {
  if (!first_) return;
  const std::int64_t begin = unwrapped(left), end = unwrapped(right);
  if (end <= acknowledged_) return;  // it came twice (RFC 2883)
  auto& known = ranges_[begin];
  known = std::max(known, end);
}

bool Held::has_all(SeqNum first, std::size_t length) const {
  if (!first_) return false;
  const std::int64_t begin = unwrapped(first);
  const std::int64_t end = begin + static_cast<std::int64_t>(length);
  if (end <= acknowledged_) return true;
  return std::ranges::any_of(ranges_, [&](const auto& range) {
    return range.second > acknowledged_ && range.first <= begin && end <= range.second;
  });
}

// ---- what happens

void SenderLaws::complain(Instant now, const std::string& what) {
  if (breach_.empty())
    breach_ = fmt::format("at {:.6f} s: {}",
                          static_cast<double>(now.time_since_epoch().count().value()) / 1e9, what);
}

void SenderLaws::on_trace(Instant now, const TraceEvent& event) {
  now_ = now;
  if (const auto* sent = std::get_if<SegmentSent>(&event)) {
    const Segment& segment = sent->segment;
    sent_ = Sent{sent->reason, segment.seq, segment.payload.size() + (segment.flags.fin() ? 1 : 0)};
    retransmits += is_retransmission(sent->reason);
    tail_probes += sent->reason == SendReason::retransmit_tail;
  }
  if (const auto* received = std::get_if<SegmentReceived>(&event)) note(*received);
  if (const auto* fired = std::get_if<TimerFired>(&event))
    timeouts += fired->timer == Timer::retransmit;
}

void SenderLaws::note(const SegmentReceived& received) {
  const Segment& segment = received.segment;
  if (!segment.flags.ack() ||
      (received.verdict != Verdict::accepted && received.verdict != Verdict::predicted))
    return;
  held_.acknowledge(segment.ack);
  for (std::size_t i = 0; i < segment.options.sack.size(); ++i)
    held_.sack(segment.options.sack[i].left, segment.options.sack[i].right);
}

void SenderLaws::on_frame(Instant now, const TappedFrame& frame) {
  const auto info = ask_();
  if (info) note_episode(*info);
  if (frame.direction != FrameDirection::sent || !sent_) return;
  if (info && info->snd_mss > 0) check(now, *sent_, *info);
  sent_.reset();
}

// ---- the laws

void SenderLaws::check(Instant now, const Sent& sent, const TcpInfo& info) {
  check_window(info);
  if (sent.length > 0) {
    if (is_retransmission(sent.reason) && held_.has_all(sent.seq, sent.length))
      complain(now, fmt::format("{} of {} octets, all of which the peer has said it holds",
                                name(sent.reason), sent.length));
    check_in_flight(sent, info);
    check_pace(now, sent, info);
  }
  const std::uint64_t most_held = config_.send_buffer.most + (std::uint64_t{1} << 17);
  if (info.notsent_bytes + info.unacked_bytes > most_held)
    complain(now, fmt::format("{} octets held, of {}", info.notsent_bytes + info.unacked_bytes,
                              config_.send_buffer.most));
  before_ = info;
}

// Never nothing, and never far beyond what has ever been of use.
void SenderLaws::check_window(const TcpInfo& info) {
  most_in_flight_ = std::max(most_in_flight_, info.in_flight_bytes);
  if (info.snd_cwnd < info.snd_mss)
    complain(now_, fmt::format("the congestion window is {}", info.snd_cwnd));
  first_ = std::max(first_, initial_window(config_, info.snd_mss));  // segments may become smaller
  std::uint64_t most = std::max(3 * most_in_flight_, first_) + first_;
  // Where the receiver's window keeps BBR back it allows for three pieces besides.
  if (info.congestion_control == CongestionControl::bbr) most += 3 * kLargestPiece;
  if (info.snd_cwnd > most)
    complain(now_, fmt::format("the congestion window is {}, though never more than {} were in "
                               "flight",
                               info.snd_cwnd, most_in_flight_));
}

// At each frame, as it goes and before the stack looks at one that has come.
void SenderLaws::note_episode(const TcpInfo& info) {
  const bool comes_down = (info.ca_state == CaState::recovery || info.ca_state == CaState::cwr) &&
                          info.congestion_control != CongestionControl::bbr;
  // What an undone timeout had taken for lost is in flight again, if the same ACK tells of a loss.
  if (info.undone > undone_) flight_before_ = info.unacked_bytes - info.sacked_bytes;
  undone_ = info.undone;
  if (comes_down && !comes_down_) episode_flight_ = flight_before_;
  comes_down_ = comes_down;
  flight_before_ = info.in_flight_bytes;
}

// While the window comes down what is in flight may be above it, but does not grow (RFC 9937). A
// probe goes whatever the window says (RFC 8985 §7.3).
void SenderLaws::check_in_flight(const Sent& sent, const TcpInfo& info) {
  const bool probe =
      sent.reason == SendReason::retransmit_tail || sent.reason == SendReason::zero_window_probe;
  if (probe || (before_ && before_->tail_probes != info.tail_probes)) return;
  std::uint64_t most = std::max(info.snd_cwnd, info.snd_mss) + 1;  // a FIN counts
  if (comes_down_) most = std::max(most, episode_flight_ + info.snd_mss);
  if (info.in_flight_bytes > most)
    complain(now_, fmt::format("{} octets in flight after {} of {}, with a window of {} in {}",
                               info.in_flight_bytes, name(sent.reason), sent.length, info.snd_cwnd,
                               name(info.ca_state)));
}

// The law of tcp/send/pacer.h. With nothing in flight, and up to the initial window, it may be a
// burst.
void SenderLaws::check_pace(Instant now, const Sent& sent, const TcpInfo& info) {
  if (info.pacing_rate == ~std::uint64_t{0} || sent.reason == SendReason::zero_window_probe) return;
  const std::uint64_t first = initial_window(config_, info.snd_mss);
  const bool begins =
      !before_ || before_->in_flight_bytes == 0 || info.in_flight_bytes <= sent.length;
  if (begins) burst_ = first;
  const bool is_small = info.snd_cwnd <= first;
  const bool is_probe = before_ && before_->tail_probes != info.tail_probes;
  const Duration pause(static_cast<std::int64_t>(sent.length * std::uint64_t{1'000'000'000} /
                                                 std::max<std::uint64_t>(info.pacing_rate, 1)));
  if (burst_ > 0) {
    burst_ -= std::min<std::uint64_t>(burst_, sent.length);
    next_departure_ = now;
    return;
  }
  if (!is_small && !is_probe && next_departure_ > now + kGrain + pause)
    complain(now,
             fmt::format("{} octets {} ns before their time, at {} octets a second", sent.length,
                         (next_departure_ - now).count().value(), info.pacing_rate));
  next_departure_ = std::max(next_departure_, now - kGrain) + pause;
}

}  // namespace estab::paths
