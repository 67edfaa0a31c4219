// Shell commands, assertions, translation of numbers, comparison of packets: each alone.
#include <gtest/gtest.h>

#include "drill/assertion.h"
#include "drill/flow.h"
#include "drill/icmp_names.h"
#include "drill/match.h"
#include "drill/packet.h"
#include "drill/parser.h"
#include "drill/settings.h"
#include "drill/shell.h"
#include "wire/icmp.h"
#include "wire/ip.h"

namespace estab::drill {
namespace {

using std::chrono_literals::operator""ms, std::chrono_literals::operator""s;

PacketSpec packet(const std::string& text) {
  const auto script = parse_script("+0 " + text);
  EXPECT_TRUE(script.has_value()) << text;
  return std::get<PacketSpec>(script->events[0].action);
}

// ---- shell

TEST(Shell, TurnsSettingsOfAnyFormIntoOne) {
  for (const char* command :
       {"sysctl -q net.ipv4.tcp_sack=0", "sysctl -w net.ipv4.tcp_sack=0",
        "../../common/set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0",
        "echo 0 > /proc/sys/net/ipv4/tcp_sack", "echo 0 >/proc/sys/net/ipv4/tcp_sack"}) {
    const auto steps = read_shell(command);
    ASSERT_EQ(steps.size(), 1u) << command;
    EXPECT_EQ(steps[0].kind, ShellStep::Kind::setting) << command;
    EXPECT_EQ(steps[0].name, "net.ipv4.tcp_sack");
    EXPECT_EQ(steps[0].value, "0");
  }
}

TEST(Shell, ReadsSeveralCommandsAndQuotedValues) {
  const auto steps = read_shell(
      "../common/defaults.sh\n"
      "../common/set_sysctls.py /proc/sys/net/ipv4/tcp_wmem=\"4096 50000 4194304\" \\\n"
      "   /proc/sys/net/ipv4/tcp_sack=1; sleep 0.5 && tc qdisc add dev tun0\n");
  ASSERT_EQ(steps.size(), 5u);
  EXPECT_EQ(steps[0].kind, ShellStep::Kind::nothing);
  EXPECT_EQ(steps[1].value, "4096 50000 4194304");
  EXPECT_EQ(steps[2].name, "net.ipv4.tcp_sack");
  EXPECT_EQ(steps[3].time, 500ms);
  EXPECT_EQ(steps[4].kind, ShellStep::Kind::unknown);
}

TEST(Shell, AsksTheSocketTableAsAPipelineWould) {
  const char* table = "192.168.0.1:8080 192.0.2.1:40001 TIME-WAIT\n192.168.0.1:8080 * LISTEN\n";
  const auto ask = [&](const char* pipeline) { return ask_table(pipeline, table); };
  EXPECT_EQ(ask("sockstat -s | grep packetdril | grep -c TIME_WAIT | grep 1"), Answer::yes);
  EXPECT_EQ(ask("sockstat -s | grep -c TIME_WAIT | grep 2"), Answer::no);
  EXPECT_EQ(ask("ss -tan | grep LISTEN"), Answer::yes);
  EXPECT_EQ(ask("ss -tan | grep -v LISTEN | grep -v TIME-WAIT"), Answer::no);
  EXPECT_EQ(ask("ss -tan | awk '{print $1}'"), Answer::unknown);
}

TEST(Shell, ListsTheFamiliesThatAreAskedFor) {
  const char* table = "192.0.2.1:80 192.0.2.2:4000 TIME-WAIT\n[fd00::1]:80 [::]:* LISTEN\n";
  const auto ask = [&](const std::string& list, const char* count) {
    return ask_table(list + " | grep -c 80 | grep " + count, table);
  };
  for (const char* list : {"sockstat", "ss -tan", "sockstat -46", "sockstat -4 -6", "sockstat -s"})
    EXPECT_EQ(ask(list, "2"), Answer::yes) << list;
  for (const char* list : {"sockstat -4 -P tcp -s", "ss -4", "ss -t4an", "ss --ipv4"}) {
    EXPECT_EQ(ask(list, "1"), Answer::yes) << list;
    EXPECT_EQ(ask_table(std::string(list) + " | grep TIME_WAIT", table), Answer::yes) << list;
  }
  EXPECT_EQ(ask_table("sockstat -6 -s | grep TIME_WAIT", table), Answer::no);
  EXPECT_EQ(ask_table("sockstat -6 -s | grep LISTEN", table), Answer::yes);
}

TEST(Shell, KnowsTheStatesByTheNamesOfEachProgram) {
  const char* table = "a:1 b:2 SYN-RECEIVED\na:1 b:3 FIN-WAIT-1\na:1 b:4 FIN-WAIT-2\n";
  for (const char* name :
       {"SYN_RCVD", "SYN-RECV", "SYN_RECV", "FIN-WAIT-1", "FIN_WAIT_1", "FIN_WAIT2"})
    EXPECT_EQ(ask_table("netstat -n | grep -c " + std::string(name) + " | grep 1", table),
              Answer::yes)
        << name;
}

TEST(Settings, ReachTheStack) {
  StackConfig config;
  EXPECT_EQ(apply_setting(config, "net.ipv4.tcp_timestamps", "0"), Applied::yes);
  EXPECT_FALSE(config.tcp.use_timestamps);
  EXPECT_EQ(apply_setting(config, "net.inet.tcp.rfc1323", "2"), Applied::yes);
  EXPECT_TRUE(config.tcp.use_window_scale);
  EXPECT_EQ(apply_setting(config, "net.ipv4.tcp_ecn", "1"), Applied::yes);
  EXPECT_EQ(config.tcp.ecn, Ecn::request);
  EXPECT_EQ(config.tcp.accurate_ecn, Ecn::off);
  EXPECT_EQ(apply_setting(config, "net.ipv4.tcp_ecn", "3"), Applied::yes);
  EXPECT_EQ(config.tcp.ecn, Ecn::accept);
  EXPECT_EQ(config.tcp.accurate_ecn, Ecn::request);
  EXPECT_EQ(apply_setting(config, "net.inet.tcp.delacktime", "70"), Applied::yes);
  EXPECT_EQ(config.tcp.delayed_ack, 70ms);
  EXPECT_EQ(apply_setting(config, "net.ipv4.tcp_rmem", "4096 540000 15728640"), Applied::yes);
  EXPECT_EQ(config.tcp.receive_buffer, 270000u);
  EXPECT_EQ(config.tcp.window_scale, 8);
}

TEST(Settings, SayWhatTheyCannotDo) {
  StackConfig config;
  EXPECT_EQ(apply_setting(config, "net.inet.tcp.insecure_rst", "0"), Applied::harmless);
  EXPECT_EQ(apply_setting(config, "net.inet.tcp.insecure_rst", "1"), Applied::refused);
  EXPECT_EQ(apply_setting(config, "net.ipv4.tcp_frobnicate", "1"), Applied::unknown);
  EXPECT_EQ(apply_setting(config, "net.ipv4.tcp_sack", "maybe"), Applied::refused);
  EXPECT_EQ(config, StackConfig{});
}

// ---- assertions

Assertion::Outcome outcome(const char* code) {
  return evaluate(code,
                  [](std::string_view name) -> std::optional<double> {
                    if (name == "tcpi_rtt") return 10500;
                    if (name == "tcpi_options") return 7;
                    if (name == "TCPI_OPT_SACK") return 2;
                    return std::nullopt;
                  })
      .outcome;
}

TEST(Assertion, ComputesAsPythonDoes) {
  using enum Assertion::Outcome;
  EXPECT_EQ(outcome("assert tcpi_rtt == 10500"), holds);
  EXPECT_EQ(outcome("assert tcpi_rtt == 10501, tcpi_rtt"), failed);
  EXPECT_EQ(outcome("assert 10000 <= tcpi_rtt <= 20000, 'rtt %d' % tcpi_rtt"), holds);
  EXPECT_EQ(outcome("assert 10000 <= tcpi_rtt < 10500"), failed);
  EXPECT_EQ(outcome("assert (tcpi_options & TCPI_OPT_SACK) != 0, tcpi_options"), holds);
  EXPECT_EQ(outcome("assert tcpi_options & 8 == 0 or not True"), holds);
  EXPECT_EQ(outcome("assert abs(tcpi_rtt - 10000) <= 500 and tcpi_rtt // 1000 == 10"), holds);
  EXPECT_EQ(outcome("\nassert tcpi_rtt > 1; assert tcpi_rtt < 1\n"), failed);
  EXPECT_EQ(outcome("# a remark\nassert (tcpi_rtt >\n  1)\n"), holds);
  EXPECT_EQ(outcome("assert tcpi_rtt in (1, 2)"), unsupported);
  EXPECT_EQ(outcome("assert tcpi_unheard == 1"), unsupported);
  EXPECT_EQ(outcome("x = 5"), unsupported);
}

TEST(Assertion, ShowsWhatTheNamesStoodFor) {
  const Assertion result = evaluate("assert tcpi_a < tcpi_b, 'order'", [](std::string_view name) {
    return std::optional<double>(name == "tcpi_a" ? 7 : 5);
  });
  EXPECT_EQ(result.outcome, Assertion::Outcome::failed);
  EXPECT_EQ(result.values, "tcpi_a = 7, tcpi_b = 5");
}

// ---- numbers

TEST(Flow, TranslatesBothWays) {
  Flow flow(1000);
  flow.learn_isn(0, 0xffffff00);
  auto spec = std::get<TcpSpec>(packet("< . 1:11(10) ack 300 <nop,nop,sack 5:6>").transport);
  const TcpSpec wire = flow.to_wire(spec);
  EXPECT_EQ(wire.seq, 1001u);
  EXPECT_EQ(wire.ack, 300u - 0x100u);
  EXPECT_EQ(to_string(wire.options), "<nop,nop,sack 4294967045:4294967046>");
  TcpSpec sent = spec;
  sent.seq = 0xffffff01;
  sent.ack = 1011;
  const TcpSpec script = flow.to_script(sent);
  EXPECT_EQ(script.seq, 1u);
  EXPECT_EQ(script.ack, 11u);
}

TEST(Flow, EchoesTheTimestampsOfTheStackWhateverTheyAre) {
  Flow flow;
  flow.learn_timestamp(100, 77000);
  const auto echo = [&](const char* text) {
    return to_string(flow.to_wire(std::get<TcpSpec>(packet(text).transport)).options);
  };
  EXPECT_EQ(echo("< . 1:1(0) ack 1 <TS val 5 ecr 100>"), "<TS val 5 ecr 77000>");
  EXPECT_EQ(echo("< . 1:1(0) ack 1 <TS val 5 ecr 150>"), "<TS val 5 ecr 77050>");
  EXPECT_EQ(echo("< S 1:1(0) <TS val 5 ecr 0>"), "<TS val 5 ecr 0>");
}

// ---- comparison

std::string found(const std::string& expected, const std::string& sent) {
  PacketSpec actual = packet(sent);
  if (!actual.marks.ecn) actual.marks.ecn = EcnMark::not_ect;
  return difference(packet(expected), actual).value_or("");
}

TEST(Match, LeavesOpenWhatTheScriptDoes) {
  EXPECT_EQ(found("> . 1:1(0) ack 1", "> . 1:1(0) ack 1 win 500"), "");
  EXPECT_EQ(found("> S 0:0(0) <...>", "> S 0:0(0) win 1 <mss 1460>"), "");
  EXPECT_EQ(found("> . 1:1(0) ack 1", "> [ect0] . 1:1(0) ack 1"), "");
  EXPECT_EQ(found("> [ect01] . 1:1(0) ack 1", "> [ect1] . 1:1(0) ack 1"), "");
}

TEST(Match, NamesTheDifference) {
  EXPECT_EQ(found("> P. 1:1(0) ack 1", "> . 1:1(0) ack 1"), "the flags . instead of P.");
  EXPECT_EQ(found("> . 1:1(0) ack 1", "> . 2:2(0) ack 1"), "the sequence number 2 instead of 1");
  EXPECT_EQ(found("> . 1:1(0) ack 1", "> . 1:1(0) ack 2"), "ack 2 instead of 1");
  EXPECT_EQ(found("> . 1:11(10) ack 1", "> . 1:6(5) ack 1"), "a payload of 5 instead of 10");
  EXPECT_EQ(found("> . 1:1(0) ack 1 win 5", "> . 1:1(0) ack 1 win 6"), "win 6 instead of 5");
  EXPECT_EQ(found("> . 1:1(0) ack 1 urg 5", "> . 1:1(0) ack 1"), "urg 0 instead of 5");
  EXPECT_EQ(found("> [ect0] . 1:1(0) ack 1", "> [ce] . 1:1(0) ack 1"),
            "the mark ce instead of ect0");
  EXPECT_EQ(found("> . 1:1(0) ack 1", "> . 1:1(0) ack 1 <nop,nop,sack 3:4>"),
            "the options <nop,nop,sack 3:4> instead of <>");
  EXPECT_EQ(found("> . 1:1(0) ack 1", "> udp (5)"), "a packet of another protocol");
}

TEST(Match, JoinsWhatAnEngineWouldHaveGivenInOnePiece) {
  PacketSpec first = packet("> . 1:1001(1000) ack 1");
  const PacketSpec second = packet("> FP. 1001:1501(500) ack 1");
  ASSERT_TRUE(continues(first, second));
  join(first, second);
  EXPECT_EQ(to_string(first), "> FP. 1:1501(1500) ack 1");
  EXPECT_FALSE(continues(packet("> . 1:1001(1000) ack 1"), packet("> . 2001:3001(1000) ack 1")));
  EXPECT_FALSE(continues(packet("> . 1:1001(1000) ack 1"), packet("> . 1001:2001(1000) ack 2")));
  EXPECT_FALSE(continues(packet("> F. 1:1001(1000) ack 1"), packet("> . 1001:2001(1000) ack 1")));
}

// ---- octets

TEST(PacketOctets, SayWhatTheScriptSays) {
  const FourTuple flow{IpAddress::v4(192, 168, 0, 1), IpAddress::v4(192, 0, 2, 1), 8080, 4000};
  // Seen from the other end, what arrives is what was sent.
  const auto mirrored = [](const FourTuple& f) {
    return FourTuple{f.remote_address, f.local_address, f.remote_port, f.local_port};
  };
  for (const std::string text :
       {"[ce, tos 0x03, ttl 9] P. 5:15(10) ack 7 win 9 <nop,nop,TS val 1 ecr 2>",
        "[ect0, tos 0x02, ttl 64] SEW 5:5(0) win 9 <mss 1000,sackOK,kind 30 0x0102,nop,nop>",
        "[noecn, tos 0x00, ttl 64] U. 5:6(1) ack 7 win 0 urg 3"}) {
    const auto octets = build_packet(packet("< " + text), flow);
    const auto sent = read_sent_packet(Instant{}, octets);
    ASSERT_TRUE(sent.has_value()) << text << sent.error();
    EXPECT_EQ(sent->flow, mirrored(flow));
    PacketSpec spec = sent->packet;
    spec.marks.flow_label.reset();
    EXPECT_EQ(to_string(spec), "> " + text);
  }
}

TEST(PacketOctets, QuoteTheDatagramThatAnErrorIsAbout) {
  const FourTuple flow{IpAddress::v4(192, 168, 0, 1), IpAddress::v4(192, 0, 2, 1), 8080, 4000};
  PacketSpec error = packet("< icmp type 3 code 4 mtu 1300 [77:1537(1460)]");
  const auto octets = build_packet(error, flow);
  const auto ip = wire::parse_ip(octets);
  ASSERT_TRUE(ip.has_value());
  const auto message = wire::parse_icmp(*ip);
  ASSERT_TRUE(message.has_value());
  const auto about = wire::parse_icmp_error(*message, Family::ipv4);
  ASSERT_TRUE(about.has_value());
  EXPECT_EQ(about->tuple(), flow);
  EXPECT_EQ(about->seq, SeqNum(77));
  EXPECT_EQ(about->mtu, 1300u);
}

TEST(PacketOctets, RefuseWhatHasAWrongChecksum) {
  const FourTuple flow{IpAddress::v4(192, 168, 0, 1), IpAddress::v4(192, 0, 2, 1), 8080, 4000};
  auto octets = build_packet(packet("< . 5:15(10) ack 7"), flow);
  octets.back() ^= 1;
  EXPECT_FALSE(read_sent_packet(Instant{}, octets).has_value());
}

TEST(IcmpNames, DependOnTheFamily) {
  EXPECT_EQ(icmp_type(Family::ipv4, "unreachable"), 3);
  EXPECT_EQ(icmp_type(Family::ipv6, "unreachable"), 1);
  EXPECT_EQ(icmp_type(Family::ipv4, "packet_too_big"), std::nullopt);
  EXPECT_EQ(icmp_code(Family::ipv4, 3, "port_unreachable"), 3);
  EXPECT_EQ(icmp_code(Family::ipv4, 11, "ttl_exceeded_in_transit"), 0);
  EXPECT_EQ(icmp_code(Family::ipv6, 1, "port_unreachable"), 4);
}

}  // namespace
}  // namespace estab::drill
