#include "tcp/ecn/reflector.h"

#include <algorithm>
#include <utility>

#include "tcp/ecn/negotiation.h"
#include "wire/tcp_options.h"

namespace estab::tcp {

namespace {

constexpr std::uint32_t kField = 0xffffff;  // 24 bits

}  // namespace

// A client tests with its first ACK and its first data segment whether options get through.
// [RFC 9768 3.2.3.2.1-4, 3.2.3.2.1-5, 3.2.3-7, 3.2.2.2-2]
Reflector::Reflector(std::optional<IpMark> syn_ack) {
  if (!syn_ack) return;
  tests_ = 2;
  on_syn_ack(*syn_ack);
}

// [RFC 9768 3.2.2.1-3, 3.2.2.2-4, 3.1.5-7]
void Reflector::on_syn_ack(IpMark mark) {
  syn_ack_ = mark;
  reflects_ = true;
  if (mark == IpMark::ce && !std::exchange(syn_ack_counted_, true)) ++cep_;
}

// [RFC 9768 3.2.2.1-1]
TcpFlags Reflector::take_reflection() {
  reflects_ = false;
  return reflection_of(syn_ack_);
}

void Reflector::count(std::uint64_t& counter, std::uint8_t which, std::uint32_t octets) {
  if (octets == 0) return;
  counter += octets;
  untold_ = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::uint64_t{untold_} + octets, kOverdue));
  changed_ |= which;
  ever_ |= which;
}

// The first CE mark behind a segment without one is told at once; so is every second, or third
// where the marks come on ACKs alone: those ACKs of ACKs must not go on for ever.
// [RFC 9768 3.2-1, 3.2-2, 3.2.2.5.1-1, 3.2.2.5.1-2, 3.2.2.5.1-3, 3.2.2.5.1-4, 3.2.2.5.1-5]
bool Reflector::on_segment(const Carrier& carrier, std::uint32_t octets,
                           Unacknowledged unacknowledged) {
  constexpr std::uint8_t kMarksWithData = 2, kMarksWithout = 3;
  const bool is_ce = carrier.mark == IpMark::ce;
  const bool turns = !std::exchange(was_ce_, is_ce) && octets > 0;
  switch (carrier.mark) {
    case IpMark::not_ect:
      return false;
    case IpMark::ect0:
      count(e0b_, kE0b, octets);
      return false;
    case IpMark::ect1:
      count(e1b_, kE1b, octets);
      return false;
    case IpMark::ce:
      break;
  }
  count(ceb_, kCeb, octets);
  cep_ += carrier.segments;
  since_ack_ =
      static_cast<std::uint8_t>(std::min<std::uint32_t>(since_ack_ + carrier.segments, 255));
  const bool some = unacknowledged == Unacknowledged::some || octets > 0;
  return turns || since_ack_ >= (some ? kMarksWithData : kMarksWithout);
}

// [RFC 9768 3.2-3, 3.2.3.1-1]
AccurateEcnOption Reflector::make_option(std::uint8_t counters) const {
  const auto fields = [counters](std::uint8_t first, std::uint8_t last) -> std::uint8_t {
    if ((counters & last) != 0) return 3;
    if ((counters & kCeb) != 0) return 2;
    return (counters & first) != 0 ? 1 : 0;
  };
  const std::uint8_t by_e0b = fields(kE0b, kE1b), by_e1b = fields(kE1b, kE0b);
  AccurateEcnOption option;
  option.order =
      by_e0b <= by_e1b ? AccurateEcnOption::Order::e0b_first : AccurateEcnOption::Order::e1b_first;
  option.fields = std::min(by_e0b, by_e1b);
  if (option.has_e0b()) option.e0b = static_cast<std::uint32_t>(e0b_ & kField);
  if (option.has_ceb()) option.ceb = static_cast<std::uint32_t>(ceb_ & kField);
  if (option.has_e1b()) option.e1b = static_cast<std::uint32_t>(e1b_ & kField);
  return option;
}

// [RFC 9768 3.2.3.3-3, 3.2.3.3-4, 3.2.3.3-5, 3.2.3.3-6, 3.2.3.3-10]
std::optional<AccurateEcnOption> Reflector::option(std::size_t room) const {
  if (!wants_option()) return std::nullopt;
  constexpr std::uint8_t kAll = kE0b | kE1b | kCeb;
  const AccurateEcnOption full = make_option(ever_ == 0 ? kAll : ever_);
  if (wire::accurate_ecn_room(full.fields) <= room) return full;
  if (changed_ == 0) return std::nullopt;
  const AccurateEcnOption least = make_option(changed_);
  if (wire::accurate_ecn_room(least.fields) <= room) return least;
  return std::nullopt;
}

void Reflector::on_sent(WithOption with) {
  since_ack_ = 0;
  if (with == WithOption::no) return;
  changed_ = 0;
  untold_ = 0;
  if (tests_ > 0) --tests_;
}

AccurateEcnOption Reflector::initial_option() {
  return {.fields = 3, .e0b = 1, .ceb = 0, .e1b = 1};
}

void Reflector::fill(TcpInfo& info) const {
  info.received_ce = cep_ - kInitialCep;
  info.received_e0_bytes = e0b_ - 1;
  info.received_e1_bytes = e1b_ - 1;
  info.received_ce_bytes = ceb_;
}

}  // namespace estab::tcp
