#include "properties/wire_laws.h"

#include <algorithm>
#include <sstream>

namespace estab::properties {

namespace {

/// The offset nearest to `near` that has this wire number.
std::int64_t offset_of(std::uint32_t number, std::uint32_t isn, std::int64_t near) {
  return near + static_cast<std::int32_t>(number - (isn + static_cast<std::uint32_t>(near)));
}

}  // namespace

WireCounts& WireCounts::operator+=(const WireCounts& o) {
  segments += o.segments;
  super_segments += o.super_segments;
  octets += o.octets;
  repeated_octets += o.repeated_octets;
  resets += o.resets;
  zero_windows += o.zero_windows;
  window_probes += o.window_probes;
  sack_blocks += o.sack_blocks;
  urgent += o.urgent;
  edge_back += o.edge_back;
  wrapped += o.wrapped;
  return *this;
}

WireLaws::WireLaws(const Scenario& scenario)
    : scenario_(scenario), taps_{Tap(*this, Side::a), Tap(*this, Side::b)} {}

void WireLaws::Tap::on_frame(Instant now, const TappedFrame& frame) {
  if (frame.direction == FrameDirection::sent) laws_.on_sent(now, side_, frame);
}

void WireLaws::complain(const std::string& what) {
  if (complaint_.empty()) complaint_ = where_ + what;
}

void WireLaws::on_sent(Instant now, Side side, const TappedFrame& frame) {
  std::ostringstream where;
  where << "at " << (now - scenario_.world.start).count() << " ns " << (side == Side::a ? "a" : "b")
        << " sent ";
  where_ = where.str();
  const RawFrame raw = read_frame(frame);
  if (!raw.wrong.empty()) return complain(raw.wrong);
  if (raw.segment) on_segment(side, *raw.segment);
}

std::int64_t WireLaws::Sending::begin() const {
  return offset_of(segment.seq, me().isn, me().sent_end);
}

void WireLaws::on_segment(Side side, const RawSegment& segment) {
  ++counts_.segments;
  counts_.super_segments += segment.gso_size != 0;
  counts_.resets += segment.rst;
  counts_.urgent += segment.urg;
  const bool from_a = side == Side::a;
  const auto key = from_a ? std::pair(segment.source_port, segment.destination_port)
                          : std::pair(segment.destination_port, segment.source_port);
  Connection& connection = connections_[key];
  const Sending s{segment, side, connection};
  if (segment.syn && s.me().fin && segment.seq != s.me().isn) connection.ambiguous = true;
  if (connection.ambiguous) return;
  check_flags(s);
  connection.was_reset = connection.was_reset || segment.rst;
  if (segment.rst) return;
  if (segment.syn) note_syn(s);
  if (connection.ambiguous) return;
  check_frame_size(s);
  check_options(s);
  check_sack(s);
  check_text(s);
  check_fin(s);
  if (!segment.has_ack) return;
  check_ack(s);
  check_window(s);
}

void WireLaws::check_frame_size(const Sending& s) {
  const std::size_t headers = s.segment.ip_header_length + s.segment.header_length;
  const std::size_t text = s.segment.gso_size ? s.segment.gso_size : s.segment.payload.size();
  const SimulationConfig::End& end = s.side == Side::a ? scenario_.world.a : scenario_.world.b;
  std::uint16_t mtu = end.interface.mtu;
  for (const MtuChange& change : scenario_.mtu_changes)
    if (change.side == s.side) mtu = std::max(mtu, change.mtu);
  if (headers + text > mtu) complain("more than fits the link");
  if (s.segment.gso_size && !end.interface.segmentation_v4) complain("a super-segment unasked for");
  if (s.segment.gso_size >= std::max<std::size_t>(s.segment.payload.size(), 1))
    complain("a super-segment of one part");
  // RFC 6691: the MSS counts no options, so they come off it.
  const std::size_t options = s.segment.header_length - 20;
  if (text + options > s.peer().mss && !s.segment.payload.empty())
    complain("more than the MSS the peer announced");
}

void WireLaws::check_flags(const Sending& s) {
  const RawSegment& segment = s.segment;
  if (segment.rst) {
    if (segment.syn || segment.fin || !segment.payload.empty()) complain("a RST with more in it");
    return;
  }
  if (segment.syn && segment.fin) complain("SYN and FIN together");
  if (segment.syn && !segment.payload.empty()) complain("text on a SYN");
  if (!segment.syn && !s.me().syn_sent) complain("a segment before any SYN");
  if (!segment.has_ack && (!segment.syn || s.me().ack_sent)) complain("no ACK after the handshake");
  if (!segment.has_ack && segment.ack != 0) complain("an acknowledgement number without ACK");
  if (!segment.urg && segment.urgent_pointer != 0) complain("an urgent pointer without URG");
  if (segment.urg && segment.urgent_pointer == 0) complain("an urgent pointer of nothing");
  s.me().ack_sent = s.me().ack_sent || segment.has_ack;
}

void WireLaws::note_syn(const Sending& s) {
  End& me = s.me();
  const RawSegment& segment = s.segment;
  if (me.syn_sent && me.isn != segment.seq) {
    const bool cookies = scenario_.world.a.stack.limits.syn_cache == 0;
    if (!cookies && !s.connection.was_reset && !me.fin) complain("another ISN than before");
    s.connection.ambiguous = true;
  }
  if (!segment.mss) complain("a SYN without MSS");
  const bool reply = segment.has_ack && s.peer().syn_sent;
  if (reply && ((segment.window_scale && !s.peer().window_scale) ||
                (segment.sack_permitted && !s.peer().sack_permitted) ||
                (segment.ts_value && !s.peer().timestamps)))
    complain("an option in a SYN-ACK that was not offered");
  me.isn = segment.seq;
  me.syn_sent = true;
  me.mss = segment.mss.value_or(536);
  me.window_scale = segment.window_scale;
  me.sack_permitted = segment.sack_permitted;
  me.timestamps = segment.ts_value.has_value();
  me.sent_end = std::max<std::int64_t>(me.sent_end, 1);
}

void WireLaws::check_options(const Sending& s) {
  const RawSegment& segment = s.segment;
  if (!segment.syn && (segment.mss || segment.window_scale || segment.sack_permitted))
    complain("an option that belongs on a SYN");
  if (!segment.syn && segment.ts_value.has_value() != s.connection.both_timestamps())
    complain("timestamps not as negotiated");
  if (!segment.ts_value) return;
  if (!segment.has_ack && segment.ts_echo.value_or(0) != 0) complain("TSecr without ACK");
  auto& last = s.me().last_ts_value;
  if (last && static_cast<std::int32_t>(*segment.ts_value - *last) < 0)
    complain("a timestamp older than the one before");
  last = segment.ts_value;
}

void WireLaws::check_sack(const Sending& s) {
  counts_.sack_blocks += s.segment.sack.size();
  if (s.segment.sack.empty()) return;
  if (!s.connection.both_sack()) complain("SACK blocks that nobody permitted");
  const End& peer = s.peer();
  const std::int64_t ack = offset_of(s.segment.ack, peer.isn, peer.sent_end);
  for (std::size_t i = 0; i < s.segment.sack.size(); ++i) {
    const std::int64_t left = offset_of(s.segment.sack[i].left, peer.isn, peer.sent_end);
    const std::int64_t right = offset_of(s.segment.sack[i].right, peer.isn, peer.sent_end);
    if (left >= right || right > peer.sent_end) complain("a SACK block of what was never sent");
    // Only the first may report a duplicate (RFC 2883).
    if (i > 0 && left <= ack) complain("a SACK block below the acknowledgement");
  }
}

void WireLaws::check_text(const Sending& s) {
  const RawSegment& segment = s.segment;
  End& me = s.me();
  const std::int64_t begin = s.begin();
  const std::int64_t end = begin + segment.length();
  const auto size = static_cast<std::int64_t>(segment.payload.size());
  counts_.octets += segment.payload.size();
  counts_.wrapped += size > 1 && segment.seq + static_cast<std::uint32_t>(size) < segment.seq;
  if (begin > me.sent_end) complain("a gap in what it sends");
  // A keep-alive repeats the last number, which may be the SYN's, without an octet.
  if (begin < 0 || (begin == 0 && segment.length() > 0 && !segment.syn))
    complain("a number before its first octet");
  if (size > 0) {
    counts_.repeated_octets += static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(std::min(me.sent_end, end) - begin, 0, size));
    const End& peer = s.peer();
    // What lies beyond the window may only be the one octet that probes it (RFC 9293 §3.8.6.1).
    const std::int64_t beyond = begin + size - peer.edge;
    if (beyond > 1 || (beyond == 1 && size != 1)) complain("octets beyond the peer's window");
    counts_.window_probes += beyond == 1;
  }
  me.sent_end = std::max(me.sent_end, end);
}

void WireLaws::check_fin(const Sending& s) {
  End& me = s.me();
  const std::int64_t text_end = s.begin() + static_cast<std::int64_t>(s.segment.payload.size());
  if (me.fin && !s.segment.payload.empty() && text_end > *me.fin) complain("octets behind its FIN");
  if (!s.segment.fin) return;
  if (me.fin && *me.fin != text_end) complain("a FIN at another place than before");
  if (text_end + 1 < me.sent_end) complain("a FIN before octets it has sent");
  me.fin = text_end;
}

void WireLaws::check_ack(const Sending& s) {
  End& me = s.me();
  const End& peer = s.peer();
  const std::int64_t ack = offset_of(s.segment.ack, peer.isn, peer.sent_end);
  if (ack > peer.sent_end) complain("an acknowledgement of what was never sent");
  if (ack < me.ack) complain("an acknowledgement that goes back");
  me.ack = std::max(me.ack, ack);
}

// "a TCP receiver SHOULD NOT shrink the window" (SHLD-14); with a scaled window its edge may seem
// to move back by less than one unit (RFC 7323 §2.4).
void WireLaws::check_window(const Sending& s) {
  End& me = s.me();
  const End& peer = s.peer();
  const bool scaled = !s.segment.syn && s.connection.both_scale();
  const std::int64_t unit = scaled ? std::int64_t{1} << std::min<int>(*me.window_scale, 14) : 1;
  const std::int64_t ack = offset_of(s.segment.ack, peer.isn, peer.sent_end);
  const std::int64_t edge = ack + s.segment.window * unit;
  counts_.zero_windows += s.segment.window == 0;
  if (edge < me.edge) {
    ++counts_.edge_back;
    if (me.edge - edge >= unit) {
      std::ostringstream what;
      what << "a window whose edge goes back by " << me.edge - edge << ", unit " << unit;
      complain(what.str());
    }
  }
  me.edge = std::max(me.edge, edge);
}

}  // namespace estab::properties
