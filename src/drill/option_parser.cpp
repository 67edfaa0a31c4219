// TCP options, from their names or in hexadecimal.
#include <cctype>

#include "base/byte_order.h"
#include "drill/grammar.h"
#include "drill/option_kinds.h"

namespace estab::drill {
namespace {

using Body = std::vector<std::uint8_t>;

void append(Body& body, std::uint32_t number, int octets) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8)
    body.push_back(static_cast<std::uint8_t>(number >> shift));
}

std::int64_t number_up_to(Lexer& lexer, std::int64_t most) {
  if (lexer.peek().kind == Token::Kind::integer && lexer.peek().number > most)
    lexer.fail("expected a number of at most " + std::to_string(most));
  return lexer.expect_integer();
}

Body hexadecimal(Lexer& lexer, std::string_view digits) {
  if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
  if (digits.size() % 2 != 0) lexer.fail("expected an even number of hexadecimal digits");
  Body octets;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const std::string pair(digits.substr(i, 2));
    if (!std::isxdigit(static_cast<unsigned char>(pair[0])) ||
        !std::isxdigit(static_cast<unsigned char>(pair[1])))
      lexer.fail("expected hexadecimal digits in place of '" + std::string(digits) + "'");
    octets.push_back(static_cast<std::uint8_t>(std::stoul(pair, nullptr, 16)));
  }
  return octets;
}

/// Octets in hexadecimal, if there are any before the next option.
Body optional_hexadecimal(Lexer& lexer) {
  if (lexer.peek().is(',') || lexer.peek().is('>')) return {};
  return hexadecimal(lexer, lexer.take_run(",>").text);
}

void expect_named(Lexer& lexer, std::string_view word) {
  if (!lexer.take_if(word)) lexer.fail("expected '" + std::string(word) + "'");
}

Body parse_timestamps(Lexer& lexer) {
  Body body;
  expect_named(lexer, "val");
  append(body, static_cast<std::uint32_t>(number_up_to(lexer, UINT32_MAX)), 4);
  expect_named(lexer, "ecr");
  append(body, static_cast<std::uint32_t>(number_up_to(lexer, UINT32_MAX)), 4);
  return body;
}

Body parse_sack(Lexer& lexer) {
  Body body;
  while (lexer.peek().kind == Token::Kind::integer) {
    append(body, static_cast<std::uint32_t>(lexer.expect_integer()), 4);
    lexer.expect(':');
    append(body, static_cast<std::uint32_t>(lexer.expect_integer()), 4);
  }
  return body;
}

/// `ECN e1b 1 ceb 0 e0b 1`: counters of 24 bits; which of the two kinds it is shows in their order.
TcpOption parse_accurate_ecn(Lexer& lexer) {
  TcpOption option{.kind = option_kind::kAccurateEcn0, .body = {}};
  bool is_first = true;
  while (lexer.peek().kind == Token::Kind::word) {
    const std::string name = lexer.expect_word();
    if (is_first && name == "e1b") option.kind = option_kind::kAccurateEcn1;
    is_first = false;
    append(option.body, static_cast<std::uint32_t>(number_up_to(lexer, 0xffffff)), 3);
  }
  return option;
}

Body experimental(std::uint16_t identifier, const Body& rest) {
  Body body;
  append(body, identifier, 2);
  body.insert(body.end(), rest.begin(), rest.end());
  return body;
}

/// A whole option as octets: kind, length, the rest.
TcpOption parse_octets(Lexer& lexer) {
  const Body octets = hexadecimal(lexer, lexer.take_run(",>").text);
  TcpOption option{.kind = octets.empty() ? std::uint8_t{0} : octets[0], .verbatim = true};
  if (octets.size() > 1) {
    option.length = octets[1];
    option.body.assign(octets.begin() + 2, octets.end());
  }
  return option;
}

/// `kind 30 0x0102`, `kind 30 len 9 0x0102`.
TcpOption parse_numbered(Lexer& lexer) {
  TcpOption option{.kind = static_cast<std::uint8_t>(number_up_to(lexer, 255)), .verbatim = true};
  if (lexer.take_if("len")) option.length = static_cast<std::uint8_t>(number_up_to(lexer, 255));
  option.body = optional_hexadecimal(lexer);
  if (!option.length && option.kind > option_kind::kNop)
    option.length = static_cast<std::uint8_t>(option.body.size() + 2);
  return option;
}

TcpOption parse_named(Lexer& lexer, const std::string& name) {
  TcpOption option;
  if (name == "eol") {
    option.kind = option_kind::kEnd;
  } else if (name == "nop") {
    option.kind = option_kind::kNop;
  } else if (name == "mss") {
    option.kind = option_kind::kMss;
    append(option.body, static_cast<std::uint32_t>(number_up_to(lexer, 65535)), 2);
  } else if (name == "wscale") {
    option.kind = option_kind::kWindowScale;
    append(option.body, static_cast<std::uint32_t>(number_up_to(lexer, 255)), 1);
  } else if (name == "sackOK") {
    option.kind = option_kind::kSackPermitted;
  } else if (name == "sack") {
    option = {.kind = option_kind::kSack, .body = parse_sack(lexer)};
  } else if (name == "TS") {
    option = {.kind = option_kind::kTimestamps, .body = parse_timestamps(lexer)};
  } else if (name == "FO") {
    option = {.kind = option_kind::kFastOpen, .body = optional_hexadecimal(lexer)};
  } else if (name == "FOEXP") {
    option = {.kind = option_kind::kExperiment,
              .body = experimental(option_kind::kFastOpenIdentifier, optional_hexadecimal(lexer))};
  } else if (name == "md5") {
    option = {.kind = option_kind::kMd5, .body = optional_hexadecimal(lexer)};
    option.body.resize(option_kind::kMd5Octets);
  } else if (name == "ECN") {
    option = parse_accurate_ecn(lexer);
  } else if (name == "kind" || name == "opt") {
    option = parse_numbered(lexer);
  } else {
    lexer.fail("there is no TCP option '" + name + "'; write others as in 'kind 30 0x0102'");
  }
  return option;
}

TcpOption parse_option(Lexer& lexer) {
  if (lexer.peek().kind == Token::Kind::integer) return parse_octets(lexer);
  return parse_named(lexer, lexer.expect_word());
}

}  // namespace

void parse_tcp_options(Lexer& lexer, TcpSpec& tcp) {
  if (lexer.take_if('>')) return;
  if (lexer.peek().kind == Token::Kind::ellipsis) {
    lexer.take();
    tcp.any_options = true;
    lexer.expect('>');
    return;
  }
  do {
    tcp.options.push_back(parse_option(lexer));
  } while (lexer.take_if(','));
  lexer.expect('>');
}

}  // namespace estab::drill
