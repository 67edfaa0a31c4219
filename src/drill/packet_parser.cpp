// Packets in the notation of tcpdump.
#include <charconv>

#include "estab/segment.h"

#include "drill/grammar.h"

namespace estab::drill {
namespace {

std::uint32_t in_range(Lexer& lexer, std::int64_t number, std::uint32_t most, const char* what) {
  if (number < 0 || number > most)
    lexer.refuse(std::string(what) + " must be 0 to " + std::to_string(most) + ", not " +
                 std::to_string(number));
  return static_cast<std::uint32_t>(number);
}

std::uint32_t sequence_number(std::int64_t number) {
  return static_cast<std::uint32_t>(number);  // modulo 2^32, as on the wire
}

std::optional<EcnMark> ecn_mark(std::string_view word) {
  if (word == "noecn") return EcnMark::not_ect;
  if (word == "ect0") return EcnMark::ect0;
  if (word == "ect1") return EcnMark::ect1;
  if (word == "ect01") return EcnMark::ect;
  if (word == "ce") return EcnMark::ce;
  return std::nullopt;
}

void parse_mark(Lexer& lexer, IpMarks& marks) {
  const std::string word = lexer.expect_word();
  if (const auto ecn = ecn_mark(word)) {
    marks.ecn = ecn;
  } else if (word == "tos") {
    marks.tos = in_range(lexer, lexer.expect_integer(), 255, "tos");
  } else if (word == "ttl" || word == "hlim") {
    marks.ttl = in_range(lexer, lexer.expect_integer(), 255, "ttl");
  } else if (word == "flowlabel") {
    marks.flow_label = in_range(lexer, lexer.expect_integer(), 0xfffff, "flowlabel");
  } else {
    lexer.fail("expected noecn, ect0, ect1, ect01, ce, tos, ttl or flowlabel in place of '" + word +
               "'");
  }
}

std::uint32_t parse_udp_length(Lexer& lexer) {
  lexer.expect('(');
  const std::uint32_t length = in_range(lexer, lexer.expect_integer(), 65507, "the length");
  lexer.expect(')');
  return length;
}

/// Behind `[`: what an ICMP message quotes.
IcmpSpec::Quote parse_quote(Lexer& lexer) {
  IcmpSpec::Quote quote;
  if (lexer.take_if("udp")) {
    quote.protocol = IcmpSpec::Quote::Protocol::udp;
    quote.length = parse_udp_length(lexer);
  } else {
    const SequenceRange range = parse_sequence_range(lexer);
    quote.seq = range.first;
    quote.length = range.length;
  }
  lexer.expect(']');
  return quote;
}

/// Either marks or, before `icmp`, a quote.
void parse_brackets(Lexer& lexer, IpMarks& marks, std::optional<IcmpSpec::Quote>& quote) {
  while (lexer.take_if('[')) {
    if (lexer.peek().kind == Token::Kind::integer || lexer.peek().is_word("udp")) {
      quote = parse_quote(lexer);
      continue;
    }
    do {
      parse_mark(lexer, marks);
    } while (lexer.take_if(','));
    lexer.expect(']');
  }
  while (lexer.take_if('(')) {  // older scripts have marks in these
    do {
      parse_mark(lexer, marks);
    } while (lexer.take_if(','));
    lexer.expect(')');
  }
}

/// `{rep tcp win_size 0x1021; mut ipv4 ihl}`: what a fuzzer is to do to the packet.
std::string parse_mutations(Lexer& lexer) {
  std::string mutations;
  while (!lexer.take_if('}')) {
    if (lexer.peek().kind == Token::Kind::end) lexer.fail("'{' behind a packet ends with '}'");
    mutations += (mutations.empty() ? "" : " ") + lexer.take().text;
  }
  return mutations;
}

/// `sctp: INIT[flgs=0, ...]`, chunk for chunk: up to what begins the next event.
std::string parse_foreign(Lexer& lexer) {
  std::string protocol = lexer.take_run(":").text;
  const int line = lexer.line();
  while (lexer.peek().kind != Token::Kind::end && lexer.line() == line) lexer.take();
  return protocol;
}

bool names_outer_header(const Token& token) {
  return token.is_word("ipv4") || token.is_word("ipv6") || token.is_word("gre") ||
         token.is_word("mpls");
}

/// `ipv4 192.0.2.1 > 192.0.2.2:`, `gre:` and the like, up to the colon that ends it.
std::string parse_outer_header(Lexer& lexer) {
  std::string header;
  while (lexer.peek().kind != Token::Kind::end) {
    const std::string run = lexer.take_run().text;
    header += (header.empty() ? "" : " ") + run;
    if (run.ends_with(':')) return header;
  }
  lexer.fail("an outer header ends with ':'");
}

std::uint16_t flag_of(char letter) {
  switch (letter) {
    case 'F':
      return TcpFlags::kFin;
    case 'S':
      return TcpFlags::kSyn;
    case 'R':
      return TcpFlags::kRst;
    case 'P':
      return TcpFlags::kPsh;
    case '.':
      return TcpFlags::kAck;
    case 'U':
      return TcpFlags::kUrg;
    case 'E':
      return TcpFlags::kEce;
    case 'W':
    case 'C':
      return TcpFlags::kCwr;
    case 'A':
      return kAccurateEcn;
    default:
      return 0;
  }
}

/// A digit stands for the three bits of the ACE counter (RFC 9768 §3.1): AE, CWR, ECE.
std::uint16_t counter_flags(char digit) {
  const int value = digit - '0';
  return static_cast<std::uint16_t>(((value & 4) != 0 ? kAccurateEcn : 0) |
                                    ((value & 2) != 0 ? TcpFlags::kCwr : 0) |
                                    ((value & 1) != 0 ? TcpFlags::kEce : 0));
}

std::uint16_t parse_flags(Lexer& lexer) {
  std::uint16_t flags = 0;
  const Token run = lexer.take_run();
  for (const char letter : run.text) {
    const bool is_counter = letter >= '0' && letter <= '7';
    const std::uint16_t flag = is_counter ? counter_flags(letter) : flag_of(letter);
    if (flag == 0 && !is_counter && letter != '-')
      throw SyntaxError(run.line,
                        "expected flags (of F S R P U E W A, '.' for ACK, '-' for none), "
                        "udp or icmp, found '" +
                            run.text + "'");
    flags |= flag;
  }
  return flags;
}

TcpSpec parse_tcp(Lexer& lexer) {
  TcpSpec tcp;
  tcp.flags = parse_flags(lexer);
  const SequenceRange range = parse_sequence_range(lexer);
  tcp.seq = range.first;
  tcp.length = range.length;
  for (;;) {
    if (lexer.take_if("ack"))
      tcp.ack = sequence_number(lexer.expect_integer());
    else if (lexer.take_if("win"))
      tcp.window = in_range(lexer, lexer.expect_integer(), 65535, "win");
    else if (lexer.take_if("urg"))
      tcp.urgent = in_range(lexer, lexer.expect_integer(), 65535, "urg");
    else
      break;
  }
  if (lexer.take_if('<')) parse_tcp_options(lexer, tcp);
  return tcp;
}

IcmpSpec parse_icmp(Lexer& lexer, std::optional<IcmpSpec::Quote> quote) {
  IcmpSpec icmp;
  icmp.quote = quote;
  if (lexer.take_if("type")) {
    icmp.type = in_range(lexer, lexer.expect_integer(), 255, "type");
  } else {
    icmp.type_name = lexer.expect_word();
  }
  if (lexer.take_if("code"))
    icmp.code = in_range(lexer, lexer.expect_integer(), 255, "code");
  else if (lexer.peek().kind == Token::Kind::word && !lexer.peek().is_word("mtu") &&
           !lexer.peek().is_word("id") && !lexer.peek().is_word("seq"))
    icmp.code_name = lexer.take().text;
  for (;;) {
    if (lexer.take_if("mtu"))
      icmp.rest = in_range(lexer, lexer.expect_integer(), UINT32_MAX, "mtu");
    else if (lexer.take_if("id"))
      icmp.rest |= in_range(lexer, lexer.expect_integer(), 65535, "id") << 16;
    else if (lexer.take_if("seq"))
      icmp.rest |= in_range(lexer, lexer.expect_integer(), 65535, "seq");
    else if (lexer.take_if('['))
      icmp.quote = parse_quote(lexer);
    else
      return icmp;
  }
}

}  // namespace

SequenceRange parse_sequence_range(Lexer& lexer) {
  SequenceRange range;
  range.first = sequence_number(lexer.expect_integer());
  lexer.expect(':');
  const std::uint32_t last = sequence_number(lexer.expect_integer());
  lexer.expect('(');
  range.length = in_range(lexer, lexer.expect_integer(), 0x7fffffff, "the length");
  const int line = lexer.line();
  lexer.expect(')');
  if (last - range.first != range.length)
    throw SyntaxError(line, "the numbers in '" + std::to_string(range.first) + ":" +
                                std::to_string(last) + "(" + std::to_string(range.length) +
                                ")' disagree: the last less the first is not the length");
  return range;
}

PacketSpec parse_packet(Lexer& lexer) {
  PacketSpec packet;
  packet.direction = lexer.take().is('<') ? Direction::in : Direction::out;
  std::optional<IcmpSpec::Quote> quote;
  std::string outer;
  parse_brackets(lexer, packet.marks, quote);
  while (names_outer_header(lexer.peek())) {
    outer += (outer.empty() ? "" : " ") + parse_outer_header(lexer);
    parse_brackets(lexer, packet.marks, quote);
  }
  if (!outer.empty()) packet.beyond = "packets inside others ('" + outer + "')";
  if (lexer.peek().is_word("sctp") || lexer.peek().is_word("dccp")) {
    packet.beyond = "packets of " + parse_foreign(lexer);
    return packet;
  }
  if (lexer.take_if("udp")) {
    packet.transport = UdpSpec{parse_udp_length(lexer)};
  } else if (lexer.take_if("icmp")) {
    packet.transport = parse_icmp(lexer, quote);
  } else {
    packet.transport = parse_tcp(lexer);
  }
  if (lexer.take_if('{'))
    packet.beyond = "mutations of a packet ('" + parse_mutations(lexer) + "')";
  return packet;
}

}  // namespace estab::drill
