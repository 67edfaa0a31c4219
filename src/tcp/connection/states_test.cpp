// Every state × every kind of segment: what RFC 9293 §3.10.7, with RFC 5961 and RFC 1337, says is
// answered, and which state follows. In the templates {r} is RCV.NXT, {n} SND.NXT and {u} SND.UNA,
// relative as everywhere; {r+5} and the like are reckoned from them, and {z} is sequence number 0.

#include "stack/testing/peer.h"

namespace estab::script {
namespace {

struct Numbers {
  std::uint32_t r, n, u;
};

constexpr Numbers numbers_of(State state) {
  switch (state) {
    case State::syn_sent:
      return {0, 1, 0};
    case State::syn_received:
      return {1, 1, 0};
    case State::established:
      return {1, 1, 1};
    case State::fin_wait_1:
      return {1, 2, 1};
    case State::fin_wait_2:
      return {1, 2, 2};
    case State::close_wait:
      return {2, 1, 1};
    case State::closing:
    case State::last_ack:
      return {2, 2, 1};
    case State::time_wait:
      return {2, 2, 2};
    default:
      return {0, 0, 0};
  }
}

/// Puts numbers in the place of {r}, {n+1} and so on.
std::string fill_in(std::string_view pattern, Numbers numbers, std::uint32_t zero) {
  std::string text;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] != '{') {
      text += pattern[at];
      continue;
    }
    const std::size_t end = pattern.find('}', at);
    const char letter = pattern[at + 1];
    const std::string offset(pattern.substr(at + 2, end - at - 2));
    const std::uint32_t base = letter == 'r'   ? numbers.r
                               : letter == 'n' ? numbers.n
                               : letter == 'u' ? numbers.u
                                               : zero;
    const auto by = offset.empty() ? 0 : std::stoll(offset);
    text += std::to_string(base + static_cast<std::uint32_t>(by));
    at = end;
  }
  return text;
}

enum class Origin : std::uint8_t { usual, simultaneous };

struct Case {
  const char* in;
  const char* answer;  ///< empty: silence
  State then;
};

void enter(Peer& peer, State state, Origin origin) {
  if (origin == Origin::usual) return peer.reach(state);
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
}

void check(const Case& expected, State state, Family family, Origin origin = Origin::usual) {
  Peer peer(TcpConfig{}, family);
  enter(peer, state, origin);
  peer.forget_output();
  const Numbers numbers = numbers_of(state);
  const std::uint32_t zero = 0 - peer.stack_isn().value();
  peer.note("in " + std::string(name(state)));
  peer.in(fill_in(expected.in, numbers, zero) + " win 65535");
  if (*expected.answer) peer.out(fill_in(expected.answer, numbers, zero) + " <*>");
  peer.quiet();
  const bool listens = peer.stack().census().listeners > 0;
  const State then = expected.then == State::closed && listens ? State::listen : expected.then;
  EXPECT_EQ(peer.state(), then) << peer.story();
}

class States : public testing::TestWithParam<Family> {};
INSTANTIATE_TEST_SUITE_P(Families, States, both_families(), family_name);

// ---- states without a connection, and those of opening

TEST_P(States, InClosedEverySegmentIsAnsweredAsTheRfcSays) {
  const State closed = State::closed;
  for (const Case& each : {Case{"S 0:0(0)", "R. {z}:{z}(0) ack 1 win 0", closed},
                           Case{"S 0:10(10)", "R. {z}:{z}(0) ack 11 win 0", closed},
                           Case{"SF 0:10(10)", "R. {z}:{z}(0) ack 12 win 0", closed},
                           Case{"F 5:5(0)", "R. {z}:{z}(0) ack 6 win 0", closed},
                           Case{"P 5:15(10)", "R. {z}:{z}(0) ack 15 win 0", closed},
                           Case{"- 5:5(0)", "R. {z}:{z}(0) ack 5 win 0", closed},
                           Case{"S. 5:5(0) ack 7", "R 7:7(0) win 0", closed},
                           Case{". 5:5(0) ack 7", "R 7:7(0) win 0", closed},
                           Case{"P. 5:15(10) ack 7", "R 7:7(0) win 0", closed},
                           Case{"F. 5:5(0) ack 7", "R 7:7(0) win 0", closed},
                           Case{"R 5:5(0)", "", closed}, Case{"R. 5:5(0) ack 7", "", closed},
                           Case{"SR 5:5(0)", "", closed}, Case{"FR. 5:5(0) ack 7", "", closed}})
    check(each, closed, GetParam());
}

TEST_P(States, InListenEverySegmentIsAnsweredAsTheRfcSays) {
  const State listen = State::listen, received = State::syn_received;
  for (const Case& each :
       {Case{"S 0:0(0)", "S. 0:0(0) ack 1", received},
        Case{"S 0:10(10)", "S. 0:0(0) ack 1", received},
        Case{"SFPU 0:10(10)", "S. 0:0(0) ack 1", received},
        Case{"S. 5:5(0) ack 7", "R 7:7(0) win 0", listen},
        Case{". 5:5(0) ack 7", "R 7:7(0) win 0", listen},
        Case{"P. 5:15(10) ack 7", "R 7:7(0) win 0", listen},
        Case{"F. 5:5(0) ack 7", "R 7:7(0) win 0", listen}, Case{"R 5:5(0)", "", listen},
        Case{"R. 5:5(0) ack 7", "", listen}, Case{"SR 5:5(0)", "", listen},
        Case{"P 5:15(10)", "", listen}, Case{"F 5:5(0)", "", listen}, Case{"- 5:5(0)", "", listen}})
    check(each, listen, GetParam());
}

TEST_P(States, SynSent) {
  const State sent = State::syn_sent;
  for (const Case& each : {Case{"S. 0:0(0) ack 1", ". 1:1(0) ack 1", State::established},
                           Case{"S 0:0(0)", "S. 0:0(0) ack 1", State::syn_received},
                           Case{"S. 0:0(0) ack 0", "R 0:0(0) win 0", sent},
                           Case{"S. 0:0(0) ack 2", "R 2:2(0) win 0", sent},
                           Case{". 0:0(0) ack 0", "R 0:0(0) win 0", sent},
                           Case{". 0:0(0) ack 2", "R 2:2(0) win 0", sent},
                           Case{"P. 0:10(10) ack 2", "R 2:2(0) win 0", sent},
                           Case{"F. 0:0(0) ack 2", "R 2:2(0) win 0", sent},
                           Case{". 0:0(0) ack 1", "", sent},
                           Case{"P. 0:10(10) ack 1", "", sent},
                           Case{"F. 0:0(0) ack 1", "", sent},
                           Case{"PU. 0:10(10) ack 1", "", sent},
                           Case{"R. 0:0(0) ack 1", "", State::closed},
                           Case{"R. 0:0(0) ack 0", "", sent},
                           Case{"R. 0:0(0) ack 2", "", sent},
                           Case{"R 0:0(0)", "", sent},
                           Case{"SR. 0:0(0) ack 1", "", State::closed},
                           Case{"P 0:10(10)", "", sent},
                           Case{"F 0:0(0)", "", sent},
                           Case{"- 0:0(0)", "", sent}})
    check(each, sent, GetParam());
}

// What both ways into SYN-RECEIVED have in common.
constexpr std::array kSynReceived = {
    Case{". 1:1(0) ack 1", "", State::established},
    Case{". 51:51(0) ack 1", "", State::established},
    Case{"P. 1:11(10) ack 1", ". 1:1(0) ack 11", State::established},
    Case{"PU. 1:11(10) ack 1", ". 1:1(0) ack 11", State::established},
    Case{"F. 1:1(0) ack 1", ". 1:1(0) ack 2", State::close_wait},
    Case{"S 0:0(0)", "S. 0:0(0) ack 1", State::syn_received},
    Case{"S 200000:200000(0)", ". 1:1(0) ack 1", State::syn_received},
    Case{". 1:1(0) ack 0", "R 0:0(0) win 0", State::syn_received},
    Case{". 1:1(0) ack 2", "R 2:2(0) win 0", State::syn_received},
    Case{"P. 1:11(10) ack 2", "R 2:2(0) win 0", State::syn_received},
    Case{"F. 1:1(0) ack 2", "R 2:2(0) win 0", State::syn_received},
    Case{". 200000:200000(0) ack 2", "R 2:2(0) win 0", State::syn_received},
    Case{"S. 200000:200000(0) ack 0", "R 0:0(0) win 0", State::syn_received},
    Case{". 0:0(0) ack 1", ". 1:1(0) ack 1", State::syn_received},
    Case{". 200000:200000(0) ack 1", ". 1:1(0) ack 1", State::syn_received},
    Case{"P. 200000:200010(10) ack 1", ". 1:1(0) ack 1", State::syn_received},
    Case{"F. 200000:200000(0) ack 1", ". 1:1(0) ack 1", State::syn_received},
    Case{"R 2:2(0)", ". 1:1(0) ack 1", State::syn_received},
    Case{"R. 60000:60000(0) ack 1", ". 1:1(0) ack 1", State::syn_received},
    Case{"R 0:0(0)", "", State::syn_received},
    Case{"R 200000:200000(0)", "", State::syn_received},
    Case{"R 1:1(0)", "", State::closed},
    Case{"R. 1:5(4) ack 9", "", State::closed},
    Case{"P 1:11(10)", "", State::syn_received},
    Case{"F 1:1(0)", "", State::syn_received},
    Case{"- 1:1(0)", "", State::syn_received}};

// [RFC 9293 MUST-11]
TEST_P(States, SynReceivedFromListen) {
  for (const Case& each : kSynReceived) check(each, State::syn_received, GetParam());
  // Fourth: "return this connection to the LISTEN state".
  check({"S 50:50(0)", "", State::listen}, State::syn_received, GetParam());
}

// [RFC 9293 MUST-11]
TEST_P(States, SynReceivedFromSynSent) {
  for (const Case& each : kSynReceived)
    check(each, State::syn_received, GetParam(), Origin::simultaneous);
  // Fourth: "handle per the directions for synchronized states".
  check({"S 50:50(0)", ". 1:1(0) ack 1", State::syn_received}, State::syn_received, GetParam(),
        Origin::simultaneous);
  // Figure 7, line 6.
  check({"S. 0:0(0) ack 1", ". 1:1(0) ack 1", State::established}, State::syn_received, GetParam(),
        Origin::simultaneous);
}

// ---- the synchronized states

constexpr std::array kSynchronized = {State::established, State::fin_wait_1, State::fin_wait_2,
                                      State::close_wait,  State::closing,    State::last_ack,
                                      State::time_wait};
constexpr const char* kCurrent = ". {n}:{n}(0) ack {r}";  // what is said and what is expected

/// A kind of segment, and its answer in the seven states, which mostly stay as they are. An answer
/// of null: not looked at here.
struct Kind {
  const char* in;
  const char* usual;
  struct Exception {
    State state;
    const char* answer;
    State then;
  };
  std::vector<Exception> exceptions{};
};

void check(const Kind& kind, Family family) {
  for (const State state : kSynchronized) {
    Case expected{kind.in, kind.usual, state};
    for (const Kind::Exception& exception : kind.exceptions) {
      if (exception.state != state) continue;
      expected.answer = exception.answer;
      expected.then = exception.then;
    }
    if (expected.answer) check(expected, state, family);
  }
}

// Second check, RFC 5961 §3. TIME-WAIT is silent about every RST but the exact one.
// [RFC 9293 3.10.7.4-1, 3.10.7.4-2, 3.10.7.4-3] [RFC 5961 3.2-5]
TEST_P(States, SynchronizedMeetingAReset) {
  const Kind::Exception waits{State::time_wait, "", State::time_wait};
  for (const char* reset : {"R {r}:{r}(0)", "R. {r}:{r}(0) ack {u}", "R. {r}:{r+4}(4) ack {n+900}",
                            "RPFU. {r}:{r}(0) ack {u}", "SR {r}:{r}(0)"}) {
    Kind exact{reset, "", {}};
    for (const State state : kSynchronized) exact.exceptions.push_back({state, "", State::closed});
    check(exact, GetParam());
  }
  check({"R {r+1}:{r+1}(0)", kCurrent, {waits}}, GetParam());
  check({"R {r+65000}:{r+65000}(0)", kCurrent, {waits}}, GetParam());
  check({"R. {r+1}:{r+1}(0) ack {u}", kCurrent, {waits}}, GetParam());
  check({"R {r-1}:{r-1}(0)", ""}, GetParam());
  check({"R {r+65536}:{r+65536}(0)", ""}, GetParam());
  check({"R. {r+200000}:{r+200000}(0) ack {u}", ""}, GetParam());
}

// Fourth check, RFC 5961 §4: whatever the sequence number. (RFC 6191 for TIME-WAIT is tested in
// time_wait_test.cpp.)
// [RFC 9293 3.10.7.4-4, 3.10.7.4-5]
TEST_P(States, SynchronizedMeetingASyn) {
  const Kind::Exception skipped{State::time_wait, nullptr, State::time_wait};
  check({"S 0:0(0)", kCurrent}, GetParam());
  check({"S {r}:{r}(0)", kCurrent, {skipped}}, GetParam());
  check({"S {r+50}:{r+50}(0)", kCurrent, {skipped}}, GetParam());
  check({"S {r+200000}:{r+200000}(0)", kCurrent, {skipped}}, GetParam());
  check({"S {r-200000}:{r-200000}(0)", kCurrent}, GetParam());
  check({"S. 0:0(0) ack 1", kCurrent}, GetParam());
  check({"S. {r}:{r}(0) ack {u}", kCurrent}, GetParam());
  check({"S. {r+50}:{r+50}(0) ack {n}", kCurrent}, GetParam());
  check({"SF. {r}:{r+5}(5) ack {u}", kCurrent}, GetParam());
}

// Fifth check. TIME-WAIT is silent about empty segments (RFC 1337 H2: no war of ACKs).
// [RFC 9293 MAY-12, 3.10.7.4-6, 3.10.7.4-7]
TEST_P(States, SynchronizedMeetingAnAck) {
  const Kind::Exception silent{State::time_wait, "", State::time_wait};
  check({". {r}:{r}(0) ack {u}", ""}, GetParam());
  // Old: ignored, where it is not older than the connection.
  check({". {r}:{r}(0) ack {u-1}", kCurrent, {{State::fin_wait_2, "", State::fin_wait_2}, silent}},
        GetParam());
  check({". {r}:{r}(0) ack {u-65535}", kCurrent, {silent}}, GetParam());
  check({". {r}:{r}(0) ack {u-65536}", kCurrent, {silent}}, GetParam());  // RFC 5961 §5
  check({". {r}:{r}(0) ack {u-900000}", kCurrent, {silent}}, GetParam());
  check({". {r}:{r}(0) ack {n+1}", kCurrent, {silent}}, GetParam());  // never sent
  check({". {r}:{r}(0) ack {n+900000}", kCurrent, {silent}}, GetParam());
  check({". {r}:{r}(0) ack {n}",
         "",
         {{State::fin_wait_1, "", State::fin_wait_2},
          {State::closing, "", State::time_wait},
          {State::last_ack, "", State::closed}}},
        GetParam());
}

// First check.
TEST_P(States, SynchronizedMeetingASegmentOutsideTheWindow) {
  check({". {r-1}:{r-1}(0) ack {u}", kCurrent}, GetParam());  // a keep-alive
  check({". {r+65536}:{r+65536}(0) ack {u}", kCurrent}, GetParam());
  check({". {r+200000}:{r+200000}(0) ack {n}", kCurrent}, GetParam());
  check({"P. {r-1}:{r}(1) ack {u}", kCurrent}, GetParam());
  check({"P. {r-100}:{r-90}(10) ack {n}", kCurrent}, GetParam());
  check({"P. {r+200000}:{r+200010}(10) ack {u}", kCurrent}, GetParam());
  check({"F. {r-1}:{r-1}(0) ack {u}", kCurrent}, GetParam());  // the FIN again, where there was one
  check({"F. {r+200000}:{r+200000}(0) ack {u}", kCurrent}, GetParam());
  check({"PU. {r-10}:{r}(10) ack {u}", kCurrent}, GetParam());
}

// Sixth and seventh check: text is taken in three states, and ignored behind a FIN.
TEST_P(States, SynchronizedMeetingText) {
  const auto taken = [](const char* answer) {
    return std::vector<Kind::Exception>{{State::established, answer, State::established},
                                        {State::fin_wait_1, answer, State::fin_wait_1},
                                        {State::fin_wait_2, answer, State::fin_wait_2},
                                        {State::time_wait, kCurrent, State::time_wait}};
  };
  check({"P. {r}:{r+10}(10) ack {u}", "", taken(". {n}:{n}(0) ack {r+10}")}, GetParam());
  check({". {r}:{r+10}(10) ack {u}", "", taken(". {n}:{n}(0) ack {r+10}")}, GetParam());
  check({"PU. {r}:{r+10}(10) ack {u}", "", taken(". {n}:{n}(0) ack {r+10}")}, GetParam());
  check({"P. {r-1}:{r+9}(10) ack {u}", "", taken(". {n}:{n}(0) ack {r+9}")}, GetParam());
  check({"P. {r+5}:{r+15}(10) ack {u}", "", taken(kCurrent)}, GetParam());  // beyond a gap
  check({"P. {r}:{r+10}(10) ack {u-65536}", kCurrent}, GetParam());         // RFC 5961 §5
  check({"P. {r}:{r+10}(10) ack {n+1}", kCurrent}, GetParam());
}

// Eighth check.
TEST_P(States, SynchronizedMeetingAFin) {
  check({"F. {r}:{r}(0) ack {u}",
         kCurrent,
         {{State::established, ". {n}:{n}(0) ack {r+1}", State::close_wait},
          {State::fin_wait_1, ". {n}:{n}(0) ack {r+1}", State::closing},
          {State::fin_wait_2, ". {n}:{n}(0) ack {r+1}", State::time_wait}}},
        GetParam());
  check({"F. {r}:{r}(0) ack {n}",
         kCurrent,
         {{State::established, ". {n}:{n}(0) ack {r+1}", State::close_wait},
          {State::fin_wait_1, ". {n}:{n}(0) ack {r+1}", State::time_wait},
          {State::fin_wait_2, ". {n}:{n}(0) ack {r+1}", State::time_wait},
          {State::closing, nullptr, State::time_wait},  // a second FIN: no such peer
          {State::last_ack, "", State::closed}}},
        GetParam());
  check({"FP. {r}:{r+10}(10) ack {u}",
         kCurrent,
         {{State::established, ". {n}:{n}(0) ack {r+11}", State::close_wait},
          {State::fin_wait_1, ". {n}:{n}(0) ack {r+11}", State::closing},
          {State::fin_wait_2, ". {n}:{n}(0) ack {r+11}", State::time_wait}}},
        GetParam());
  check({"F. {r}:{r}(0) ack {n+1}", kCurrent}, GetParam());  // not to be believed: RFC 5961 §5
}

TEST_P(States, SynchronizedMeetingASegmentWithoutAck) {
  for (const char* in :
       {"P {r}:{r+10}(10)", "PU {r}:{r+10}(10)", "F {r}:{r}(0)", "- {r}:{r}(0)", "FP {r}:{r+3}(3)"})
    check({in, ""}, GetParam());
}

}  // namespace
}  // namespace estab::script
