#include "tcp/open/syn_cookie.h"

#include <algorithm>
#include <array>

#include "tcp/open/syn.h"

namespace estab::tcp {

namespace {

// The least is the least a connection ever has: rounding down must find something.
constexpr std::array<std::uint16_t, 8> kMss = {48, 216, 536, 1220, 1360, 1440, 1460, 8960};
constexpr std::uint32_t kTagMask = 0xffffff;
constexpr std::uint32_t kOptionsMask = 0x3f;
constexpr std::uint32_t kSackBit = 0x10;
constexpr std::uint32_t kEcnBit = 0x20;
constexpr std::uint32_t kNoScale = 0x0f;

std::uint64_t epoch_of(Instant now) {
  return static_cast<std::uint64_t>(
             std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count()) /
         64;
}

SeqNum encode(const Secrets& secrets, const FourTuple& tuple, SeqNum irs, std::uint64_t epoch,
              std::uint8_t mss_index) {
  const std::uint64_t tag = secrets.cookie_tag(tuple, irs, epoch, mss_index);
  return SeqNum(static_cast<std::uint32_t>((epoch & 31) << 27 | std::uint64_t{mss_index} << 24 |
                                           (tag & kTagMask)));
}

}  // namespace

void make_cookie(HalfOpen& h, const Secrets& secrets, Instant now) {
  const auto above = std::upper_bound(kMss.begin(), kMss.end(), h.negotiated.peer_mss);
  const auto index = static_cast<std::uint8_t>(
      above == kMss.begin() ? 0 : static_cast<std::size_t>(above - kMss.begin()) - 1);
  h.iss = encode(secrets, h.tuple, h.irs, epoch_of(now), index);
  if (h.negotiated.timestamps) return;
  h.negotiated.window_scale = h.negotiated.sack = false;
  if (h.negotiated.ecn == EcnMode::classic) h.negotiated.ecn = EcnMode::none;
  h.negotiated.send_shift = h.negotiated.receive_shift = 0;
}

std::uint32_t cookie_timestamp(const HalfOpen& h, std::uint32_t clock) {
  const std::uint32_t options = (h.negotiated.window_scale ? h.negotiated.send_shift : kNoScale) |
                                (h.negotiated.sack ? kSackBit : 0) |
                                (h.negotiated.ecn == EcnMode::classic ? kEcnBit : 0);
  const std::uint32_t stamped = (clock & ~kOptionsMask) | options;
  return stamped > clock ? stamped - (kOptionsMask + 1) : stamped;  // never ahead of the clock
}

namespace {

// AccECN needs no memory: who uses it tells a mark with the first ACK, and a count of five or six
// with the first text (RFC 9768 §5.1).
void recall_ecn(HalfOpen& h, const Segment& ack, std::uint32_t told, const TcpConfig& config) {
  if ((told & kEcnBit) != 0 && config.ecn != Ecn::off) {
    h.negotiated.ecn = EcnMode::classic;
  } else if (config.accurate_ecn != Ecn::off && ace_of(ack.flags) > 1) {
    h.negotiated.ecn = EcnMode::accurate;
  }
  h.negotiated.ect = h.negotiated.ecn != EcnMode::none;
}

}  // namespace

std::optional<HalfOpen> check_cookie(const Secrets& secrets, const FourTuple& tuple,
                                     const Segment& ack, const TcpConfig& config,
                                     std::uint16_t link_mtu, Instant now) {
  HalfOpen h;
  h.tuple = tuple;
  h.iss = ack.ack - 1;
  h.irs = ack.seq - 1;
  h.timestamp_offset = secrets.timestamp_offset(tuple);
  const auto index = static_cast<std::uint8_t>(h.iss.value() >> 24 & 7);
  const std::uint64_t epoch = epoch_of(now);
  const bool current = encode(secrets, tuple, h.irs, epoch, index) == h.iss;
  const bool previous = epoch > 0 && encode(secrets, tuple, h.irs, epoch - 1, index) == h.iss;
  if (!current && !previous) return std::nullopt;

  h.negotiated.peer_mss = kMss[index];
  h.mss = announced_mss(tuple.family(), link_mtu, config);
  h.window = syn_window(config);
  h.started_at = h.sent_at = now;
  const bool stamped = ack.options.timestamps && config.use_timestamps;
  const std::uint32_t options = stamped ? ack.options.timestamps->echo & kOptionsMask : 0;
  recall_ecn(h, ack, options, config);
  if (!stamped) return h;
  h.negotiated.timestamps = true;
  h.ts_recent = ack.options.timestamps->value;
  h.negotiated.sack = (options & kSackBit) != 0 && config.use_sack;
  const std::uint32_t shift = options & 0x0f;
  h.negotiated.window_scale = shift != kNoScale && config.use_window_scale;
  if (h.negotiated.window_scale) {
    h.negotiated.send_shift = static_cast<std::uint8_t>(std::min(shift, 14u));
    h.negotiated.receive_shift = offered_shift(config);
  }
  return h;
}

}  // namespace estab::tcp
