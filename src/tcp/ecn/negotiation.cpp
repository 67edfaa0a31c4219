#include "tcp/ecn/negotiation.h"

#include "tcp/ecn/classic.h"

namespace estab::tcp {

namespace {

constexpr std::uint8_t kNothing = 0b000, kAgreesToClassic = 0b001, kClassic = 0b011,
                       kAccurate = 0b111;

/// SYNs that ask for AccECN: a lost one says little of the path (§3.1.4.1).
constexpr std::uint8_t kAccurateSyns = 2;

bool asks_for_accurate(TcpFlags syn) {
  return ace_of(syn) != kNothing && ace_of(syn) != kClassic;
}

}  // namespace

// Some drop what they do not know: a SYN that had to be repeated asks for less.
// [RFC 3168 6.1.1.1-2] [RFC 9768 3.1.1-1, 3.1.3-2, 3.1.4.1-1, 3.1.4.1-2, 3.1.5-3]
TcpFlags ecn_request(const TcpConfig& config, std::uint8_t repeats) {
  if (config.accurate_ecn == Ecn::request)
    return repeats < kAccurateSyns ? ace_flags(kAccurate) : TcpFlags();
  return config.ecn == Ecn::request && repeats == 0 ? kEcnSetupSyn : TcpFlags();
}

// Marks on the SYN itself decide nothing.
// [RFC 9768 3.1.1-2, 3.1.2-3, 3.1.2-4, 3.1.2-5, 3.1.3-1, 3.1.5-11, 3.1.5-18]
// [RFC 3168 6.1.1-1, 6.1.1-2, 6.1.1-7]
EcnMode answer_to_syn(TcpFlags syn, const TcpConfig& config) {
  if (config.accurate_ecn != Ecn::off && asks_for_accurate(syn)) return EcnMode::accurate;
  if (config.ecn != Ecn::off && is_ecn_setup_syn(syn)) return EcnMode::classic;
  return EcnMode::none;
}

// [RFC 9768 3.1.1-5, 3.1.2-1, 3.1.2-2, 3.1.2-6, 3.1.3-3] [RFC 3168 6.1.1-4]
EcnMode agreed_by_syn_ack(TcpFlags asked, TcpFlags syn_ack) {
  if (ace_of(asked) == kNothing) return EcnMode::none;
  if (ace_of(asked) == kClassic)
    return is_ecn_setup_syn_ack(syn_ack) ? EcnMode::classic : EcnMode::none;
  switch (ace_of(syn_ack)) {
    case kNothing:
    case kAccurate:  // it only sends back what it got
      return EcnMode::none;
    case kAgreesToClassic:
      return EcnMode::classic;
    default:
      return EcnMode::accurate;
  }
}

// Each end answers the other's SYN as a listener would.
// [RFC 9768 3.1.2-7, 3.1.2-8]
EcnMode agreed_by_syn(TcpFlags asked, TcpFlags syn) {
  if (ace_of(asked) == kNothing || ace_of(syn) == kNothing) return EcnMode::none;
  if (ace_of(asked) == kClassic || ace_of(syn) == kClassic)
    return is_ecn_setup_syn(syn) ? EcnMode::classic : EcnMode::none;
  return EcnMode::accurate;
}

// [RFC 9768 3.1.1-3, 3.2.2.1-1]
TcpFlags reflection_of(IpMark mark) {
  switch (mark) {
    case IpMark::not_ect:
      return ace_flags(0b010);
    case IpMark::ect1:
      return ace_flags(0b011);
    case IpMark::ect0:
      return ace_flags(0b100);
    case IpMark::ce:
      return ace_flags(0b110);
  }
  return TcpFlags();
}

std::optional<IpMark> reflected_mark(std::uint8_t ace) {
  switch (ace) {
    case 0b010:
      return IpMark::not_ect;
    case 0b011:
      return IpMark::ect1;
    case 0b100:
      return IpMark::ect0;
    case 0b110:
      return IpMark::ce;
    default:
      return std::nullopt;
  }
}

void SynsSeen::add(TcpFlags syn, IpMark came_with) {
  mark = came_with;
  without = without || ace_of(syn) == kNothing;
  classic = classic || ace_of(syn) == kClassic;
  accurate = accurate || asks_for_accurate(syn);
}

// [RFC 9768 3.1.5-4, 3.1.3-4, 3.1.1-4, 3.2.3.2.2-2] [RFC 3168 6.1.1-1]
TcpFlags syn_ack_flags(EcnMode mode, IpMark syn_mark, std::uint8_t repeats) {
  switch (mode) {
    case EcnMode::none:
      return TcpFlags();
    case EcnMode::classic:
      return kEcnSetupSynAck;
    case EcnMode::accurate:
      return repeats < kSynAcksWithEcn ? reflection_of(syn_mark) : TcpFlags();
  }
  return TcpFlags();
}

}  // namespace estab::tcp
