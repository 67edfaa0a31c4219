// Openings that fail or take long: repetition with back-off (RFC 6298, RFC 9293 §3.8.3), and the
// errors by which the application tells one failure from another. Also what an OPEN call may ask
// for, initial sequence numbers and ephemeral ports.

#include <set>

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

using Kind = wire::IcmpError::Kind;

class OpeningFailure : public EachFamily {};
INSTANTIATE_TEST_SUITE_P(Families, OpeningFailure, both_families(), family_name);

// ---- repetition

// [RFC 9293 MUST-22, MUST-23] [RFC 1122 4.2.3.1-3] [RFC 6298 2-1]
TEST_P(OpeningFailure, RepeatsTheSynWithBackOffAndTimesOutAfterThreeMinutes) {
  ASSERT_TRUE(peer.connect());
  peer.after(182999ms);
  for (const Duration at : {0s, 1s, 3s, 7s, 15s, 31s, 63s, 127s})
    peer.out_at(at, "S 0:0(0) win 65535 <mss *,...>");
  peer.quiet();
  EXPECT_EQ(peer.state(), State::syn_sent);
  EXPECT_FALSE(peer.told().failure);
  peer.after(1ms);  // MUST-23: at least 3 minutes
  EXPECT_EQ(peer.state(), State::closed);
  const StreamEvent told = peer.told();
  EXPECT_EQ(told.failure, Error::connect_timed_out);
  EXPECT_TRUE(told.closed);
  EXPECT_FALSE(told.connected);
  peer.after(600s);
  peer.quiet();
  EXPECT_EQ(peer.stack().census().timers, 0u);
}

// [RFC 9293 MUST-23]
TEST_P(OpeningFailure, RepeatsTheSynAckWithBackOffAndForgetsAfterThreeMinutes) {
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.after(182999ms);
  for (const Duration at : {0s, 1s, 3s, 7s, 15s, 31s, 63s, 127s})
    peer.out_at(at, "S. 0:0(0) ack 1 win 65535 <mss *>");
  peer.quiet();
  EXPECT_EQ(peer.state(), State::syn_received);
  peer.after(1ms);
  peer.quiet();
  EXPECT_EQ(peer.state(), State::listen);
  EXPECT_EQ(peer.stack().census().syn_cache, 0u);
  EXPECT_EQ(peer.stack().census().timers, 0u);
  EXPECT_TRUE(peer.other_events().empty());
  peer.in(". 1:1(0) ack 1 win 65535");
  peer.out("R 1:1(0) win 0");
}

// [RFC 1122 4.2.3.1-3]
TEST_P(OpeningFailure, WaitsBetweenSynsAsConfigured) {
  TcpConfig tcp;
  tcp.rto_initial = 200ms;
  tcp.rto_max = 1s;
  tcp.r2_syn = 4s;
  ASSERT_TRUE(peer.connect(tcp));
  peer.after(10s);
  for (const Duration at : {0ms, 200ms, 600ms, 1400ms, 2400ms, 3400ms})
    peer.out_at(at, "S 0:0(0) win 65535 <mss *,...>");
  peer.quiet();
  EXPECT_EQ(peer.told().failure, Error::connect_timed_out);
}

// RFC 9293 §3.10.8: the user timeout counts in any state.
TEST_P(OpeningFailure, GivesUpAfterTheUserTimeoutIfOneIsSet) {
  TcpConfig tcp;
  tcp.user_timeout = 5s;
  ASSERT_TRUE(peer.connect(tcp));
  peer.after(4999ms);
  for (const Duration at : {0s, 1s, 3s}) peer.out_at(at, "S 0:0(0) <*>");
  EXPECT_EQ(peer.state(), State::syn_sent);
  peer.after(1ms);
  peer.quiet();
  EXPECT_EQ(peer.told().failure, Error::user_timeout);
}

TEST_P(OpeningFailure, StopsRepeatingWhenTheHandshakeIsComplete) {
  ASSERT_TRUE(peer.connect());
  peer.after(1s);
  peer.out_at(0s, "S 0:0(0) <*>");
  peer.out_at(1s, "S 0:0(0) <*>");
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out(". 1:1(0) ack 1");
  peer.after(600s);
  peer.quiet();
  EXPECT_EQ(peer.state(), State::established);
}

// ---- errors

TEST_P(OpeningFailure, IsRefusedByAReset) {
  peer.reach(State::syn_sent);
  EXPECT_EQ(peer.in("R. 0:0(0) ack 1 win 0"), Verdict::reset_accepted);
  EXPECT_EQ(peer.state(), State::closed);
  const StreamEvent told = peer.told();
  EXPECT_EQ(told.failure, Error::connection_refused);
  EXPECT_TRUE(told.closed);
  peer.after(600s);
  peer.quiet();
  EXPECT_EQ(peer.stack().recv(peer.now(), peer.stream(), {}).error(), Error::connection_refused);
  EXPECT_TRUE(peer.close());
  EXPECT_EQ(peer.stack().census().streams, 0u);
}

// RFC 5961 §3: in SYN-SENT a RST counts only if it acknowledges the SYN.
// [RFC 5961 3.2-6]
TEST_P(OpeningFailure, IsNotRefusedByAResetWithoutAcknowledgement) {
  peer.reach(State::syn_sent);
  EXPECT_EQ(peer.in("R 0:0(0) win 0"), Verdict::reset_ignored);
  EXPECT_EQ(peer.in("R. 0:0(0) ack 2 win 0"), Verdict::reset_ignored);
  EXPECT_EQ(peer.in("R. 0:0(0) ack 0 win 0"), Verdict::reset_ignored);
  EXPECT_EQ(peer.state(), State::syn_sent);
  peer.quiet();
}

TEST_P(OpeningFailure, DropsInSynSentWhatHasNeitherSynNorReset) {
  peer.reach(State::syn_sent);
  EXPECT_EQ(peer.in(". 0:0(0) ack 1 win 65535"), Verdict::no_ack_bit);
  EXPECT_EQ(peer.in("F. 0:10(10) ack 1 win 65535"), Verdict::no_ack_bit);
  EXPECT_EQ(peer.in("P 0:10(10) win 65535"), Verdict::no_ack_bit);
  EXPECT_EQ(peer.in("- 0:0(0) win 65535"), Verdict::no_ack_bit);
  peer.quiet();
  EXPECT_EQ(peer.state(), State::syn_sent);
}

// [RFC 1122 3.2.2.1-4]
TEST_P(OpeningFailure, EndsAtOnceWhenIcmpSaysThatThePortIsUnreachable) {
  ASSERT_TRUE(peer.connect());
  const Sent syn = peer.out("S 0:0(0) <*>");
  EXPECT_EQ(peer.in_octets(icmp_error(syn, Kind::port_unreachable)), Verdict::icmp);
  EXPECT_EQ(peer.state(), State::closed);
  EXPECT_EQ(peer.told().failure, Error::port_unreachable);
  peer.after(600s);
  peer.quiet();
}

TEST(OpeningFailureIpv4, EndsAtOnceWhenIcmpSaysThatTheProtocolIsUnreachable) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  const Sent syn = peer.out("S 0:0(0) <*>");
  peer.in_octets(icmp_error(syn, Kind::protocol_unreachable));
  EXPECT_EQ(peer.told().failure, Error::protocol_unreachable);
}

// MUST-56: a soft error does not end the attempt, but explains it when it fails.
TEST_P(OpeningFailure, TellsWhatIcmpHintedWhenNoAnswerComes) {
  for (const auto& [kind, error] : {std::pair{Kind::host_unreachable, Error::host_unreachable},
                                    std::pair{Kind::net_unreachable, Error::network_unreachable},
                                    std::pair{Kind::time_exceeded, Error::host_unreachable}}) {
    Peer each(TcpConfig{}, GetParam());
    ASSERT_TRUE(each.connect());
    const Sent syn = each.out("S 0:0(0) <*>");
    each.in_octets(icmp_error(syn, kind));
    EXPECT_EQ(each.state(), State::syn_sent);
    EXPECT_FALSE(each.told().failure);
    each.after(183s);
    EXPECT_EQ(each.told().failure, error) << each.story();
  }
}

// [RFC 9293 MUST-56, SHLD-25]
TEST_P(OpeningFailure, OpensDespiteASoftError) {
  ASSERT_TRUE(peer.connect());
  const Sent syn = peer.out("S 0:0(0) <*>");
  peer.in_octets(icmp_error(syn, Kind::host_unreachable));
  peer.after(1s);
  peer.out_at(1s, "S 0:0(0) <*>");
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out(". 1:1(0) ack 1 <>");
  EXPECT_EQ(peer.state(), State::established);
  EXPECT_FALSE(peer.told().failure);
}

IcmpReport from_router(Family family, std::uint8_t type, std::uint8_t code) {
  const bool v4 = family == Family::ipv4;
  return {v4 ? IpAddress::v4(192, 0, 2, 254) : *IpAddress::parse("2001:db8::fe"), type, code};
}

// RFC 5461 §4.1. What was said, and by whom, goes with the error.
TEST_P(OpeningFailure, EndsAtOnceUponASoftErrorIfAskedTo) {
  const bool v4 = GetParam() == Family::ipv4;
  struct Case {
    Kind kind;
    Error error;
    std::uint8_t type, code;
  };
  for (const Case& c :
       {Case{Kind::net_unreachable, Error::network_unreachable, std::uint8_t(v4 ? 3 : 1), 0},
        Case{Kind::host_unreachable, Error::host_unreachable, std::uint8_t(v4 ? 3 : 1),
             std::uint8_t(v4 ? 1 : 3)},
        Case{Kind::administratively_prohibited, Error::host_unreachable, std::uint8_t(v4 ? 3 : 1),
             std::uint8_t(v4 ? 13 : 1)},
        Case{Kind::time_exceeded, Error::host_unreachable, std::uint8_t(v4 ? 11 : 3), 0}}) {
    Peer each(TcpConfig{.soft_errors_end_opening = true}, GetParam());
    ASSERT_TRUE(each.connect());
    const Sent syn = each.out("S 0:0(0) <*>");
    each.in_octets(icmp_error(syn, c.kind));
    EXPECT_EQ(each.state(), State::closed);
    const StreamEvent told = each.told();
    EXPECT_EQ(told.failure, c.error);
    EXPECT_EQ(told.reported, from_router(GetParam(), c.type, c.code));
    EXPECT_EQ(each.stack().icmp_report(each.stream()), told.reported);
    each.after(600s);
    each.quiet();
  }
}

// Source quench is no error at all (MUST-55).
TEST(OpeningFailureIpv4, IsNotEndedBySourceQuench) {
  Peer peer(TcpConfig{.soft_errors_end_opening = true});
  ASSERT_TRUE(peer.connect());
  peer.in_octets(icmp_error(peer.out("S 0:0(0) <*>"), Kind::source_quench));
  EXPECT_EQ(peer.state(), State::syn_sent);
  EXPECT_FALSE(peer.stack().icmp_report(peer.stream()));
}

// The setting can come while the opening is under way, and counts for what comes after it.
TEST_P(OpeningFailure, EndsUponTheNextSoftErrorIfThatIsAskedForLater) {
  ASSERT_TRUE(peer.connect());
  const Sent syn = peer.out("S 0:0(0) <*>");
  peer.in_octets(icmp_error(syn, Kind::host_unreachable));
  EXPECT_EQ(peer.state(), State::syn_sent);
  TcpConfig config = peer.stack().settings(peer.stream()).value();
  config.soft_errors_end_opening = true;
  ASSERT_TRUE(peer.stack().reconfigure(peer.now(), peer.stream(), config));
  EXPECT_EQ(peer.state(), State::syn_sent);
  peer.in_octets(icmp_error(syn, Kind::host_unreachable));
  EXPECT_EQ(peer.told().failure, Error::host_unreachable);
}

TEST_P(OpeningFailure, SaysWhoHintedAtWhatEndedItLater) {
  ASSERT_TRUE(peer.connect());
  peer.in_octets(icmp_error(peer.out("S 0:0(0) <*>"), Kind::host_unreachable));
  const bool v4 = GetParam() == Family::ipv4;
  const IcmpReport report = from_router(GetParam(), v4 ? 3 : 1, v4 ? 1 : 3);
  EXPECT_EQ(peer.told().reported, report);
  peer.after(183s);
  const StreamEvent told = peer.told();
  EXPECT_EQ(told.failure, Error::host_unreachable);
  EXPECT_EQ(told.reported, report);
}

// Whom ICMP blamed is no answer to why the peer refused.
TEST_P(OpeningFailure, NamesNobodyForARefusalAfterASoftError) {
  ASSERT_TRUE(peer.connect());
  peer.in_octets(icmp_error(peer.out("S 0:0(0) <*>"), Kind::host_unreachable));
  (void)peer.told();
  peer.in("R. 0:0(0) ack 1 win 0");
  const StreamEvent told = peer.told();
  EXPECT_EQ(told.failure, Error::connection_refused);
  EXPECT_FALSE(told.reported);
  EXPECT_FALSE(peer.stack().icmp_report(peer.stream()));
}

// RFC 5927 §4.1: what does not quote our SYN was not caused by it. Nor may it quote another pair.
TEST_P(OpeningFailure, IgnoresForgedSoftErrorsToo) {
  Peer wary(TcpConfig{.soft_errors_end_opening = true}, GetParam());
  ASSERT_TRUE(wary.connect());
  const Sent syn = wary.out("S 0:0(0) <*>");
  const std::size_t tcp = GetParam() == Family::ipv4 ? 20 : 40;
  for (const std::size_t at : {tcp + 7, tcp + 1, tcp + 3}) {  // number, ports
    Sent other = syn;
    other.octets[at] ^= 1;
    wary.in_octets(icmp_error(other, Kind::host_unreachable));
    EXPECT_EQ(wary.state(), State::syn_sent);
  }
  const StreamEvent told = wary.told();
  EXPECT_FALSE(told.failure || told.soft_error || told.reported);
}

// RFC 5927 §4.1: what does not quote our SYN was not caused by it.
TEST_P(OpeningFailure, IgnoresIcmpThatQuotesAnotherSequenceNumber) {
  ASSERT_TRUE(peer.connect());
  const Sent syn = peer.out("S 0:0(0) <*>");
  for (const int change : {1, -1, 1 << 30}) {
    Sent other = syn;
    const std::size_t at = GetParam() == Family::ipv4 ? 20 + 4 : 40 + 4;
    base::store_be32(&other.octets[at],
                     base::load_be32(&other.octets[at]) + static_cast<std::uint32_t>(change));
    peer.in_octets(icmp_error(other, Kind::port_unreachable));
    EXPECT_EQ(peer.state(), State::syn_sent);
  }
  EXPECT_FALSE(peer.told().failure);
}

TEST_P(OpeningFailure, IsForgottenWhenClosedOrAbortedInSynSent) {
  peer.reach(State::syn_sent);
  EXPECT_TRUE(peer.close());
  EXPECT_EQ(peer.state(), State::closed);
  EXPECT_EQ(peer.close().error(), Error::no_such_id);
  EXPECT_TRUE(peer.connect());
  peer.forget_output();
  EXPECT_TRUE(peer.abort());
  peer.quiet();
  EXPECT_EQ(peer.stack().census(), Stack::Census{});
}

TEST_P(OpeningFailure, IsToldToThePeerWhenAbortedInSynReceived) {
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_TRUE(peer.abort());
  peer.out("R. 1:1(0) ack 1 win 0");
  EXPECT_EQ(peer.stack().census(), Stack::Census{});
}

// ---- the OPEN call

// [RFC 9293 MUST-43, MUST-46] [RFC 1122 3.2.1.3-9]
TEST_P(OpeningFailure, CallsThatMakeNoSenseAreRefused) {
  const bool v4 = GetParam() == Family::ipv4;
  Stack& stack = peer.stack();
  const auto connect = [&](std::string_view to, std::uint16_t port = 80) {
    return stack.connect(peer.now(), {.remote = {*IpAddress::parse(to), port}});
  };
  EXPECT_EQ(connect(v4 ? "192.0.2.2" : "2001:db8::2", 0).error(), Error::invalid_argument);
  EXPECT_EQ(connect(v4 ? "198.51.100.1" : "2001:db9::1").error(), Error::no_route);
  // MUST-46
  EXPECT_EQ(connect(v4 ? "0.0.0.0" : "::").error(), Error::address_not_available);
  EXPECT_EQ(connect(v4 ? "224.0.0.1" : "ff02::1").error(), Error::address_not_available);
  if (v4) {
    EXPECT_EQ(connect("255.255.255.255").error(), Error::address_not_available);
    EXPECT_EQ(connect("192.0.2.255").error(), Error::address_not_available);
  }
  ConnectOptions from{.remote = {peer.remote(), 80}, .local_address = peer.remote()};
  EXPECT_EQ(stack.connect(peer.now(), from).error(), Error::address_not_available);
  from.local_address = peer.local();  // MUST-43
  from.local_port = 77;
  const auto made = stack.connect(peer.now(), from);
  ASSERT_TRUE(made);
  EXPECT_EQ(stack.endpoints(*made)->local(), (Endpoint{peer.local(), 77}));
  EXPECT_EQ(stack.connect(peer.now(), from).error(), Error::address_in_use);
  from.remote.port = 81;  // another connection, the same local port
  EXPECT_TRUE(stack.connect(peer.now(), from));
}

TEST(OpeningLimit, RefusesConnectionsBeyondIt) {
  Peer peer(PeerOptions{.stack = {.limits = {.connections = 1}}});
  peer.reach(State::syn_sent);
  EXPECT_EQ(peer.stack().connect(peer.now(), {.remote = {peer.remote(), 9}}).error(),
            Error::limit_reached);
}

TEST(OpeningLimit, AnswersWithAResetWhenThereIsNoRoomForAnotherConnection) {
  Peer peer(PeerOptions{.stack = {.limits = {.connections = 1}}});
  peer.establish();
  peer.talk_from(5);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::queue_full);
  peer.out("R 1:1(0) win 0");
}

// ---- RFC 6056: ephemeral ports

std::vector<std::uint16_t> ports_of(const StackConfig& config, int count, std::uint16_t remote) {
  Peer peer(PeerOptions{.stack = config});
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < count; ++i) {
    const auto made = peer.stack().connect(peer.now(), {.remote = {peer.remote(), remote}});
    ports.push_back(made ? peer.stack().endpoints(*made)->local_port : 0);
  }
  return ports;
}

TEST(EphemeralPorts, AreEachUsedOnceAndThenRunOut) {
  const StackConfig config{.seed = {3, 4}, .port_min = 50000, .port_max = 50009};
  const auto ports = ports_of(config, 11, 80);
  std::set<std::uint16_t> used(ports.begin(), ports.end() - 1);
  EXPECT_EQ(used.size(), 10u);
  EXPECT_EQ(*used.begin(), 50000);
  EXPECT_EQ(*used.rbegin(), 50009);
  EXPECT_EQ(ports.back(), 0);  // Error::no_ports
}

TEST(EphemeralPorts, CannotBePredictedFromOnesToAnotherDestinationNorWithoutTheSecret) {
  const auto ports = ports_of({.seed = {3, 4}}, 3, 80);
  EXPECT_EQ(ports, ports_of({.seed = {3, 4}}, 3, 80));
  EXPECT_NE(ports, ports_of({.seed = {3, 5}}, 3, 80));
  EXPECT_NE(ports, ports_of({.seed = {3, 4}}, 3, 81));
  for (const std::uint16_t port : ports) {
    EXPECT_GE(port, 32768);
    EXPECT_LE(port, 60999);
  }
}

TEST(EphemeralPorts, MayServeTwoDestinationsAtOnce) {
  Peer peer(PeerOptions{.stack = {.port_min = 50000, .port_max = 50000}});
  Stack& stack = peer.stack();
  EXPECT_TRUE(stack.connect(peer.now(), {.remote = {peer.remote(), 1}}));
  EXPECT_TRUE(stack.connect(peer.now(), {.remote = {peer.remote(), 2}}));
  EXPECT_EQ(stack.connect(peer.now(), {.remote = {peer.remote(), 2}}).error(), Error::no_ports);
}

// ---- RFC 6528: initial sequence numbers

// [RFC 9293 MUST-8, SHLD-1]
TEST(InitialSequenceNumber, OfTheSamePairGrowsWithAClockOfFourMicroseconds) {
  for (const Open::Side side : {kPassive, kActive}) {
    std::optional<SeqNum> first;
    for (const Duration later : {0s, 1s, 3600s}) {
      Peer peer;
      peer.after(later);
      peer.establish({.side = side});
      const SeqNum isn = peer.stack_isn();
      if (!first) first = isn;
      EXPECT_EQ(isn, *first + static_cast<std::uint32_t>(later / 4us));
    }
  }
}

// [RFC 9293 SHLD-1, MUST-9]
TEST(InitialSequenceNumber, OfAnotherPairOrSecretIsUnrelated) {
  std::set<std::uint32_t> seen;
  for (const std::uint64_t secret : {1, 2}) {
    Peer peer(PeerOptions{.stack = {.seed = {secret, 0}}});
    peer.listen();
    for (const std::uint16_t port : {1, 2, 3}) {
      peer.talk_from(port);
      peer.in("S 0:0(0) win 65535 <mss 1460>");
      peer.out("S. 0:0(0) ack 1 <*>");
      for (const std::uint32_t other : seen)
        EXPECT_GT(std::abs(peer.stack_isn() - SeqNum(other)), 1 << 16);
      seen.insert(peer.stack_isn().value());
    }
  }
}

TEST(InitialSequenceNumber, IsTheOneATestFixes) {
  Peer peer(PeerOptions{.stack = {.quirks = {.fixed_isn = 0xffffffff}}});
  peer.establish();
  EXPECT_EQ(peer.stack_isn(), SeqNum(0xffffffff));
}

}  // namespace
}  // namespace estab::script
