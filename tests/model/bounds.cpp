#include "model/bounds.h"

#include "model/host.h"
#include "tcp/open/secrets.h"

namespace estab::model {

namespace {

using namespace std::chrono_literals;

Bounds between(std::string name, std::string about) {
  Bounds bounds;
  bounds.name = std::move(name);
  bounds.about = std::move(about);
  for (const Side side : {Side::a, Side::b}) bounds.stack[index_of(side)] = plain_stack(side);
  bounds.applications[0].connects = true;
  bounds.applications[1].listens = Listening::at_any_time;
  return bounds;
}

/// Makes the ISN of a's first connection 2^32 - 1: its first octet has number 0.
void let_numbers_wrap(Bounds& bounds) {
  auto& seed = bounds.stack[index_of(Side::a)].seed;
  for (std::uint64_t i = 1;; ++i) {
    seed[0] = i;
    const SeqNum secret = tcp::Secrets(seed).initial_sequence(Host::tuple(Side::a), Instant());
    // The clock advances by 250 in a millisecond, and starts at a whole one.
    const std::uint32_t ticks = 0xffff'ffff - secret.value();
    if (ticks % 250 != 0 || ticks < 250'000) continue;
    bounds.start = Instant(std::chrono::milliseconds(ticks / 250));
    return;
  }
}

template <class Change>
void of_both(Bounds& bounds, Change change) {
  for (StackConfig& stack : bounds.stack) change(stack.tcp);
}

Bounds plain(Size size) {
  Bounds bounds = between("plain", "a opens, b listens; segments are lost and overtaken");
  bounds.applications[1].octets = size == Size::full ? 1 : 0;
  bounds.capacity = 2;
  bounds.losses = size == Size::full ? 1 : 0;
  bounds.firings = 1;
  let_numbers_wrap(bounds);
  bounds.at_least = size == Size::full ? 8'100'000 : 436'000;
  return bounds;
}

// Numbers do not wrap here: a RST in answer to a SYN has number 0 (RFC 9293 §3.5.2), and where the
// peer's ISN is 2^32 - 1 that is by chance the very number that resets its next connection.
Bounds both(Size size) {
  Bounds bounds = between("both", "both open and both listen, when they like");
  for (Applications& application : bounds.applications) {
    application.connects = true;
    application.listens = Listening::at_any_time;
    application.octets = 0;
  }
  bounds.capacity = size == Size::full ? 2 : 1;
  bounds.losses = 1;
  bounds.firings = 0;
  bounds.at_least = size == Size::full ? 4'300'000 : 104'000;
  return bounds;
}

Bounds simultaneous(Size size) {
  Bounds bounds =
      between("simultaneous", "both open, nobody listens: a connection, or two refusals");
  bounds.applications[1].listens = Listening::never;
  bounds.applications[1].connects = true;
  bounds.applications[1].octets = 0;
  bounds.capacity = size == Size::full ? 2 : 1;
  bounds.losses = size == Size::full ? 1 : 0;
  bounds.firings = 1;
  bounds.at_least = size == Size::full ? 8'100'000 : 41'000;
  return bounds;
}

// A buffer of two octets, which are read when the application likes: the window shuts, is probed
// and opens; what is left unread when the application closes makes a RST.
Bounds window(Size size) {
  Bounds bounds = between("window", "two octets of buffer at b, read late");
  bounds.applications[0].octets = size == Size::full ? 2 : 3;
  bounds.applications[1].octets = 0;
  bounds.applications[1].reading = Reading::at_any_time;
  bounds.stack[1].tcp.receive_buffer = 2;
  bounds.capacity = size == Size::full ? 2 : 1;
  bounds.firings = 1;
  bounds.at_least = size == Size::full ? 9'200'000 : 365'000;
  return bounds;
}

// Three segments under way: whichever comes first, the others fill a gap or make one.
Bounds segments(Size size) {
  Bounds bounds = between("segments", "an octet to a segment, SACK: gaps, and who fills them");
  bounds.applications[0].octets = 3;
  bounds.applications[1].octets = 0;
  of_both(bounds, [](TcpConfig& tcp) {
    tcp.mss_limit = 1;
    tcp.nagle = false;
    tcp.use_sack = true;
  });
  bounds.capacity = size == Size::full ? 3 : 2;
  bounds.losses = size == Size::full ? 1 : 0;
  bounds.firings = 0;
  let_numbers_wrap(bounds);
  bounds.at_least = size == Size::full ? 4'300'000 : 362'000;
  return bounds;
}

// ACKs are delayed and put together, as they are not with the settings of the others.
Bounds bursts(Size size) {
  Bounds bounds = segments(size);
  bounds.name = "bursts";
  bounds.about = "segments arrive together and are answered together; ACKs are delayed";
  of_both(bounds, [](TcpConfig& tcp) { tcp.quick_acks = 0; });
  bounds.applications[0].octets = 2;
  bounds.capacity = 2;
  bounds.losses = 0;
  bounds.bursts = 2;
  bounds.firings = size == Size::full ? 1 : 0;
  bounds.at_least = size == Size::full ? 8'700'000 : 314'000;
  return bounds;
}

// The network keeps to its MSL, which is the stacks'.
Bounds again(Size size) {
  Bounds bounds = between("again", "a opens twice: old segments meet the new connection");
  bounds.applications[0].opens = 2;
  bounds.applications[1].octets = 0;
  bounds.capacity = size == Size::full ? 2 : 1;
  bounds.firings = 0;
  bounds.lifetime = bounds.stack[0].msl;
  bounds.at_least = size == Size::full ? 24'800'000 : 142'000;
  return bounds;
}

// The second connection comes after timers have fired: the first one's TIME-WAIT among them.
Bounds later(Size size) {
  Bounds bounds = again(size);
  bounds.name = "later";
  bounds.about = "the same, with time between: retransmissions, TIME-WAIT and its end";
  bounds.applications[0].octets = size == Size::full ? 1 : 0;
  bounds.capacity = 1;
  bounds.duplicates = size == Size::full ? 1 : 0;
  bounds.firings = 1;
  bounds.at_least = size == Size::full ? 15'100'000 : 189'000;
  return bounds;
}

// A timer may fire: where none does, and no SYN is copied, no time passes. Then every segment has
// the same timestamp, PAWS has nothing to refuse, and what is left are the 15,261 states that there
// are without the option too.
Bounds timestamps(Size size) {
  Bounds bounds = between("timestamps", "with the timestamps option, and PAWS");
  of_both(bounds, [](TcpConfig& tcp) { tcp.use_timestamps = true; });
  bounds.applications[1].octets = 0;
  bounds.capacity = 2;
  bounds.duplicates = size == Size::full ? 1 : 0;
  bounds.firings = 1;
  bounds.at_least = size == Size::full ? 13'300'000 : 931'000;
  return bounds;
}

Bounds giving_up(Size size) {
  Bounds bounds = between("giving up", "R2 is two seconds: connections end because nobody answers");
  of_both(bounds, [](TcpConfig& tcp) { tcp.r2 = tcp.r2_syn = 2s; });
  bounds.ends_by_silence = true;
  bounds.applications[1].octets = 0;
  bounds.applications[1].stops_listening = size == Size::full;
  bounds.capacity = size == Size::full ? 2 : 1;
  bounds.losses = size == Size::full ? 0 : 1;
  bounds.firings = 2;
  bounds.at_least = size == Size::full ? 7'300'000 : 265'000;
  return bounds;
}

}  // namespace

// The RTO is pinned, so that how long something took makes no new state; buffers are small, so that
// numbers are.
StackConfig plain_stack(Side side) {
  StackConfig config{.seed = {7, index_of(side)}};
  TcpConfig& tcp = config.tcp;
  tcp.receive_buffer = tcp.send_buffer = 64;
  tcp.use_timestamps = tcp.use_window_scale = tcp.use_sack = false;
  tcp.rto_initial = tcp.rto_min = tcp.rto_max = 1s;
  tcp.slow_start_after_idle = false;
  tcp.congestion_control = CongestionControl::new_reno;  // it knows no time
  tcp.pacing = tcp.tail_loss_probe = tcp.detect_black_holes = false;
  tcp.r2_syn = 4s;
  return config;
}

// Those that take longest come first, so that two threads end at about the same time.
std::vector<Bounds> standard_bounds(Size size) {
  return {again(size), timestamps(size), window(size),       plain(size), giving_up(size),
          later(size), segments(size),   simultaneous(size), both(size),  bursts(size)};
}

std::optional<Bounds> standard_bounds(Size size, std::string_view name) {
  for (Bounds& bounds : standard_bounds(size))
    if (bounds.name == name) return std::move(bounds);
  return std::nullopt;
}

}  // namespace estab::model
