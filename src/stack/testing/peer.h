// Peer: one Stack, virtual time, and a remote host played by the test in the notation of
// estab/notation.h.
//
//   Peer peer;
//   peer.listen();
//   peer.in("S 0:0(0) win 65535 <mss 1460>");
//   peer.out("S. 0:0(0) ack 1 win * <mss 1460>");
//   peer.in(". 1:1(0) ack 1 win 65535");
//   peer.quiet();
//
// Laws. Numbers are relative: the remote's to the ISN the test chose, the stack's to the one
// learned from its first SYN; the stack's timestamps to that SYN's, too. The payload at a place in
// either stream is always the same (see pattern), so what arrives is verified octet by octet. Every
// frame the stack sends is checked: lengths, checksums, reserved bits, an ACK bit on all but SYN
// and RST. What fails prints the story so far.
#pragma once

#include <cstdio>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "estab/notation.h"
#include "estab/stack.h"

#include "stack/testing/expectation.h"
#include "stack/testing/pattern.h"
#include "stack/testing/sent.h"
#include "wire/ip.h"
#include "wire/tcp.h"

namespace estab::script {

struct PeerOptions {
  Family family = Family::ipv4;
  StackConfig stack{.seed = {1, 2}};
  InterfaceConfig interface{.name = "test"};
  SeqNum remote_isn{0xfffff000};  ///< 4096 octets before the numbers wrap
};

/// How establish() opens.
struct Open {
  enum class Side : std::uint8_t { passive, active } side = Side::passive;
  std::string_view options = "mss 1460";  ///< of the remote's SYN, without the angle brackets
  std::uint16_t window = 65535;           ///< of the remote's segments
};
inline constexpr Open::Side kPassive = Open::Side::passive, kActive = Open::Side::active;

class Peer : private Observer {
 public:
  static constexpr std::uint16_t kLocalPort = 8080, kRemotePort = 40000;

  explicit Peer(const PeerOptions& options = {}) : options_(options), stack_(options.stack) {
    interface_ = stack_.add_interface(options.interface);
    const bool v4 = options.family == Family::ipv4;
    own_ = local_ = v4 ? IpAddress::v4(192, 0, 2, 1) : *IpAddress::parse("2001:db8::1");
    remote_ = v4 ? IpAddress::v4(192, 0, 2, 2) : *IpAddress::parse("2001:db8::2");
    const std::uint8_t length = v4 ? 24 : 64;
    EXPECT_TRUE(stack_.add_address(interface_, {local_, length}).has_value());
    stack_.set_observer(this);
  }
  explicit Peer(const TcpConfig& tcp, Family family = Family::ipv4)
      : Peer(PeerOptions{.family = family, .stack = {.seed = {1, 2}, .tcp = tcp}}) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // ---- what it is made of
  Stack& stack() { return stack_; }
  InterfaceId interface() const { return interface_; }
  IpAddress local() const { return local_; }
  /// The stack's own address, whoever the remote talks to.
  IpAddress own() const { return own_; }
  IpAddress remote() const { return remote_; }
  FourTuple tuple() const { return {local_, remote_, local_port_, remote_port_}; }
  Instant now() const { return now_; }
  /// Time since the beginning, or since mark().
  Duration elapsed() const { return now_ - mark_; }
  void mark() { mark_ = now_; }

  // ---- who is talking: each remote port is a conversation with numbers of its own
  void talk_from(std::uint16_t remote_port) { remote_port_ = remote_port; }
  /// From here on the remote talks to this address, or comes from that one.
  void aim_at(const IpAddress& address) { local_ = address; }
  void come_from(const IpAddress& address) { remote_ = address; }
  /// The stream of this conversation, which the test has got by itself.
  void take(StreamId stream) { talk().stream = stream; }
  /// A new connection between the same ports: numbers are learned anew.
  void start_over(SeqNum remote_isn) {
    talks_[remote_port_] = Talk{};
    talk().irs = remote_isn;
  }
  /// What numbers in the notation are relative to.
  SeqNum stack_isn() { return talk().iss; }
  SeqNum remote_isn() { return talk().irs; }
  /// The stack's timestamp clock when it sent its first SYN.
  std::uint32_t stack_clock() { return talk().clock; }
  StreamId stream() { return talk().stream; }
  ListenerId listener() const { return listener_; }

  // ---- segments
  /// The datagram that in() would hand in.
  OctetVector make(std::string_view notation, Location at = Location::current()) {
    Talk& t = talk();
    const auto noted = parse_segment(notation, t.irs, t.iss);
    if (!noted) {
      fail("no segment: " + noted.error(), at);
      return {};
    }
    Segment segment = noted->segment;
    segment.source_port = remote_port_;
    segment.destination_port = local_port_;
    if (segment.options.timestamps && segment.flags.ack())
      segment.options.timestamps->echo += t.clock;
    if (segment.options.timestamps && segment.flags.syn())
      t.remote_clock += segment.options.timestamps->value - remote_clock();
    const bool bare = notation.find('<') == std::string_view::npos;
    if (t.timestamps && bare && !segment.flags.rst())
      segment.options.timestamps =
          TcpTimestamps{remote_clock(), segment.flags.ack() ? t.last_clock : 0};
    const std::uint32_t first = segment.seq.value() - t.irs.value() + (segment.flags.syn() ? 1 : 0);
    const OctetVector payload = pattern(Stream::from_remote, first, noted->payload_length);
    segment.payload = payload;
    return datagram(segment);
  }
  /// A segment from the remote as a datagram, with its checksums.
  OctetVector datagram(const Segment& segment) const {
    std::array<std::uint8_t, wire::kMaxTcpHeaderLength> head;
    const std::size_t length = wire::emit_tcp(segment, head.data());
    const std::array<Octets, 1> pieces = {segment.payload};
    wire::finish_tcp_checksum({head.data(), length}, remote_, local_, pieces);
    wire::IpHeader ip{.source = remote_, .destination = local_};
    ip.protocol = wire::kProtocolTcp;
    OctetVector octets(wire::kIpV6HeaderLength + wire::kMaxIpV4Options);
    octets.resize(wire::emit_ip(ip, length + segment.payload.size(), octets.data()));
    octets.insert(octets.end(), head.begin(), head.begin() + static_cast<std::ptrdiff_t>(length));
    octets.insert(octets.end(), segment.payload.begin(), segment.payload.end());
    return octets;
  }
  /// The remote sends this segment. Returns what became of it.
  Verdict in(std::string_view notation, Location at = Location::current()) {
    const OctetVector octets = make(notation, at);
    tell("in   " + std::string(notation));
    return in_octets(octets);
  }
  /// A whole datagram arrives.
  Verdict in_octets(const OctetVector& octets) {
    const Verdict verdict = stack_.handle_frame(now_, interface_, {.octets = octets});
    tell("     -> " + std::string(name(verdict)));
    if (!gathering_) collect();
    return verdict;
  }
  /// Everything in() and the commands do in here happens before the stack is asked for output, as
  /// when frames come in a burst.
  template <class Act>
  void together(Act&& act) {
    gathering_ = true;
    act();
    gathering_ = false;
    collect();
  }

  /// Expects exactly this to be the next frame. `win` left out or `win *`: any window. `<*>`: any
  /// options; `...` among the options: others besides those named; `mss *`, `val *`, `ecr *`: any.
  /// With timestamps in use and no options named, a timestamps option and nothing else.
  Sent out(std::string_view notation, Location at = Location::current()) {
    collect();
    if (sent_.empty()) {
      fail("nothing was sent, but expected: " + std::string(notation), at);
      return {};
    }
    Sent sent = take();
    if (!sent.segment) {
      fail("no segment was sent, but expected: " + std::string(notation), at);
      return sent;
    }
    match(sent, notation, at);
    return sent;
  }
  /// The same, and that it was sent this long after mark(), to the microsecond.
  Sent out_at(Duration when, std::string_view notation, Location at = Location::current()) {
    Sent sent = out(notation, at);
    if (std::chrono::abs(sent.at - mark_ - when) >= 1us)
      fail("sent at " + time(sent.at) + ", expected at " + time(mark_ + when) + ": " +
               std::string(notation),
           at);
    return sent;
  }
  /// Expects that nothing (more) was sent.
  void quiet(Location at = Location::current()) {
    collect();
    if (!sent_.empty()) fail("sent, but expected quiet: " + describe(sent_.front()), at);
    sent_.clear();
  }
  /// The next frame of any kind, if there is one.
  std::optional<Sent> next() {
    collect();
    if (sent_.empty()) return std::nullopt;
    return take();
  }
  /// How many frames wait to be looked at.
  std::size_t waiting() {
    collect();
    return sent_.size();
  }
  void forget_output() {
    collect();
    sent_.clear();
  }

  // ---- time
  /// Lets time pass; every timer fires when it is due.
  void after(Duration span) {
    const Instant end = now_ + span;
    collect();
    for (Instant due = stack_.next_deadline(); due <= end; due = stack_.next_deadline()) {
      now_ = std::max({now_, due, last_tick_ == now_ ? now_ + 1us : now_});
      last_tick_ = now_;
      if (now_ > end) break;
      stack_.handle_deadline(now_);
      collect();
    }
    now_ = end;
    stack_.handle_deadline(now_);
    collect();
  }

  /// This host does not run for so long: no timer fires and nothing is sent.
  void sleep(Duration span) { now_ += span; }
  /// The same, and it goes on without having heard anything: what is due is done.
  void stand_still(Duration span) {
    collect();
    sleep(span);
    after(0s);
  }

  // ---- the application
  void listen(std::uint32_t backlog = 128, std::optional<TcpConfig> tcp = std::nullopt) {
    const auto made = stack_.listen({{local_, local_port_}, backlog, std::move(tcp)});
    ASSERT_TRUE(made.has_value()) << name(made.error());
    listener_ = *made;
    tell("app  listen");
  }
  Result<StreamId> connect(std::optional<TcpConfig> tcp = std::nullopt) {
    tell("app  connect");
    ConnectOptions to{.remote = {remote_, remote_port_}, .local_port = local_port_};
    to.tcp = std::move(tcp);
    const auto made = stack_.connect(now_, to);
    if (made) talk().stream = *made;
    if (!gathering_) collect();
    return made;
  }
  Result<StreamId> accept() {
    const auto made = stack_.accept(now_, listener_);
    tell(std::string("app  accept") + (made ? "" : ": nothing"));
    if (made) talk().stream = *made;
    return made;
  }
  /// Sends the next octets of the pattern; returns how many were taken.
  std::size_t send(std::size_t octets, SendMode mode = SendMode::normal) {
    const OctetVector data = pattern(Stream::from_stack, talk().sent, octets);
    const auto taken = stack_.send(now_, stream(), data, mode);
    tell("app  send " + std::to_string(octets) + outcome(taken));
    if (taken) talk().sent += static_cast<std::uint32_t>(*taken);
    if (!gathering_) collect();
    return taken.value_or(0);
  }
  /// Reads at most so many octets and verifies them; returns how many there were.
  std::size_t recv(std::size_t octets = 1 << 20, Location at = Location::current()) {
    OctetVector data(octets);
    const auto read = stack_.recv(now_, stream(), data);
    tell("app  recv " + std::to_string(octets) + outcome(read));
    if (!read) {
      collect();
      return 0;
    }
    data.resize(*read);
    if (data != pattern(Stream::from_remote, talk().received, *read))
      fail("recv gave other octets than were sent", at);
    talk().received += static_cast<std::uint32_t>(*read);
    if (!gathering_) collect();
    return *read;
  }
  /// Why recv gives no octets.
  std::optional<Error> recv_error() {
    std::uint8_t octet;
    const auto read = stack_.recv(now_, stream(), {&octet, 1});
    return read ? std::nullopt : std::optional(read.error());
  }
  Result<void> shutdown() { return command("shutdown", stack_.shutdown(now_, stream())); }
  Result<void> close() { return command("close", stack_.close(now_, stream())); }
  Result<void> abort() { return command("abort", stack_.abort(now_, stream())); }
  /// Changes the settings: `change(config)`.
  template <class Change>
  Result<void> reconfigure(Change&& change) {
    return command("reconfigure", stack_.reconfigure(now_, stream(), change));
  }
  /// Everything the stack has told about this stream since the last call, in one.
  StreamEvent told() {
    collect_events();
    StreamEvent all;
    std::deque<StreamEvent> others;
    for (const StreamEvent& event : events_) {
      if (event.stream != stream()) {
        others.push_back(event);
        continue;
      }
      all.connected |= event.connected;
      all.readable |= event.readable;
      all.writable |= event.writable;
      all.peer_closed |= event.peer_closed;
      all.urgent |= event.urgent;
      all.closed |= event.closed;
      if (event.failure) all.failure = event.failure;
      if (event.soft_error) all.soft_error = event.soft_error;
      if (event.reported) all.reported = event.reported;
    }
    events_ = std::move(others);
    all.stream = stream();
    return all;
  }
  /// Events that are not a stream's.
  std::vector<Event> other_events() {
    collect_events();
    return std::exchange(other_events_, {});
  }
  TcpInfo info() { return stack_.info(stream()).value_or(TcpInfo{}); }

  /// The state of this conversation, whatever record of the stack holds it; LISTEN if none does and
  /// the stack listens.
  State state() const {
    const auto found = states_.find(remote_port_);
    const State last = found == states_.end() ? State::closed : found->second;
    return last == State::closed && listener_ && stack_.local_endpoint(listener_) ? State::listen
                                                                                  : last;
  }

  // ---- shortcuts
  /// Brings a connection to ESTABLISHED; nothing is left to send or tell.
  void establish(const Open& open = {}, Location at = Location::current()) {
    const std::string win = " win " + std::to_string(open.window);
    const std::string options = " <" + std::string(open.options) + ">";
    if (open.side == kPassive) {
      if (!listener_) listen();
      in("S 0:0(0)" + win + options, at);
      out("S. 0:0(0) ack 1 <*>", at);
      if (both_timestamps(open)) use_timestamps();
      in(". 1:1(0) ack 1" + win, at);
      if (!accept()) fail("nothing to accept", at);
    } else {
      if (!connect()) fail("connect was refused", at);
      out("S 0:0(0) <*>", at);
      in("S. 0:0(0) ack 1" + win + options, at);
      if (both_timestamps(open)) use_timestamps();
      out(". 1:1(0) ack 1 <*>", at);
    }
    quiet(at);
    (void)told();
    (void)other_events();
  }
  /// Brings a connection to this state on the shortest way; SYN-RECEIVED is reached from LISTEN.
  /// The FIN of either side stands at 1, behind the SYN.
  void reach(State state, const Open& open = {}, Location at = Location::current()) {
    switch (state) {
      case State::closed:
        return;
      case State::listen:
        return listen();
      case State::syn_sent:
        if (!connect()) fail("connect was refused", at);
        out("S 0:0(0) <*>", at);
        return;
      case State::syn_received:
        listen();
        in("S 0:0(0) win " + std::to_string(open.window) + " <" + std::string(open.options) + ">",
           at);
        out("S. 0:0(0) ack 1 <*>", at);
        return;
      default:
        establish(open, at);
        close_until(state, open, at);
        (void)told();
    }
  }

  /// From here on in() adds timestamps to segments that name no options, and out() expects them.
  void use_timestamps() { talk().timestamps = true; }

  std::string story() const {
    std::string text = "\nThe story so far:\n";
    for (const std::string& line : story_) text += line + "\n";
    return text;
  }
  /// A line of the test's own in the story.
  void note(const std::string& line) { tell("---- " + line); }

 private:
  struct Talk {
    SeqNum iss{0x50000000};  // until learned
    bool learned = false;
    SeqNum irs{0};
    std::uint32_t remote_clock = 77;
    std::uint32_t clock = 0;       // TSval of the stack's first SYN
    std::uint32_t last_clock = 0;  // its latest TSval, to be echoed
    bool timestamps = false;       // in() adds them, out() expects them
    std::uint32_t sent = 1, received = 1;
    StreamId stream{};
  };

  Talk& talk() {
    const auto [at, fresh] = talks_.try_emplace(remote_port_);
    if (fresh) at->second.irs = options_.remote_isn;
    return at->second;
  }
  // The remote's timestamp clock: milliseconds, from what its SYN said.
  std::uint32_t remote_clock() {
    return talk().remote_clock + static_cast<std::uint32_t>(now_.time_since_epoch() / 1ms);
  }

  bool both_timestamps(const Open& open) const {
    return timestamps_offered_ && open.options.find("TS val") != std::string_view::npos;
  }

  void close_until(State state, const Open& open, Location at) {
    const std::string win = " win " + std::to_string(open.window);
    if (state == State::established) return;
    if (state == State::close_wait || state == State::last_ack) {
      in("F. 1:1(0) ack 1" + win, at);
      out(". 1:1(0) ack 2", at);
      if (state == State::close_wait) return;
      (void)shutdown();
      out("F. 1:1(0) ack 2", at);
      return;
    }
    (void)shutdown();
    out("F. 1:1(0) ack 1", at);
    if (state == State::fin_wait_1) return;
    if (state == State::closing) {
      in("F. 1:1(0) ack 1" + win, at);
      out(". 2:2(0) ack 2", at);
      return;
    }
    in(". 1:1(0) ack 2" + win, at);
    if (state == State::fin_wait_2) return;
    in("F. 1:1(0) ack 2" + win, at);
    out(". 2:2(0) ack 2", at);
  }

  // ---- what the stack sends
  void collect() {
    TransmitFrame frame;
    while (true) {
      last_reason_.reset();
      if (!stack_.poll_transmit(now_, frame)) return;
      Sent sent{.at = now_, .octets = {}};
      const std::string wrong = read_frame(sent, frame, stack_.interface(frame.interface)->mtu);
      sent.reason = last_reason_;
      if (sent.segment) learn(*sent.segment);
      sent_.push_back(std::move(sent));
      tell("out  " + describe(sent_.back()));
      if (!wrong.empty()) fail(wrong, Location::current());
      if (sent_.back().segment) check_payload(*sent_.back().segment);
    }
  }

  void learn(const Segment& segment) {
    const std::uint16_t before = std::exchange(remote_port_, segment.destination_port);
    Talk& t = talk();
    remote_port_ = before;
    const auto& timestamps = segment.options.timestamps;
    if (segment.flags.syn() && !t.learned) {
      t.learned = true;
      t.iss = segment.seq;
      t.clock = timestamps ? timestamps->value : 0;
    }
    if (segment.flags.syn()) timestamps_offered_ = timestamps.has_value();
    if (timestamps) t.last_clock = timestamps->value;
  }

  void check_payload(const Segment& segment) {
    const std::uint32_t first = segment.seq.value() - talks_[segment.destination_port].iss.value();
    const OctetVector expected =
        pattern(Stream::from_stack, first + (segment.flags.syn() ? 1 : 0), segment.payload.size());
    if (!std::equal(expected.begin(), expected.end(), segment.payload.begin()))
      fail("sent other octets than the application gave", Location::current());
  }

  Sent take() {
    Sent sent = std::move(sent_.front());  // moving the octets keeps the payload's view valid
    sent_.pop_front();
    return sent;
  }

  void match(const Sent& sent, std::string_view notation, Location at) {
    auto expected = Expectation::read(notation, talk().iss, talk().irs);
    if (!expected) return fail("expectation cannot be read: " + expected.error(), at);
    Segment& want = expected->noted.segment;
    if (want.options.timestamps) {
      want.options.timestamps->value += talk().clock;
    } else if (talk().timestamps && !expected->names_options && !want.flags.rst()) {
      want.options.timestamps = TcpTimestamps{};
      expected->any_value = expected->any_echo = true;
    }
    const bool to_us =
        sent.segment->destination_port == remote_port_ && sent.ip.destination == remote_;
    if (!to_us || !expected->is_met_by(*sent.segment))
      fail("expected: " + std::string(notation) + "\n    sent: " + describe(sent), at);
  }

  // ---- the story
  static std::string time(Duration span) {
    std::array<char, 32> text;
    (void)std::snprintf(text.data(), text.size(), "%11.6f",
                        static_cast<double>(span.count()) / 1e9);
    return text.data();
  }
  std::string time(Instant at) const { return time(at - mark_); }
  void tell(const std::string& line) { story_.push_back(time(now_) + " " + line); }
  void fail(const std::string& what, Location at) {
    ADD_FAILURE_AT(at.file_name(), static_cast<int>(at.line())) << what << story();
  }
  static std::string outcome(const Result<std::size_t>& result) {
    if (result) return " = " + std::to_string(*result);
    return " = " + std::string(name(result.error()));
  }
  Result<void> command(std::string_view what, Result<void> result) {
    tell("app  " + std::string(what) + (result ? "" : " = " + std::string(name(result.error()))));
    if (!gathering_) collect();
    return result;
  }
  std::string describe(const Sent& sent) {
    if (!sent.segment)
      return "protocol " + std::to_string(sent.ip.protocol) + ", " +
             std::to_string(sent.octets.size()) + " octets";
    const Talk& t = talks_[sent.segment->destination_port];
    Segment segment = *sent.segment;
    if (segment.options.timestamps) segment.options.timestamps->value -= t.clock;
    std::string text = to_string(segment, t.iss, t.irs);
    if (sent.segment->destination_port != remote_port_)
      text += " to port " + std::to_string(sent.segment->destination_port);
    if (sent.reason) text += "  (" + std::string(name(*sent.reason)) + ")";
    return text;
  }
  void collect_events() {
    while (const auto event = stack_.poll_event()) {
      if (const auto* of_stream = std::get_if<StreamEvent>(&*event)) {
        events_.push_back(*of_stream);
      } else {
        other_events_.push_back(*event);
      }
    }
  }

  void on_trace(Instant, const TraceEvent& event) override {
    if (const auto* sent = std::get_if<SegmentSent>(&event)) last_reason_ = sent->reason;
    if (const auto* changed = std::get_if<StateChanged>(&event)) {
      states_[changed->flow.remote_port] = changed->to;
      tell("     " + std::string(name(changed->from)) + " -> " + std::string(name(changed->to)));
    }
  }

  PeerOptions options_;
  Stack stack_;
  InterfaceId interface_;
  IpAddress local_, remote_, own_;
  std::uint16_t local_port_ = kLocalPort, remote_port_ = kRemotePort;
  ListenerId listener_{};
  Instant now_{1000s};
  Instant mark_{1000s};
  Instant last_tick_{};
  bool gathering_ = false;
  bool timestamps_offered_ = false;
  std::map<std::uint16_t, Talk> talks_;
  std::map<std::uint16_t, State> states_;
  std::deque<Sent> sent_;
  std::deque<StreamEvent> events_;
  std::vector<Event> other_events_;
  std::optional<SendReason> last_reason_;
  std::vector<std::string> story_;
};

/// A fixture for tests that hold for both families; instantiate it with both_families() and
/// family_name.
class EachFamily : public testing::TestWithParam<Family> {
 protected:
  Peer peer{TcpConfig{}, GetParam()};
};
inline auto both_families() {
  return testing::Values(Family::ipv4, Family::ipv6);
}
inline std::string family_name(const testing::TestParamInfo<Family>& family) {
  return family.param == Family::ipv4 ? "Ipv4" : "Ipv6";
}

}  // namespace estab::script
