#include "oracle/generator.h"

#include <array>
#include <initializer_list>

#include "base/prng.h"

namespace estab::oracle {

namespace {

using Call = CallStep::Call;
using Base = Place::Base;

class Generator {
 public:
  explicit Generator(std::array<std::uint64_t, 2> seed) : chance_(seed) {}

  Sequence make() {
    sequence_.family = one_in(3) ? Family::ipv6 : Family::ipv4;
    sequence_.isn = SeqNum(draw_isn());
    timestamps_ = one_in(2);
    clock_ = pick<std::uint32_t>({100, 1'000'000, 0x7fffffff, 0xfffffffe, 0xffffff00});
    lead_in();
    const std::uint64_t hostile = 1 + chance_.below(6);
    for (std::uint64_t i = 0; i < hostile; ++i) hostile_step();
    return std::move(sequence_);
  }

 private:
  bool one_in(std::uint64_t n) { return chance_.below(n) == 0; }
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[chance_.below(choices.size())];
  }
  std::uint32_t draw_isn() {
    return one_in(2) ? pick<std::uint32_t>({0, 1, 0xffffffff, 0xfffffffe, 0xfffffff0, 0xfffff448,
                                            0x7fffffff, 0x7ffffff0, 0x80000000})
                     : static_cast<std::uint32_t>(chance_.next());
  }

  void call(Call what, std::uint32_t amount = 0) {
    sequence_.steps.push_back(CallStep{what, amount});
  }
  // A segment as the peer would send it now.
  SegmentStep proper(TcpFlags flags, std::uint16_t payload = 0) {
    SegmentStep step{.flags = flags, .payload = payload};
    if (timestamps_ && !flags.rst()) step.timestamps = TimestampStep{next_clock()};
    return step;
  }
  std::uint32_t next_clock() {
    ++clock_;
    if (clock_ == 0 && !one_in(8)) ++clock_;  // Linux takes 0 for none: not too often
    return clock_;
  }
  void segment(TcpFlags flags, std::uint16_t payload = 0) {
    sequence_.steps.push_back(proper(flags, payload));
  }

  // ---- the legal part
  SegmentStep opening(TcpFlags flags) {
    SegmentStep step = proper(flags);
    step.seq = {Base::origin, 0};
    if (!one_in(6)) step.mss = pick<std::uint16_t>({1460, 1460, 1440, 536, 1220, 9000, 65535});
    if (one_in(2)) step.window_scale = pick<std::uint8_t>({0, 1, 7, 8, 14});
    step.sack_permitted = one_in(2);
    if (one_in(6)) step.window = pick<std::uint16_t>({1, 100, 4000, 8000, 0});
    return step;
  }
  void begin_passively() {
    call(Call::listen);
    sequence_.steps.push_back(opening(kSyn));
  }
  void open_passively() {
    begin_passively();
    segment(kAck);
    if (!one_in(8)) call(Call::accept);
  }
  void open_actively() {
    call(Call::connect);
    sequence_.steps.push_back(opening(kSyn | kAck));
  }
  void open_at_once() {
    call(Call::connect);
    sequence_.steps.push_back(opening(kSyn));
    if (one_in(2)) return;
    SegmentStep reply = proper(kSyn | kAck);
    reply.seq = {Base::origin, 0};
    if (one_in(3)) reply = proper(kAck);
    sequence_.steps.push_back(reply);
  }
  void establish() {
    if (one_in(4)) {
      open_actively();
    } else {
      open_passively();
    }
    if (one_in(2)) call(Call::no_delay);
    for (std::uint64_t i = chance_.below(3); i > 0; --i) exchange();
  }
  void exchange() {
    switch (chance_.below(4)) {
      case 0:
        return segment(kAck | kPsh, draw_payload());
      case 1:
        return call(Call::write, draw_amount());
      case 2:
        call(Call::write, draw_amount());
        return segment(kAck);
      default:
        return call(Call::read, pick<std::uint32_t>({1, 10, 1000, 5000}));
    }
  }
  std::uint16_t draw_payload() { return pick<std::uint16_t>({1, 2, 10, 100, 500, 1000, 1400}); }
  std::uint32_t draw_amount() { return pick<std::uint32_t>({1, 10, 100, 1000, 3000, 6000}); }
  void end_ours() {
    call(pick({Call::shutdown_write, Call::shutdown_write, Call::close, Call::shutdown_both}));
  }

  void lead_in() {
    switch (chance_.below(14)) {
      case 0:
        return;  // CLOSED
      case 1:
        return call(Call::listen);
      case 2:
        return call(Call::connect);
      case 3:
        return begin_passively();
      case 4:
        return open_at_once();
      default:
        break;
    }
    establish();
    switch (chance_.below(9)) {
      case 0:  // FIN-WAIT-1
        return end_ours();
      case 1:  // FIN-WAIT-2
        end_ours();
        return segment(kAck);
      case 2:  // CLOSE-WAIT
        return segment(kFin | kAck);
      case 3:  // LAST-ACK
        segment(kFin | kAck);
        return end_ours();
      case 4:
        return close_at_once();
      case 5:  // TIME-WAIT
        end_ours();
        segment(kAck);
        return segment(kFin | kAck);
      default:
        return;  // ESTABLISHED
    }
  }
  void close_at_once() {  // CLOSING
    end_ours();
    SegmentStep fin = proper(kFin | kAck);
    fin.ack.delta = -1;
    sequence_.steps.push_back(fin);
  }

  // ---- the hostile part
  void hostile_step() {
    switch (chance_.below(16)) {
      case 0:
        return hostile_icmp();
      case 1:
      case 2:
      case 3:
        return hostile_call();
      case 4:
        return exchange();
      default:
        return hostile_segment();
    }
  }

  TcpFlags draw_flags() {
    if (one_in(24)) return TcpFlags(static_cast<std::uint8_t>(chance_.next()));
    return pick({kAck,
                 kAck,
                 kAck,
                 kAck,
                 kAck | kPsh,
                 kAck | kPsh,
                 kFin | kAck,
                 kFin | kAck,
                 kFin | kPsh | kAck,
                 kRst,
                 kRst,
                 kRst | kAck,
                 kSyn,
                 kSyn,
                 kSyn | kAck,
                 kSyn | kFin,
                 kSyn | kRst,
                 kFin,
                 kPsh,
                 TcpFlags(),
                 kUrg | kAck,
                 kUrg | kAck | kPsh,
                 TcpFlags(0xff),
                 kAck | kEce,
                 kAck | kCwr,
                 kSyn | kEce | kCwr,
                 kFin | kRst});
  }
  std::int32_t draw_offset() {
    return pick<std::int32_t>({-70000, -1461, -1460, -1000, -100,  -10,        -2,
                               -1,     1,     2,     10,    100,   1000,       1460,
                               1461,   3000,  32768, 65535, 70000, 0x7fffffff, -0x7fffffff});
  }
  Place draw_seq() {
    switch (chance_.below(8)) {
      case 0:
        return {Base::current, draw_offset()};
      case 1:
        return {Base::edge,
                pick<std::int32_t>({-1461, -1460, -101, -100, -10, -2, -1, 0, 1, 2, 10, 1000})};
      case 2:
        return {Base::current, pick<std::int32_t>({-2, -1, 1, 2, 10, 100})};
      case 3:
        return {Base::origin, pick<std::int32_t>({-1, 0, 1, 2})};
      default:
        return {Base::current, 0};
    }
  }
  Place draw_ack() {
    switch (chance_.below(6)) {
      case 0:
        return {Base::current, draw_offset()};
      case 1:
        return {Base::current, pick<std::int32_t>({-2, -1, 1, 2})};
      case 2:
        return {Base::origin, pick<std::int32_t>({-1, 0, 1, 2, 100})};
      default:
        return {Base::current, 0};
    }
  }
  void draw_timestamps(SegmentStep& step) {
    if (one_in(20)) {  // missing, or not asked for
      if (step.timestamps) {
        step.timestamps.reset();
      } else {
        step.timestamps = TimestampStep{clock_};
      }
    }
    if (!step.timestamps || step.ack != Place{} || !one_in(4)) return;
    step.timestamps->value =
        clock_ + pick<std::uint32_t>({0, 1, 10, 0xffffffff, 0xfffffff0, 0x7fffffff, 0x80000000,
                                      0x80000001, 100000});
    step.timestamps->echo = pick({TimestampStep::Echo::latest, TimestampStep::Echo::latest,
                                  TimestampStep::Echo::zero, TimestampStep::Echo::future});
  }
  void draw_sack(SegmentStep& step) {
    for (std::uint64_t i = 1 + chance_.below(3); i > 0; --i) {
      const Place left{pick({Base::current, Base::origin}),
                       pick<std::int32_t>({-2000, -1000, -100, -10, 0, 1, 100, 1000, 2000})};
      const Place right{left.base, left.delta + pick<std::int32_t>({-1, 0, 1, 10, 100, 1000})};
      step.sack.push_back({left, right});
    }
  }
  void draw_raw(SegmentStep& step) {
    using Raw = std::vector<std::uint8_t>;
    step.raw_options =
        pick<Raw>({Raw{1, 1, 1, 1}, Raw{0, 0, 0, 0}, Raw{2, 3, 5, 0}, Raw{2, 0, 0, 0},
                   Raw{8, 10, 0, 0}, Raw{253, 4, 1, 2}, Raw{3, 3, 15, 1}, Raw{2, 4, 0, 0},
                   Raw{2, 4, 0, 10}, Raw{254, 1, 0, 0}, Raw{19, 18, 0, 0}, Raw{34, 2, 1, 1},
                   Raw{5, 2, 1, 1}, Raw{5, 9, 1, 1}, Raw{255, 255, 255, 255}});
  }
  void draw_opening_options(SegmentStep& step) {
    if (one_in(3)) step.mss = pick<std::uint16_t>({0, 1, 47, 48, 64, 88, 535, 536, 1460, 65535});
    if (one_in(3)) step.window_scale = pick<std::uint8_t>({0, 1, 14, 15, 255});
    step.sack_permitted = one_in(3);
  }

  void hostile_segment() {
    SegmentStep step = proper(draw_flags());
    step.seq = draw_seq();
    step.ack = draw_ack();
    if (one_in(3)) step.payload = draw_payload();
    if (one_in(8)) step.window = pick<std::uint16_t>({0, 0, 1, 2, 536, 1460, 65534});
    if (step.flags.urg() || one_in(40))
      step.urgent_pointer = pick<std::uint16_t>({0, 1, 2, 10, 100, 1000, 65535});
    draw_timestamps(step);
    if (step.flags.syn()) draw_opening_options(step);
    if (one_in(16)) draw_sack(step);
    if (one_in(24)) draw_raw(step);
    if (one_in(24)) step.ecn = static_cast<std::uint8_t>(chance_.below(4));
    if (one_in(40)) step.reserved = static_cast<std::uint8_t>(chance_.below(16));
    if (one_in(40)) step.wrong_checksum = true;
    sequence_.steps.push_back(step);
  }

  void hostile_icmp() {
    using Kind = IcmpStep::Kind;
    IcmpStep step;
    step.kind = pick({Kind::net_unreachable, Kind::host_unreachable, Kind::port_unreachable,
                      Kind::protocol_unreachable, Kind::prohibited, Kind::too_big,
                      Kind::time_exceeded, Kind::parameter_problem, Kind::source_quench});
    if (step.kind == Kind::source_quench && sequence_.family == Family::ipv6)
      step.kind = Kind::too_big;  // ICMPv6 has none
    if (step.kind == Kind::too_big)
      step.mtu = pick<std::uint16_t>(
          {0, 1, 68, 500, 552, 576, 1000, 1279, 1280, 1400, 1499, 1500, 1501, 65535});
    step.seq = {pick({Base::current, Base::origin}),
                pick<std::int32_t>({-1000, -100, -10, -1, 0, 1, 1000})};
    sequence_.steps.push_back(step);
  }

  void hostile_call() {
    const Call what =
        pick({Call::write,          Call::write,         Call::write_urgent, Call::read,
              Call::read,           Call::peek,          Call::read_urgent,  Call::shutdown_read,
              Call::shutdown_write, Call::shutdown_both, Call::close,        Call::abort,
              Call::close_listener, Call::no_delay,      Call::poll,         Call::poll,
              Call::socket_error,   Call::unread,        Call::accept,       Call::connect,
              Call::listen});
    std::uint32_t amount = 0;
    if (what == Call::write || what == Call::write_urgent) amount = draw_amount();
    if (what == Call::read || what == Call::peek)
      amount = pick<std::uint32_t>({1, 10, 100, 1000, 5000});
    call(what, amount);
  }

  base::Prng chance_;
  Sequence sequence_;
  bool timestamps_ = false;
  std::uint32_t clock_ = 0;
};

}  // namespace

Sequence generate(std::uint64_t seed, std::uint64_t number) {
  return Generator({seed, number}).make();
}

}  // namespace estab::oracle
