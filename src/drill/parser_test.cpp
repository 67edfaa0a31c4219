// The language: every construct once, and what is said of mistakes.
#include "drill/parser.h"

#include <gtest/gtest.h>

#include "estab/segment.h"

#include "drill/option_kinds.h"
#include "drill/packet.h"

namespace estab::drill {
namespace {

using std::chrono_literals::operator""ms, std::chrono_literals::operator""us,
    std::chrono_literals::operator""s;

Script parsed(std::string_view text, const Defines& defines = {}) {
  auto script = parse_script(text, defines);
  EXPECT_TRUE(script.has_value()) << text << "\n" << (script ? "" : script.error().what);
  return script ? *script : Script{};
}

ScriptEvent event(std::string_view text, const Defines& defines = {}) {
  Script script = parsed(text, defines);
  EXPECT_EQ(script.events.size(), 1u) << text;
  return script.events.empty() ? ScriptEvent{} : script.events[0];
}

template <class Transport>
Transport packet(std::string_view text) {
  const auto action = event("+0 " + std::string(text)).action;
  const auto* found = std::get_if<PacketSpec>(&action);
  EXPECT_NE(found, nullptr) << text;
  return found ? std::get<Transport>(found->transport) : Transport{};
}
TcpSpec tcp(std::string_view text) {
  return packet<TcpSpec>(text);
}

SystemCall call(std::string_view text) {
  const auto action = event("+0 " + std::string(text)).action;
  const auto* found = std::get_if<SystemCall>(&action);
  EXPECT_NE(found, nullptr) << text;
  return found ? *found : SystemCall{};
}

/// "line: what", or nothing if the script can be read.
std::string mistake_in(std::string_view text) {
  const auto script = parse_script(text);
  return script ? "" : std::to_string(script.error().line) + ": " + script.error().what;
}

// ---- times

TEST(ScriptTime, IsAbsoluteRelativeOrOpen) {
  EXPECT_EQ(event("0.25 `true`").time.at, 250ms);
  EXPECT_EQ(event("0.25 `true`").time.form, EventTime::Form::absolute);
  EXPECT_EQ(event("+.01 `true`").time.at, 10ms);
  EXPECT_EQ(event("+1 `true`").time.form, EventTime::Form::relative);
  EXPECT_EQ(event("* `true`").time.form, EventTime::Form::any);
  EXPECT_EQ(event("+0.000001 `true`").time.at, 1us);
}

TEST(ScriptTime, CanBeARange) {
  const EventTime relative = event("+0.0~+0.25 > . 1:1(0) ack 1").time;
  EXPECT_EQ(relative.at, 0s);
  EXPECT_EQ(relative.until, 250ms);
  const EventTime absolute = event("0.1~0.2 > . 1:1(0) ack 1").time;
  EXPECT_EQ(absolute.at, 100ms);
  EXPECT_EQ(absolute.until, 200ms);
}

TEST(ScriptTime, OfACallCanHaveAnEnd) {
  const ScriptEvent blocking = event("+0...0.200 accept(3, ..., ...) = 4");
  EXPECT_EQ(blocking.time.at, 0s);
  EXPECT_EQ(std::get<SystemCall>(blocking.action).ends, 200ms);
  EXPECT_EQ(std::get<SystemCall>(event("+.002 ... 0.004 close(3) = 0").action).ends, 4ms);
  EXPECT_EQ(std::get<SystemCall>(event("0.1...0.2 close(3) = 0").action).ends, 200ms);
}

// ---- packets

TEST(ScriptPacket, HasFlagsNumbersAndFields) {
  const TcpSpec segment = tcp("< FP. 1:1001(1000) ack 5 win 257 urg 7");
  EXPECT_EQ(segment.flags, TcpFlags::kFin | TcpFlags::kPsh | TcpFlags::kAck);
  EXPECT_EQ(segment.seq, 1u);
  EXPECT_EQ(segment.length, 1000u);
  EXPECT_EQ(segment.ack, 5u);
  EXPECT_EQ(segment.window, 257);
  EXPECT_EQ(segment.urgent, 7);
}

TEST(ScriptPacket, KnowsEveryFlag) {
  EXPECT_EQ(flags_text(tcp("> SFRPUEWA. 0:0(0)").flags), "SFRPUEWA.");
  EXPECT_EQ(tcp("> - 0:0(0)").flags, 0);
  EXPECT_EQ(tcp("> P5. 0:0(0)").flags,
            TcpFlags::kPsh | TcpFlags::kAck | TcpFlags::kEce | kAccurateEcn);
  EXPECT_EQ(tcp("> .5 0:0(0)").flags, TcpFlags::kAck | TcpFlags::kEce | kAccurateEcn);
}

TEST(ScriptPacket, NumbersWrap) {
  const TcpSpec segment = tcp("< . 4294967290:4(10) ack 4294967295 win 1");
  EXPECT_EQ(segment.seq, 0xfffffffau);
  EXPECT_EQ(segment.length, 10u);
  EXPECT_EQ(segment.ack, 0xffffffffu);
  EXPECT_EQ(tcp("< . 4294967290:4294967300(10)").length, 10u);
}

TEST(ScriptPacket, HasMarksOfIp) {
  const auto marks = [](const std::string& text) {
    return std::get<PacketSpec>(event("+0 > " + text + " . 1:1(0) ack 1").action).marks;
  };
  EXPECT_EQ(marks("[ect0]").ecn, EcnMark::ect0);
  EXPECT_EQ(marks("[ce]").ecn, EcnMark::ce);
  EXPECT_EQ(marks("[ect01]").ecn, EcnMark::ect);
  EXPECT_EQ(marks("[noecn]").ecn, EcnMark::not_ect);
  EXPECT_EQ(marks("[tos 0x28, ttl 7]").tos, 0x28);
  EXPECT_EQ(marks("[tos 0x28, ttl 7]").ttl, 7);
  EXPECT_EQ(marks("[flowlabel 0x12345]").flow_label, 0x12345u);
}

TEST(ScriptPacket, HasEveryOption) {
  const std::string options =
      "<mss 1460,nop,wscale 8,sackOK,TS val 100 ecr 200,nop,nop,sack 1:2 3:4,eol>";
  EXPECT_EQ(to_string(tcp("> S 0:0(0) " + options).options), options);
  EXPECT_TRUE(tcp("> S 0:0(0) <...>").any_options);
  EXPECT_TRUE(tcp("> S 0:0(0) <>").options.empty());
  EXPECT_EQ(to_string(tcp("> S 0:0(0) <FO,nop,nop>").options), "<FO,nop,nop>");
  EXPECT_EQ(to_string(tcp("> S 0:0(0) <FO abcd1234>").options), "<FO abcd1234>");
  const TcpSpec experiment = tcp("> S 0:0(0) <FOEXP 0011223344556677>");
  EXPECT_EQ(experiment.options[0].kind, option_kind::kExperiment);
  EXPECT_EQ(experiment.options[0].body.size(), 10u);
  EXPECT_EQ(tcp("> S 0:0(0) <md5>").options[0].body.size(), 16u);
  EXPECT_EQ(tcp("> . 0:0(0) <ECN e1b 1 ceb 0 e0b 1,nop>").options[0].kind,
            option_kind::kAccurateEcn1);
}

TEST(ScriptPacket, HasOptionsNobodyKnowsAndBrokenOnes) {
  const TcpOption numbered = tcp("< S 0:0(0) <kind 30 0x0102>").options[0];
  EXPECT_EQ(numbered.kind, 30);
  EXPECT_EQ(numbered.body, (std::vector<std::uint8_t>{1, 2}));
  const TcpOption octets = tcp("< S 0:0(0) <0x020305>").options[0];
  EXPECT_EQ(octets.kind, 2);
  EXPECT_EQ(octets.length, 3);
  EXPECT_EQ(octets.body, (std::vector<std::uint8_t>{5}));
  EXPECT_EQ(tcp("< S 0:0(0) <kind 2 len 9 0x05>").options[0].length, 9);
}

TEST(ScriptPacket, OfUdpHasALength) {
  EXPECT_EQ(packet<UdpSpec>("< udp (1000)").length, 1000u);
}

TEST(ScriptPacket, OfIcmpNamesTypeCodeAndWhatItQuotes) {
  const auto behind = packet<IcmpSpec>("< icmp unreachable frag_needed mtu 1300 [1:1461(1460)]");
  const auto before = packet<IcmpSpec>("< [1:1461(1460)] icmp unreachable frag_needed mtu 1300");
  for (const IcmpSpec& icmp : {behind, before}) {
    EXPECT_EQ(icmp.type_name, "unreachable");
    EXPECT_EQ(icmp.code_name, "frag_needed");
    EXPECT_EQ(icmp.rest, 1300u);
    ASSERT_TRUE(icmp.quote);
    EXPECT_EQ(icmp.quote->seq, 1u);
    EXPECT_EQ(icmp.quote->length, 1460u);
  }
  EXPECT_EQ(packet<IcmpSpec>("< icmp type 3 code 1 [udp (10)]").quote->protocol,
            IcmpSpec::Quote::Protocol::udp);
}

TEST(ScriptPacket, CanBeInsideOthers) {
  const auto action =
      event("+0 < ipv6 2::2222 > 1::1111: gre: mpls (label 0, tc 0, ttl 0): . 1:1(0) ack 1").action;
  EXPECT_EQ(std::get<PacketSpec>(action).beyond,
            "packets inside others ('ipv6 2::2222 > 1::1111: gre: mpls (label 0, tc 0, ttl 0):')");
}

TEST(ScriptPacket, CanHaveItsMarksInRoundBrackets) {
  const auto action = event("+0 > (flowlabel 0x12345) R 0:0(0) <...>").action;
  EXPECT_EQ(std::get<PacketSpec>(action).marks.flow_label, 0x12345u);
}

TEST(ScriptPacket, NamesWhatTheRunnerHasNotGot) {
  const auto beyond = [](std::string_view line) {
    return std::get<PacketSpec>(event(line).action).beyond;
  };
  EXPECT_EQ(beyond("+0 < . 1:1(0) ack 1 win 257 { rep tcp win_size 0x10; trun tcp 34-36 }"),
            "mutations of a packet ('rep tcp win_size 0x10 ; trun tcp 34 - 36')");
  EXPECT_EQ(beyond("+0 < sctp: INIT[flgs=0, tag=1, a_rwnd=1500, os=1, is=1, tsn=1]"),
            "packets of sctp");
  EXPECT_EQ(beyond("+0 < . 1:1(0) ack 1 win 257"), "");
}

// ---- calls

TEST(ScriptCall, HasArgumentsAndAResult) {
  const SystemCall read = call("read(4, ..., 1000) = 999");
  EXPECT_EQ(read.name, "read");
  ASSERT_EQ(read.arguments.size(), 3u);
  EXPECT_EQ(read.arguments[0].number, 4);
  EXPECT_TRUE(read.arguments[1].is_ellipsis());
  EXPECT_EQ(read.result.number, 999);
}

TEST(ScriptCall, CanFailAndSayWhy) {
  const SystemCall failed =
      call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)");
  EXPECT_EQ(failed.result.number, -1);
  EXPECT_EQ(failed.error, "EINPROGRESS");
  const SystemCall flags = call("fcntl(3, F_GETFL) = 0x02 (flags O_RDWR)");
  EXPECT_EQ(flags.result.number, 2);
  EXPECT_EQ(flags.error, "");
}

TEST(ScriptCall, HasStructures) {
  const SystemCall bind = call(
      "bind(3, {sa_family = AF_INET, sin_port = htons(8080), "
      "sin_addr = inet_addr(\"192.168.0.1\")}, ...) = 0");
  const Expression& address = bind.arguments[1];
  ASSERT_EQ(address.kind, Expression::Kind::structure);
  EXPECT_EQ(address.items[1].label, "sin_port");
  EXPECT_EQ(address.items[1].kind, Expression::Kind::call);
  EXPECT_EQ(address.items[2].items[0].text, "192.168.0.1");
  const SystemCall message = call(
      "recvmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 100}, {..., 200}], msg_flags=MSG_TRUNC|"
      "MSG_PEEK, msg_control=[{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=9000}]}, 0) = "
      "10");
  const Expression& header = message.arguments[1];
  ASSERT_EQ(header.items.size(), 4u);
  EXPECT_EQ(header.items[1].label, "msg_iov");
  EXPECT_EQ(header.items[1].items[1].items[1].number, 200);
  EXPECT_EQ(header.items[2].kind, Expression::Kind::operation);
  EXPECT_EQ(header.items[3].items[0].items[2].number, 9000);
}

TEST(ScriptCall, EndsBeforeTheTimeOfTheNextEvent) {
  EXPECT_EQ(parsed("+0 read(3, ..., 5) = 5\n* > . 1:1(0) ack 6\n").events.size(), 2u);
  EXPECT_EQ(parsed("+0 read(3, ..., 5) = 5\n+1 > . 1:1(0) ack 6\n").events.size(), 2u);
}

// ---- the rest

TEST(ScriptText, HasCommentsOfThreeKinds) {
  EXPECT_EQ(parsed("// one\n/* two\n * three */\n# four\n+0 `true` // five\n").events.size(), 1u);
}

TEST(ScriptText, HasOptionsAndSettings) {
  const Script script = parsed(
      "--ip_version=ipv6\n--tolerance_usecs=75000 // so much\n--send_omit_free\n"
      "// CONFIG: sysctl -q net.ipv4.tcp_ecn=1\n`defaults.sh\nset_sysctls.py a=1`\n+0 `true`\n");
  ASSERT_EQ(script.options.size(), 3u);
  EXPECT_EQ(script.options[0], std::pair(std::string("ip_version"), std::string("ipv6")));
  EXPECT_EQ(script.options[1].second, "75000");
  EXPECT_EQ(script.options[2].second, "");
  ASSERT_EQ(script.setup.size(), 2u);
  EXPECT_EQ(std::get<Command>(script.setup[1].action).text, " sysctl -q net.ipv4.tcp_ecn=1");
}

TEST(ScriptText, HasCode) {
  const ScriptEvent code = event("+0 %{\nassert tcpi_state == 1\n}%");
  EXPECT_EQ(std::get<Code>(code.action).text, "\nassert tcpi_state == 1\n");
}

TEST(ScriptText, HasWordsReplaced) {
  const auto action = event("+0 < S 0:0(0) <FO COOKIE>", {{"COOKIE", "aabb"}}).action;
  EXPECT_EQ(std::get<TcpSpec>(std::get<PacketSpec>(action).transport).options[0].body.size(), 2u);
  const auto other = event("+0 close(FD) = 0", {{"FD", "3"}}).action;
  EXPECT_EQ(std::get<SystemCall>(other).arguments[0].number, 3);
}

TEST(ScriptText, KeepsTheLineAndTheWordsOfAnEvent) {
  const Script script = parsed("// x\n\n+0   read(4,\n        ..., 10) = 10\n");
  EXPECT_EQ(script.events[0].line, 3);
  EXPECT_EQ(script.events[0].source, "+0 read(4, ..., 10) = 10");
}

TEST(ScriptMistake, IsNamedWithItsLine) {
  const std::pair<const char*, const char*> kMistakes[] = {
      {"+0 > . 1:2(3)\n", "1: the numbers in '1:2(3)' disagree"},
      {"\n+0 > X 1:1(0)\n", "2: expected flags"},
      {"+0 close(3)\n", "1: expected '=', found the end of the script"},
      {"+0 close(3)\n+0 read(4, ..., 1) = 1\n", "1: expected '=', found '+'"},
      {"+0 close(3) = 0\n\nhello\n", "3: expected an event"},
      {"+0 close(3 = 0\n", "1: expected ')'"},
      {"hello\n", "1: expected an event"},
      {"+0\n", "1: expected a packet, a system call"},
      {"+0 < . 1:1(0) win 70000\n", "1: win must be 0 to 65535, not 70000"},
      {"+0 < S 0:0(0) <mss 1460,what 3>\n", "1: there is no TCP option 'what'"},
      {"+0 `true\n", "1: a quotation begins here"},
      {"/* no end", "1: a comment begins here"},
      {"+0 %{ no end", "1: code begins here"},
      {"+0...1 > . 1:1(0)\n", "1: only a system call can have"},
      {"+.2~+.1 > . 1:1(0)\n", "1: the end of the time's range"},
      {"+0 close(99999999999999999999) = 0\n", "1: the number 99999999999999999999 is too large"},
  };
  for (const auto& [text, what] : kMistakes)
    EXPECT_NE(mistake_in(text).find(what), std::string::npos) << text << mistake_in(text);
}

TEST(ScriptMistake, OfAnyKindEndsTheReading) {
  std::string deep = "+0 f(";
  for (int i = 0; i < 100'000; ++i) deep += "[";
  EXPECT_NE(mistake_in(deep).find("nested too deeply"), std::string::npos);
  std::string unary = "+0 f(";
  for (int i = 0; i < 100'000; ++i) unary += "-";
  EXPECT_NE(mistake_in(unary).find("nested too deeply"), std::string::npos);
}

}  // namespace
}  // namespace estab::drill
