#include "drill/flow.h"

#include "base/byte_order.h"
#include "drill/option_kinds.h"

namespace estab::drill {
namespace {

void shift_words(TcpOption& option, std::uint32_t shift) {
  for (std::size_t at = 0; at + 4 <= option.body.size(); at += 4)
    base::store_be32(option.body.data() + at, base::load_be32(option.body.data() + at) + shift);
}

void shift_sack(TcpSpec& tcp, std::uint32_t shift) {
  for (TcpOption& option : tcp.options)
    if (option.kind == option_kind::kSack && !option.verbatim) shift_words(option, shift);
}

}  // namespace

std::optional<Timestamps> timestamps_of(const TcpOption& option) {
  if (option.kind != option_kind::kTimestamps || option.body.size() != 8 || option.verbatim)
    return std::nullopt;
  return Timestamps{base::load_be32(option.body.data()), base::load_be32(option.body.data() + 4)};
}

void set_timestamps(TcpOption& option, const Timestamps& timestamps) {
  base::store_be32(option.body.data(), timestamps.value);
  base::store_be32(option.body.data() + 4, timestamps.echo);
}

const TcpOption* find_timestamps(const TcpSpec& tcp) {
  for (const TcpOption& option : tcp.options)
    if (timestamps_of(option)) return &option;
  return nullptr;
}

void Flow::learn_timestamp(std::uint32_t script, std::uint32_t wire) {
  if (!first_timestamp_script_) {
    first_timestamp_script_ = script;
    first_timestamp_wire_ = wire;
  }
  timestamps_[script] = wire;
}

std::optional<std::uint32_t> Flow::script_timestamp(std::uint32_t wire) const {
  if (!first_timestamp_script_) return std::nullopt;
  return wire - first_timestamp_wire_ + *first_timestamp_script_;
}

std::uint32_t Flow::echo_on_wire(std::uint32_t script) const {
  if (const auto known = timestamps_.find(script); known != timestamps_.end()) return known->second;
  if (script == 0 || !first_timestamp_script_) return script;
  return script - *first_timestamp_script_ + first_timestamp_wire_;
}

TcpSpec Flow::to_wire(TcpSpec tcp) const {
  tcp.seq += remote_shift_ + remote_base(tcp);
  if (tcp.ack) *tcp.ack += local_shift();
  shift_sack(tcp, local_shift());
  for (TcpOption& option : tcp.options)
    if (auto timestamps = timestamps_of(option)) {
      timestamps->echo = echo_on_wire(timestamps->echo);
      set_timestamps(option, *timestamps);
    }
  return tcp;
}

IcmpSpec Flow::to_wire(IcmpSpec icmp) const {
  if (icmp.quote && icmp.quote->protocol == IcmpSpec::Quote::Protocol::tcp)
    icmp.quote->seq += local_shift();
  return icmp;
}

TcpSpec Flow::to_script(TcpSpec tcp) const {
  const std::uint32_t theirs = remote_shift_ + remote_base(tcp);
  tcp.seq -= local_shift();
  if (tcp.ack) *tcp.ack -= theirs;
  shift_sack(tcp, 0 - theirs);
  return tcp;
}

}  // namespace estab::drill
