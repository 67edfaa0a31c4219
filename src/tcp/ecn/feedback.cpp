#include "tcp/ecn/feedback.h"

#include <algorithm>
#include <utility>

#include "tcp/ecn/negotiation.h"
#include "tcp/ecn/reflector.h"

namespace estab::tcp {

namespace {

constexpr std::uint32_t kAceValues = 8;  // DIVACE
constexpr std::uint32_t kFieldMask = 0xffffff;
constexpr std::uint32_t kFieldHalf = 1 << 23;

// Neither field can have wrapped to zero by then.
// [RFC 9768 3.2.3.2.4-1, 3.2.3.2.4-2, 3.2.3.2.4-4]
bool has_zeroed_field(const AccurateEcnOption& option) {
  return (option.has_e0b() && option.e0b == 0) || (option.has_e1b() && option.e1b == 0);
}

/// What was sent without ECT has to arrive so (RFC 3168 §18).
void judge(AccurateOpening& opening, std::optional<IpMark> reflected) {
  if (!reflected || *reflected == IpMark::not_ect) return;
  opening.may_mark = false;
  opening.met_congestion = *reflected == IpMark::ce;
}

bool is_pure(const Segment& ack) {
  return ack.payload.empty() && ack.options.sack.empty() && !ack.flags.syn();
}

}  // namespace

// [RFC 9768 3.2.2.2-3, 3.1.3-3]
AccurateOpening accurate_opening(const Segment& syn_ack, IpMark mark) {
  AccurateOpening opening{.syn_ack = mark};
  judge(opening, reflected_mark(ace_of(syn_ack.flags)));
  opening.option = syn_ack.options.accurate_ecn;
  return opening;
}

// Table 4. Zero is what a client says that has not entered this mode, or that somebody says for it.
// [RFC 9768 3.2.2.1-4, 3.2.2.1-5, 3.2.2.2-5, 3.1.5-15]
AccurateOpening accurate_opening(const Segment& ack, EcnPromise promise) {
  AccurateOpening opening{.may_mark = promise == EcnPromise::kept};
  opening.option = ack.options.accurate_ecn;
  if (!is_pure(ack)) return opening;
  opening.ack_reflects = true;
  judge(opening, reflected_mark(ace_of(ack.flags)));
  if (ace_of(ack.flags) == 0) opening.may_mark = opening.is_heard = false;
  return opening;
}

// A server's SYN-ACK that came with CE stands in the client's count; a client's SYN does not.
Feedback::Feedback(const AccurateOpening& opening)
    : cep_(Reflector::kInitialCep + (opening.met_congestion && !opening.syn_ack ? 1 : 0)),
      cep_at_option_(cep_),
      may_mark_(opening.may_mark),
      is_heard_(opening.is_heard),
      ack_reflects_(opening.ack_reflects) {
  if (!opening.option) return;
  options_ = has_zeroed_field(*opening.option) ? Options::ignored : Options::heard;
}

bool Feedback::is_superseded(const Ack& ack, const Delivered& delivered) {
  bool newer = false;
  if (ack.echo) {
    newer = !newest_echo_ || static_cast<std::int32_t>(*ack.echo - *newest_echo_) > 0;
    if (newer) newest_echo_ = ack.echo;
  }
  return delivered.octets == 0 && !newer;
}

// Two or three marks make an honest zero of what the count begins with, five or six: an ACK of
// fewer segments cannot bring it.
// [RFC 9768 3.2.2.4-1, 3.2.2.4-4]
void Feedback::check_zeroed(const Ack& ack, const Delivered& delivered) {
  constexpr std::uint32_t kMarksToZero = kAceValues - Reflector::kInitialCep - 1;
  if (!std::exchange(first_, false)) return;
  if (ack.ace == 0 && delivered.segments < kMarksToZero) may_mark_ = is_heard_ = false;
}

// A field that seems to go back is an old one.
// [RFC 9768 3.2.3.2.3-3]
Feedback::Gain Feedback::take_option(const Ack& ack) {
  if (!ack.option || !*ack.option || options_ == Options::ignored) return {};
  const AccurateEcnOption& option = **ack.option;
  options_ = Options::heard;
  const auto take = [](std::uint64_t& counter, std::uint32_t field) {
    const auto gain = (field - static_cast<std::uint32_t>(counter)) & kFieldMask;
    if (gain >= kFieldHalf) return std::uint32_t{0};
    counter += gain;
    return gain;
  };
  if (option.has_e0b()) take(e0b_, option.e0b);
  if (option.has_e1b()) take(e1b_, option.e1b);
  return {option.has_ceb() ? take(ceb_, option.ceb) : 0, true};
}

// Appendix A.2. ACKs that usually cover so much hide nothing by it.
// [RFC 9768 3.2.2.5.2-1, 3.2.2.5.2-4, 3.2.3.2.3-1, 3.2.3.2.4-3]
std::uint32_t Feedback::newly_marked(std::uint32_t least, const Delivered& delivered,
                                     const Gain& gain) const {
  constexpr std::uint32_t kUsuallyLong = 4 * 8;
  constexpr std::uint32_t kSafetyFactor = 2;
  if (delivered.segments < kAceValues) return least;
  const std::uint32_t safer =
      delivered.segments - ((delivered.segments - least) & (kAceValues - 1));
  if (gain.is_known && since_option_ == 0) {
    const bool possible = gain.ceb <= std::uint64_t{delivered.mss} * least;
    const bool likely = gain.ceb / safer < delivered.mss / kSafetyFactor;
    return possible && likely ? least : safer;
  }
  return average_ >= kUsuallyLong ? least : safer;
}

// Appendix A.3; what was guessed is not counted again when the option tells it.
std::uint32_t Feedback::marked_octets(std::uint32_t segments, const Delivered& delivered,
                                      const Gain& gain) {
  if (gain.is_known) {
    const std::uint32_t guessed = std::min(gain.ceb, std::exchange(estimated_, 0));
    return gain.ceb - guessed;
  }
  const std::uint32_t each =
      delivered.segments > 0 ? delivered.octets / delivered.segments : delivered.mss;
  const auto octets = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::uint64_t{segments} * each, kFieldMask));
  estimated_ = std::min(estimated_ + octets, kFieldMask);
  return octets;
}

// [RFC 9768 3.2.2-1, 3.2.3.2.5-1, 3.2.3.2.5-2, 3.2.2.1-5]
Feedback::Marked Feedback::on_ack(const Ack& ack, const Delivered& delivered) {
  if (std::exchange(ack_reflects_, false)) return {};
  if (is_superseded(ack, delivered)) return {};
  check_zeroed(ack, delivered);
  const Gain gain = take_option(ack);
  const std::uint32_t least = (ack.ace - static_cast<std::uint32_t>(cep_)) & (kAceValues - 1);
  Marked marked{.segments = newly_marked(least, delivered, gain)};
  cep_ += marked.segments;
  marked.octets = marked_octets(marked.segments, delivered, gain);
  since_option_ += std::min(delivered.segments, kFieldMask - since_option_);
  if (gain.is_known) {
    // Octets with CE in no packet with CE.
    const bool is_mangled = gain.ceb > 0 && cep_ == cep_at_option_ && since_option_ < kAceValues;
    if (is_mangled) may_mark_ = false;
    cep_at_option_ = cep_;
    since_option_ = 0;
  }
  average_ += std::min(delivered.segments, kFieldMask / 8) - average_ / 8;
  return is_heard_ ? marked : Marked{};
}

void Feedback::fill(TcpInfo& info) const {
  info.delivered_ce = cep_ - Reflector::kInitialCep;
  info.delivered_e0_bytes = e0b_ - 1;
  info.delivered_e1_bytes = e1b_ - 1;
  info.delivered_ce_bytes = ceb_;
}

}  // namespace estab::tcp
