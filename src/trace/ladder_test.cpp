#include "estab/ladder.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "trace/ladder_canvas.h"
#include "trace/ladder_script.h"

namespace estab::trace {
namespace {

constexpr LadderSide kA = LadderSide::left, kB = LadderSide::right;

LadderOptions with_msl() {
  LadderOptions options;
  options.msl = std::chrono::seconds(1);
  options.msl_remark = "shortened for this demonstration";
  return options;
}

// Data both ways that cross, a loss, a duplicate ACK, a timeout, a late arrival, a remark.
void mishaps(Script& script) {
  constexpr auto kOpen = State::established;
  const std::string hello = "P. 1:6(5) ack 1 win 256", first = ". 1:1001(1000) ack 1 win 256";
  const std::string lost = ". 1001:2001(1000) ack 6 win 256";
  const std::string last = "P. 2001:3001(1000) ack 6 win 256";
  const std::string gap = ". 6:6(0) ack 1001 win 256 <nop,nop,sack 2001:3001>";
  script.send(40, kA, hello, SendReason::data, kOpen, "hello");
  script.send(45, kB, first, SendReason::data, kOpen);
  script.arrive(50, kA, hello, kOpen, kOpen, Verdict::accepted, "hello");
  script.arrive(55, kB, first, kOpen, kOpen);
  script.send(56, kB, lost, SendReason::data, kOpen);
  script.send(56, kB, last, SendReason::data, kOpen);
  script.arrive(66, kB, last, kOpen, kOpen);
  script.send(66, kA, gap, SendReason::ack_duplicate, kOpen);
  script.arrive(76, kA, gap, kOpen, kOpen);
  script.note(100, kB, "B's application waits.");
  script.send(266, kB, lost, SendReason::retransmit_timeout, kOpen);
  script.arrive(290, kB, lost, kOpen, kOpen);
}

TEST(Ladder, DrawsTheHandshakeInWords) {
  Script script;
  handshake(script);
  EXPECT_EQ(render_ladder(script.recording()), R"(
          A                                                                             B
          10.0.0.1:49152                                                                10.0.0.2:80
    time  CLOSED       │                                                              │ LISTEN
                       │                                                              │
    0 ms  SYN-SENT     ├─── S 0:0(0) win 65535 ──────────────────────────────────────→│ SYN-RECEIVED
                       │    <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8>             │
                       │    SYN: A opens. A's first octet will be number 1 (ISN 1000  │
                       │    is counted 0). It offers MSS 1460, window scale 8         │
                       │    (windows in units of 256), SACK and timestamps.           │
                       │    [RFC 9293 §3.5]                                           │
                       │                                                              │
   10 ms  ESTABLISHED  │←── S. 0:0(0) ack 1 win 65535 ────────────────────────────────┤
                       │    <mss 1460,sackOK,TS val 7 ecr 1,nop,wscale 8>             │
                       │    SYN-ACK: B has A's SYN, expects its number 1 next, and    │
                       │    opens the other direction. B's first octet will be        │
                       │    number 1 (ISN 5000 is counted 0). It takes segments of    │
                       │    up to 1460 octets (MSS). Agreed: window scaling, SACK     │
                       │    and timestamps. [RFC 9293 §3.5]                           │
                       │                                                              │
   20 ms               ├─── . 1:1(0) ack 1 win 256 ──────────────────────────────────→│ ESTABLISHED
                       │    ACK of B's SYN: both directions have now been seen to     │
                       │    work. [RFC 9293 §3.5]                                     │
                       │                                                              │
  Numbers count from each side's initial sequence number: the SYN is 0, the first octet 1. One way
  takes 10 ms.
)" + 1);
}

TEST(Ladder, DrawsTheTeardownNarrowAndInAscii) {
  Script script;
  handshake(script);
  teardown(script, 100);
  LadderOptions options = with_msl();
  options.glyphs = Glyphs::ascii;
  options.width = 80;
  EXPECT_EQ(render_ladder(script.recording(), options), R"(
          A                                                         B
          10.0.0.1:49152                                            10.0.0.2:80
    time  CLOSED       |                                          | LISTEN
                       |                                          |
    0 ms  SYN-SENT     +--- S 0:0(0) win 65535 ------------------>| SYN-RECEIVED
                       |    <mss 1460,sackOK,TS val 1 ecr 0,nop,  |
                       |    wscale 8>                             |
                       |    SYN: A opens. A's first octet will    |
                       |    be number 1 (ISN 1000 is counted 0).  |
                       |    It offers MSS 1460, window scale 8    |
                       |    (windows in units of 256), SACK and   |
                       |    timestamps. [RFC 9293 section 3.5]    |
                       |                                          |
   10 ms  ESTABLISHED  |<-- S. 0:0(0) ack 1 win 65535 ------------+
                       |    <mss 1460,sackOK,TS val 7 ecr 1,nop,  |
                       |    wscale 8>                             |
                       |    SYN-ACK: B has A's SYN, expects its   |
                       |    number 1 next, and opens the other    |
                       |    direction. B's first octet will be    |
                       |    number 1 (ISN 5000 is counted 0). It  |
                       |    takes segments of up to 1460 octets   |
                       |    (MSS). Agreed: window scaling, SACK   |
                       |    and timestamps.                       |
                       |    [RFC 9293 section 3.5]                |
                       |                                          |
   20 ms               +--- . 1:1(0) ack 1 win 256 -------------->| ESTABLISHED
                       |    ACK of B's SYN: both directions have  |
                       |    now been seen to work.                |
                       |    [RFC 9293 section 3.5]                |
                       |                                          |
  100 ms  FIN-WAIT-1   +--- F. 1:1(0) ack 1 win 256 ------------->| CLOSE-WAIT
                       |    FIN: it takes one number (1). A has   |
                       |    no more to send; B may still send.    |
                       |    B's application learns: end of        |
                       |    stream. [RFC 9293 section 3.6]        |
                       |                                          |
  110 ms  FIN-WAIT-2   |<-- . 1:1(0) ack 2 win 256 ---------------+
                       |    ACK of A's FIN (1): that direction    |
                       |    has ended. B may go on sending: the   |
                       |    connection is half-closed. A now      |
                       |    waits for B's FIN, as long as B has   |
                       |    something to send.                    |
                       |    [RFC 9293 section 3.6.1]              |
                       |                                          |
  150 ms  TIME-WAIT    |<-- F. 1:1(0) ack 2 win 256 --------------+ LAST-ACK
                       |    FIN: it takes one number (1). Now B   |
                       |    has no more to send either: both      |
                       |    directions end.                       |
                       |    [RFC 9293 section 3.6]                |
                       |                                          |
  160 ms               +--- . 2:2(0) ack 2 win 256 -------------->| CLOSED
                       |    ACK of B's FIN (1): the last          |
                       |    segment. TIME-WAIT: A waits 2 MSL (2  |
                       |    x 1 s, shortened for this             |
                       |    demonstration): one MSL so that this  |
                       |    last ACK can arrive, one more so      |
                       |    that a repeated FIN could come back.  |
                       |    B's FIN is acknowledged: it is done,  |
                       |    and needs no wait.                    |
                       |    [RFC 9293 section 3.6.1 (MUST-13)]    |
                       |                                          |
 2160 ms  CLOSED       *    2 MSL have passed and nothing came:   |
                       |    A forgets the connection.             |
                       |    [RFC 9293 section 3.10.8]             |
                       |                                          |
  Numbers count from each side's initial sequence number: the SYN is 0, the
  first octet 1. One way takes 10 ms.
)" + 1);
}

TEST(Ladder, DrawsWhatCrossesAndWhatIsLostWithoutWords) {
  Script script;
  handshake(script);
  mishaps(script);
  LadderOptions options;
  options.wording = Wording::hidden;
  EXPECT_EQ(render_ladder(script.recording(), options), R"(
          A                                                                             B
          10.0.0.1:49152                                                                10.0.0.2:80
    time  CLOSED       │                                                              │ LISTEN
    0 ms  SYN-SENT     ├─── S 0:0(0) win 65535 ──────────────────────────────────────→│ SYN-RECEIVED
                       │    <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8>             │
   10 ms  ESTABLISHED  │←── S. 0:0(0) ack 1 win 65535 ────────────────────────────────┤
                       │    <mss 1460,sackOK,TS val 7 ecr 1,nop,wscale 8>             │
   20 ms               ├─── . 1:1(0) ack 1 win 256 ──────────────────────────────────→│ ESTABLISHED
   40 ms               ├─── P. 1:6(5) ack 1 win 256 ──────────── ① ┄┄┄                │
   45 ms               │                ┄┄┄ ② ── . 1:1001(1000) ack 1 win 256 ────────┤
   50 ms               │                ┄┄┄ ① ───────────────────────────────────────→│
   55 ms               │←─────────────────────────────────────── ② ┄┄┄                │
   56 ms               │                ✗── . 1001:2001(1000) ack 6 win 256 ──────────┤
   56 ms               │←── P. 2001:3001(1000) ack 6 win 256 ─────────────────────────┤
   66 ms               ├─── . 6:6(0) ack 1001 win 256 <nop,nop,sack 2001:3001> ──────→│
  100 ms               │    B's application waits.                                    ●
  266 ms               │←── . 1001:2001(1000) ack 6 win 256 ──────────────────────────┤
  Numbers count from each side's initial sequence number: the SYN is 0, the first octet 1. One way
  takes 10 ms.
)" + 1);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  }
  return lines;
}

TEST(Ladder, KeepsWithinItsWidth) {
  Script script;
  handshake(script);
  mishaps(script);
  teardown(script, 5000);
  for (const Glyphs glyphs : {Glyphs::unicode, Glyphs::ascii})
    for (std::uint16_t width = 80; width <= 140; ++width) {
      LadderOptions options = with_msl();
      options.width = width;
      options.glyphs = glyphs;
      for (const std::string& line : lines_of(render_ladder(script.recording(), options)))
        ASSERT_LE(cells(line), width) << line;
    }
}

TEST(Ladder, TakesOtherWidthsAsTheNearestItKnows) {
  Script script;
  handshake(script);
  const auto drawn = [&](std::uint16_t width) {
    LadderOptions options;
    options.width = width;
    return render_ladder(script.recording(), options);
  };
  EXPECT_EQ(drawn(0), drawn(80));
  EXPECT_EQ(drawn(65535), drawn(140));
}

TEST(Ladder, PaintsTheSameTextWithColoursAroundIt) {
  Script script;
  handshake(script);
  mishaps(script);
  LadderOptions options;
  const std::string plain = render_ladder(script.recording(), options);
  options.paint = Paint::ansi;
  std::string painted = render_ladder(script.recording(), options);
  EXPECT_NE(painted, plain);
  for (std::size_t at = painted.find('\x1b'); at != std::string::npos; at = painted.find('\x1b'))
    painted.erase(at, painted.find('m', at) - at + 1);
  // Blanks before the end of a painted line are inside the paint.
  std::string trimmed;
  for (std::string& line : lines_of(painted)) {
    line.erase(line.find_last_not_of(' ') + 1);
    trimmed += line + '\n';
  }
  trimmed.pop_back();
  EXPECT_EQ(trimmed, plain);
}

TEST(Ladder, AsciiIsAscii) {
  Script script;
  handshake(script);
  mishaps(script);
  LadderOptions options;
  options.glyphs = Glyphs::ascii;
  for (const char c : render_ladder(script.recording(), options)) ASSERT_GT(c, '\0');
}

TEST(Ladder, GivesTheSameFactsAsJson) {
  Script script;
  handshake(script);
  mishaps(script);
  teardown(script, 5000);
  const auto json = nlohmann::json::parse(ladder_json(script.recording(), with_msl()));
  const Ladder ladder = script.ladder(with_msl());
  EXPECT_EQ(json["schema"], "estab.ladder/1");
  EXPECT_EQ(json["ends"][0]["name"], "A");
  EXPECT_EQ(json["ends"][1]["isn"], 5000);
  EXPECT_EQ(json["transit_ns"], 10'000'000);
  ASSERT_EQ(json["events"].size(), ladder.events.size());

  const auto& syn = json["events"][0];
  EXPECT_EQ(syn["segment"], "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8>");
  EXPECT_EQ(syn["flags"], "S");
  EXPECT_EQ(syn["seq"], 0);
  EXPECT_TRUE(syn["ack"].is_null());
  EXPECT_EQ(syn["reason"], "open");
  EXPECT_EQ(syn["rfc"], "RFC 9293 §3.5");
  EXPECT_EQ(syn["left_state"], "SYN-SENT");
  EXPECT_EQ(syn["right_state"], "SYN-RECEIVED");
  EXPECT_EQ(syn["time_ns"], 0);
  EXPECT_EQ(syn["arrived_ns"], 10'000'000);

  const auto& lost = json["events"][5];
  EXPECT_EQ(lost["segment"], ". 1001:2001(1000) ack 6 win 256");
  EXPECT_EQ(lost["lost"], true);
  EXPECT_EQ(lost["length"], 1000);
  EXPECT_TRUE(lost["arrived_ns"].is_null());

  const auto& over = json["events"].back();
  EXPECT_EQ(over["kind"], "moment");
  EXPECT_EQ(over["left_state"], "CLOSED");
}

TEST(Ladder, EscapesWhatJsonCannotHold) {
  Script script;
  handshake(script);
  script.note(40, kA, "a \"quote\", a \\ and a \x01");
  script.note(50, kA, "Latin-1: \xe4");
  const auto json = nlohmann::json::parse(ladder_json(script.recording()));
  const auto& events = json["events"];
  EXPECT_EQ(events[events.size() - 2]["text"], "a \"quote\", a \\ and a \x01");
  EXPECT_EQ(events.back()["text"], "Latin-1: \ufffd");
}

TEST(Ladder, IsNothingWithoutSegments) {
  const Recording empty;
  EXPECT_FALSE(make_ladder(empty).has_value());
  EXPECT_EQ(render_ladder(empty), "");
  EXPECT_EQ(nlohmann::json::parse(ladder_json(empty))["events"].size(), 0u);
}

TEST(Ladder, SaysThatTheRecordingWasCut) {
  Script script({.records = 3});
  handshake(script);
  const std::string text = render_ladder(script.recording());
  EXPECT_NE(text.find("3 later events were not recorded"), std::string::npos) << text;
}

TEST(Ladder, TellsAFailureOnceWithTheStateItLeadsTo) {
  Script script;
  const std::string syn = "S 0:0(0) win 9", rst = "R. 0:0(0) ack 1 win 0";
  script.send(0, kA, syn, SendReason::open, State::syn_sent);
  script.arrive(10, kA, syn, State::closed, State::closed, Verdict::answered_reset);
  script.send(10, kB, rst, SendReason::reset_no_connection, State::closed);
  script.tell(20, kA, StateChanged{{}, State::syn_sent, State::closed});
  script.tell(20, kA, ConnectionFailed{{}, Error::connection_refused});
  script.arrive(20, kB, rst, State::syn_sent, State::closed, Verdict::reset_accepted);
  const Ladder ladder = script.ladder();
  ASSERT_EQ(ladder.events.size(), 3u);
  EXPECT_NE(ladder.events[1].text.find("nobody listens on B's port 80"), std::string::npos)
      << ladder.events[1].text;
  EXPECT_EQ(ladder.events[1].states[0], State::closed);
  EXPECT_EQ(ladder.events[2].kind, LadderEvent::Kind::moment);
  EXPECT_NE(ladder.events[2].text.find(message(Error::connection_refused)), std::string::npos);
  EXPECT_EQ(ladder.ends[1].first, State::closed) << "nobody listened";
}

TEST(Ladder, WorksOutTheStatesOfAnEndNobodyObserved) {
  Recorder recorder;
  Observer& server = recorder.add_end("estab");
  const FourTuple flow = {IpAddress::v4(10, 0, 0, 2), IpAddress::v4(10, 0, 0, 1), 80, 49152};
  std::int64_t ms = 0;
  const auto got = [&](const std::string& text, State before, State after) {
    const Segment segment = parse_segment(text, SeqNum(7), SeqNum(9))->segment;
    server.on_trace(Instant(std::chrono::milliseconds(++ms)),
                    SegmentReceived{flow, segment, Verdict::accepted, before, after});
  };
  const auto sent = [&](const std::string& text, SendReason reason, State state) {
    const Segment segment = parse_segment(text, SeqNum(9), SeqNum(7))->segment;
    server.on_trace(Instant(std::chrono::milliseconds(++ms)),
                    SegmentSent{flow, segment, reason, state});
  };
  got("S 0:0(0) win 9", State::listen, State::syn_received);
  sent("S. 0:0(0) ack 1 win 9", SendReason::open_reply, State::syn_received);
  got(". 1:1(0) ack 1 win 9", State::syn_received, State::established);
  sent("F. 1:1(0) ack 1 win 9", SendReason::fin, State::fin_wait_1);
  got(". 1:1(0) ack 2 win 9", State::fin_wait_1, State::fin_wait_2);
  got("F. 1:1(0) ack 2 win 9", State::fin_wait_2, State::time_wait);
  sent(". 2:2(0) ack 2 win 9", SendReason::ack_immediate, State::time_wait);

  LadderOptions options;
  options.unobserved_name = "the kernel";
  const Ladder ladder = make_ladder(recorder.recording(), options).value();
  EXPECT_EQ(ladder.ends[0].name, "the kernel");
  EXPECT_FALSE(ladder.ends[0].observed);
  EXPECT_EQ(ladder.ends[1].name, "estab");
  std::vector<std::string> states;
  for (const LadderEvent& event : ladder.events)
    states.push_back(std::string(name(event.states[0])) + " / " +
                     std::string(name(event.states[1])));
  EXPECT_EQ(states, (std::vector<std::string>{
                        "SYN-SENT / SYN-RECEIVED", "ESTABLISHED / SYN-RECEIVED",
                        "ESTABLISHED / ESTABLISHED", "CLOSE-WAIT / FIN-WAIT-1",
                        "CLOSE-WAIT / FIN-WAIT-2", "LAST-ACK / TIME-WAIT", "CLOSED / TIME-WAIT"}));
  EXPECT_NE(render_ladder(ladder, options).find("its states follow"), std::string::npos);
}

TEST(Ladder, DrawsTheConnectionItIsAskedFor) {
  Script script;
  handshake(script);
  LadderOptions options;
  options.flow = FourTuple{IpAddress::v4(10, 0, 0, 2), IpAddress::v4(10, 0, 0, 1), 80, 49152};
  const Ladder mirrored = script.ladder(options);
  EXPECT_EQ(mirrored.ends[0].name, "B");
  EXPECT_EQ(mirrored.events[0].from, LadderSide::right);
  options.flow->local_port = 81;
  EXPECT_FALSE(make_ladder(script.recording(), options).has_value());
}

}  // namespace
}  // namespace estab::trace
