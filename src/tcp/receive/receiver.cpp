#include "tcp/receive/receiver.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/public_fields.h"

namespace estab::tcp {

namespace {
// RFC 7323 §5.5: a TS.Recent this old says nothing any more (24 days).
constexpr Duration kTimestampLifetime = std::chrono::hours(24 * 24);
constexpr std::uint32_t kMaxWindowField = 0xffff;
// A buffer that grows may begin smaller than the blocks of some hundred small pieces are.
constexpr std::uint32_t kSmallPieces = 1 << 20;
constexpr Duration kLongestDelay = std::chrono::milliseconds(499);  // MUST-40
}  // namespace

Receiver::Receiver(const Opening& opening, std::uint32_t largest_segment, const TcpConfig& config,
                   Instant now)
    : space_(opening.irs),
      edge_(kFirstOctet + opening.receive_window),
      ts_recent_at_(now),
      ts_recent_(opening.ts_recent),
      largest_segment_(largest_segment),
      quick_acks_(config.quick_acks),
      shift_(opening.negotiated.receive_shift),
      sack_(opening.negotiated.sack) {
  // The peer's MSS says what it takes, not what it sends, but is a fair first guess; a larger
  // segment corrects it.
  const std::uint32_t guess = std::min<std::uint32_t>(opening.negotiated.peer_mss, 1460);
  segment_size_ = std::min(guess - opening.negotiated.option_octets(), largest_segment_);
}

// ---- first check

bool Receiver::check_acceptable(StreamOffset begin, std::uint32_t length) const {
  const bool begins_inside = begin >= nxt_ && begin < edge_;
  if (length == 0) return window() == 0 ? begin == nxt_ : begins_inside;
  if (window() == 0) return false;
  const StreamOffset last = begin + (length - 1);
  return begins_inside || (last >= nxt_ && last < edge_);
}

// [RFC 7323 5.5-1]
bool Receiver::check_paws(const TcpTimestamps& timestamps, Instant now) const {
  return !is_older(timestamps.value, ts_recent_) || now - ts_recent_at_ > kTimestampLifetime;
}

// [RFC 7323 3.2-3]
void Receiver::accept_timestamp(const TcpTimestamps& timestamps, StreamOffset begin, Instant now) {
  // [RFC 7323 4.3-1, 4.3-2, 4.3-3, 5.2-1]
  if (begin > last_ack_sent_) return;
  if (is_older(timestamps.value, ts_recent_) && now - ts_recent_at_ <= kTimestampLifetime) return;
  ts_recent_ = timestamps.value;
  ts_recent_at_ = now;
}

// ---- sixth check

bool Receiver::accept_urgent(StreamOffset end_of_urgent) {
  if (end_of_urgent <= urgent_end_ || end_of_urgent <= read_) return false;
  urgent_end_ = end_of_urgent;
  urgent_set_aside_ = false;
  out_of_band_.reset();
  return true;
}

// [RFC 9293 MUST-33]
std::optional<UrgentMark> Receiver::urgent(const TcpConfig& config) const {
  if (urgent_end_ <= read_ && !out_of_band_) return std::nullopt;
  const auto left = urgent_end_ > read_ ? static_cast<std::uint64_t>(urgent_end_ - read_) : 0;
  if (config.urgent_inline) {
    if (left == 0) return std::nullopt;
    return UrgentMark{left, std::nullopt};
  }
  return UrgentMark{left, out_of_band_};
}

// Out-of-band delivery (RFC 6093 §4): the last urgent octet leaves the stream once it is the next
// to be read; octets before it are read as usual.
void Receiver::set_aside_urgent(const Context& context, const TcpConfig& config) {
  if (config.urgent_inline || urgent_set_aside_ || urgent_end_ <= kFirstOctet || urgent_end_ > nxt_)
    return;
  const StreamOffset octet = urgent_end_ - 1;
  if (octet < read_) return;
  if (static_cast<std::size_t>(octet - read_) >= queue_.size()) return;  // the FIN's number
  if (!out_of_band_) out_of_band_ = queue_.octet_at(static_cast<std::size_t>(octet - read_));
  if (octet > read_) return;
  queue_.consume(1, context.blocks);
  read_ += 1;
  urgent_set_aside_ = true;
}

// ---- seventh and eighth check

void Receiver::on_refused(StreamOffset begin, std::uint32_t octets) {
  owe(SendReason::ack_unacceptable);
  note_duplicate({begin, std::min(begin + octets, nxt_)});
}

void Receiver::note_duplicate(OffsetRange range) {
  if (!sack_ || range.empty()) return;
  if (!gaps_) gaps_.emplace();
  gaps_->note_duplicate(range);
}

std::uint32_t Receiver::accept_text(const Context& context, const TcpConfig& config,
                                    StreamOffset begin, Incoming in, TimerTable& timers) {
  const StreamOffset end = begin + static_cast<std::int64_t>(in.octets.size());
  const OffsetRange again{begin, std::min(end, nxt_)};
  const StreamOffset from = std::clamp(nxt_, begin, end);
  const StreamOffset limit = std::min(end, fin_seen() ? std::min(fin_, edge_) : edge_);
  std::uint32_t octets = 0;
  if (from >= limit) {  // nothing new, or no room
    owe_duplicate();
  } else {
    const auto skip = static_cast<std::size_t>(from - begin);
    in.octets = in.octets.subspan(skip, static_cast<std::size_t>(limit - from));
    if (from > nxt_) {
      store_beyond_gap(context, config, from, in);
      // [RFC 9293 MAY-13] [RFC 5681 3.2-1]
      owe_duplicate();  // RFC 5681 §4.2: out-of-order data is acknowledged at once
    } else {
      octets = accept_next(context, config, in, timers);
    }
  }
  note_duplicate(again);  // last: of several duplicate parts the first counts (RFC 2883 §4.2)
  return octets;
}

// Text that begins with the expected octet. Where octets beyond a gap are held already, those stay:
// they came first.
std::uint32_t Receiver::accept_next(const Context& context, const TcpConfig& config, Incoming in,
                                    TimerTable& timers) {
  if (!gaps_ || gaps_->empty()) {
    accept_expected(context, config, in, timers);
    return static_cast<std::uint32_t>(in.octets.size());
  }
  learn_segment_size(in.octets.size());
  const StreamOffset before = nxt_;
  const StreamOffset end = nxt_ + static_cast<std::int64_t>(in.octets.size());
  OffsetRange again{};
  while (nxt_ < end) {
    const StreamOffset gap_end = gaps_->empty() ? end : std::min(gaps_->begin(), end);
    const bool whole = nxt_ == before && gap_end == end;
    const auto skip = static_cast<std::size_t>(nxt_ - before);
    const auto size = static_cast<std::size_t>(gap_end - nxt_);
    queue_.append({in.octets.subspan(skip, size), whole ? in.owner : nullptr}, context.blocks);
    nxt_ = gap_end;
    take_in_order(context);
    if (again.empty()) again = {gap_end, std::min(nxt_, end)};
  }
  note_duplicate(again);
  // [RFC 5681 3.2-2]
  owe(SendReason::ack_gap_filled);  // RFC 5681 §4.2: at once, filled in all or in part
  return static_cast<std::uint32_t>(nxt_ - before);
}

void Receiver::accept_expected(const Context& context, const TcpConfig& config, Incoming in,
                               TimerTable& timers) {
  const auto size = static_cast<std::uint32_t>(in.octets.size());
  learn_segment_size(size);
  queue_.append(in, context.blocks);  // first: without memory the octets were not received
  nxt_ += size;
  schedule_ack(context, config, size, timers);
}

// A full segment is as long as the longest that came, but never longer than announced: a device may
// have merged several.
void Receiver::learn_segment_size(std::size_t size) {
  if (size > segment_size_)
    segment_size_ = static_cast<std::uint32_t>(std::min<std::size_t>(size, largest_segment_));
}

// [RFC 9293 SHLD-31]
void Receiver::store_beyond_gap(const Context& context, const TcpConfig& config, StreamOffset begin,
                                Incoming in) {
  if (!gaps_) gaps_.emplace();
  const std::int64_t buffer =
      std::max<std::int64_t>(capacity(config), std::min(config.receive_buffer.most, kSmallPieces));
  const Reassembler::Limits limits{context.config.limits.out_of_order_pieces,
                                   static_cast<std::size_t>(buffer) * 2};
  if (gaps_->store(begin, in, limits, context.blocks) == Reassembler::Stored::refused)
    ++context.counters.out_of_order_refused;
}

void Receiver::take_in_order(const Context& context) {
  while (true) {
    queue_.make_room();
    auto piece = gaps_->take_next(nxt_, context.blocks);
    if (!piece) return;
    nxt_ += piece->size;
    queue_.append(std::move(*piece), context.blocks);
  }
}

bool Receiver::accept_fin(StreamOffset at) {
  if (fin_received_) return false;
  if (at < nxt_) return false;    // contradicts octets already received: not believed
  if (at >= edge_) return false;  // beyond the window, like any other octet
  // One that is in order counts, whatever had been said of places beyond.
  if (!fin_seen() || at == nxt_) fin_ = at;
  if (nxt_ != fin_) return false;
  nxt_ += 1;  // a FIN takes one number
  edge_ = std::max(edge_, nxt_);
  fin_received_ = true;
  if (gaps_) gaps_.reset();
  owe(SendReason::ack_immediate);
  return true;
}

// ---- acknowledging

// SHLD-18, SHLD-19: delay, but at least one ACK for every second full-sized segment.
void Receiver::schedule_ack(const Context& context, const TcpConfig& config, std::uint32_t octets,
                            TimerTable& timers) {
  unacknowledged_ += octets;
  if (due_) return;
  if (quick_acks_ > 0) {
    --quick_acks_;
    due_ = SendReason::ack_immediate;
    // [RFC 9293 SHLD-19]
  } else if (unacknowledged_ >= 2 * segment_size_ || config.delayed_ack <= Duration::zero()) {
    due_ = SendReason::ack_immediate;
  } else if (!timers.runs(Timer::delayed_ack)) {
    // [RFC 9293 SHLD-18, MUST-40]
    timers.set(Timer::delayed_ack, context.now + std::min(config.delayed_ack, kLongestDelay));
  }
}

void Receiver::set_quick_acks(std::uint8_t segments, TimerTable& timers) {
  quick_acks_ = segments;
  if (segments > 0 && timers.runs(Timer::delayed_ack) && !due_) due_ = SendReason::ack_immediate;
}

void Receiver::on_ack_sent(TimerTable& timers) {
  due_.reset();
  unacknowledged_ = 0;
  last_ack_sent_ = nxt_;
  timers.stop(Timer::delayed_ack);
}

// How far the window could reach: what the application has not read counts against its buffer.
StreamOffset Receiver::free_edge(const TcpConfig& config) const {
  return read_ + capacity(config);
}

// The scale is chosen with the buffer (offered_shift), but the buffer may be made smaller later.
// One below a unit of the scale counts as that unit: rounded down it could never be announced
// again.
std::int64_t Receiver::capacity(const TcpConfig& config) const {
  return std::max<std::int64_t>(growth_.size(config.receive_buffer), unit());
}

// Half of the buffer, as far as it can be announced: RFC 9293's Fr * RCV.BUFF.
std::int64_t Receiver::half(const TcpConfig& config) const {
  return capacity(config) / unit() * unit() / 2;
}

// RFC 9293 §3.8.6.2.2: the right edge moves only by a step worth having (MUST-39).
//
// A scaled window can only be announced in units of 2^shift. Rounding it up keeps the right edge
// from moving back; that may promise a little more than the buffer, and is done while the excess is
// below half of it. Beyond that the edge may seem to move back by less than one unit, which
// RFC 7323 §2.4 tells senders to expect; what had been promised is still accepted.
// [RFC 9293 SHLD-14, MUST-39] [RFC 7323 2.3-5, 2.4-2, 2.4-3]
std::uint16_t Receiver::announce(const TcpConfig& config) {
  const StreamOffset free = free_edge(config);
  const std::int64_t step = std::min<std::int64_t>(half(config), segment_size_);
  const StreamOffset edge = free - edge_ >= step ? free : edge_;
  std::int64_t units = (edge - nxt_) / unit();
  const StreamOffset rounded_up = nxt_ + (units + 1) * unit();
  const bool falls_short = nxt_ + units * unit() < edge_;
  if (falls_short && rounded_up - free <= half(config)) ++units;
  units = std::clamp<std::int64_t>(units, 0, kMaxWindowField);
  edge_ = std::max(edge_, nxt_ + units * unit());
  return static_cast<std::uint16_t>(units);
}

// [RFC 2018 4-1, 4-3, 4-2, 4-4, 4-5]
SackBlocks Receiver::sack_blocks() {
  if (!sack_ || !gaps_) return {};
  return gaps_->sack_blocks(space_, nxt_, SackBlocks::kMax, fin_);
}

// ---- the application

namespace {
std::size_t before(StreamOffset from, StreamOffset to, std::size_t most) {
  return to > from ? std::min(static_cast<std::size_t>(to - from), most) : most;
}
}  // namespace

// With an octet set aside, reading stops in front of it; then it is skipped.
std::size_t Receiver::readable() const {
  if (!out_of_band_ || urgent_set_aside_) return queue_.size();
  return before(read_, urgent_end_ - 1, queue_.size());
}

std::size_t Receiver::peek(std::span<Octets> views) const {
  std::size_t count = queue_.peek(views), left = readable();
  for (std::size_t i = 0; i < count; ++i) {
    views[i] = views[i].first(std::min(views[i].size(), left));
    left -= views[i].size();
    if (views[i].empty()) count = i;
  }
  return count;
}

std::size_t Receiver::read(const Context& context, const TcpConfig& config, MutableOctets into) {
  const std::size_t n = queue_.read(into.first(std::min(into.size(), readable())), context.blocks);
  read_ += static_cast<std::int64_t>(n);
  set_aside_urgent(context, config);
  if (sizing_) grow(context, config);
  return n;
}

void Receiver::consume(const Context& context, const TcpConfig& config, std::size_t octets) {
  queue_.consume(octets, context.blocks);
  read_ += static_cast<std::int64_t>(octets);
  set_aside_urgent(context, config);
  if (sizing_) grow(context, config);
}

// ---- the size of the buffer

void Receiver::time_full_segment(const Context& context, const loss::Echo& echo) {
  if (!sizing_) sizing_.emplace(context.now, read_);
  sizing_->on_text(context.now, nxt_, edge_, echo);
}

// No larger than can be told (RFC 7323 §2.3).
void Receiver::grow(const Context& context, const TcpConfig& config) {
  const auto wanted = sizing_->on_read(context.now, read_, segment_size_);
  if (!wanted) return;
  const std::uint64_t tellable = std::uint64_t{kMaxWindowField} << shift_;
  growth_.grow_to(context, config.receive_buffer, std::min(*wanted, tellable));
}

// [RFC 9293 MAY-8]
void Receiver::after_read(const TcpConfig& config) {
  if (fin_seen()) return;
  // What can be told: whole units, in 16 bits. Without scaling a large buffer cannot be shown, and
  // with much of it a small step cannot.
  const std::int64_t units =
      std::clamp<std::int64_t>((free_edge(config) - nxt_) / unit(), 0, kMaxWindowField);
  const std::int64_t opened = nxt_ + units * unit() - edge_;
  const std::int64_t most = half(config);
  // While the peer still has much room an update per read would only cost; when it has little, the
  // smallest step that avoids silly windows is worth a segment.
  const bool tight = window() < 2 * segment_size_;
  const std::int64_t step = tight ? segment_size_ : std::max<std::int64_t>(most / 4, segment_size_);
  if (opened >= std::min(most, step) && !due_) due_ = SendReason::window_update;
}

void Receiver::trim(const TcpConfig& config, BufferBudget& budget) {
  queue_.trim();
  if (gaps_ && gaps_->empty()) gaps_.reset();
  sizing_.reset();
  growth_.shrink_to(budget, config.receive_buffer, static_cast<std::uint64_t>(edge_ - read_));
}

void Receiver::release_all(BlockPool& pool, BufferBudget& budget) {
  growth_.give_back(budget);
  queue_.release_all(pool);
  if (gaps_) gaps_->release_all(pool);
  gaps_.reset();
}

void Receiver::fill(TcpInfo& info) const {
  info.rcv_wnd = window();
  info.rcv_wscale = shift_;
  info.bytes_received = static_cast<std::uint64_t>(nxt_ - kFirstOctet) - (fin_received_ ? 1 : 0);
  info.data_segs_in = text_segments_;
  info.recv_queue = queue_.size();
  info.reord_bytes = gaps_ ? gaps_->octets() : 0;
}

std::size_t Receiver::memory() const {
  return queue_.memory() + (gaps_ ? sizeof(Reassembler) + gaps_->memory() : 0) +
         (sizing_ ? sizeof(RightSizing) : 0);
}

auto Receiver::fields(const Negotiated& negotiated) const {
  const auto& [space, text_segments, nxt, edge, read, fin, urgent_end, last_ack_sent, ts_recent_at,
               ts_recent, largest_segment, segment_size, unacknowledged, due, out_of_band,
               duplicates_owed, quick_acks, shift, sack, fin_received, urgent_set_aside,
               echoes_congestion, growth, queue, gaps, sizing] = *this;
  const bool stamps = negotiated.timestamps;
  return base::fields(
      space, base::history(text_segments), nxt, edge, read, fin, urgent_end, last_ack_sent,
      base::If{stamps}.decides(ts_recent_at), base::If{stamps}.decides_timestamp(ts_recent),
      largest_segment, segment_size, unacknowledged, due, out_of_band, duplicates_owed, quick_acks,
      shift, sack, fin_received, urgent_set_aside, echoes_congestion, growth, queue, gaps, sizing);
}

void Receiver::hash_into(base::Hasher& hasher, const Negotiated& negotiated) const {
  hasher.add(fields(negotiated));
}

}  // namespace estab::tcp
