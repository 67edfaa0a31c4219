#include "drill/parser.h"

#include "drill/grammar.h"
#include "drill/lexer.h"

namespace estab::drill {
namespace {

// Of a time in seconds: what fits as nanoseconds.
constexpr std::int64_t kLongestTime = 1'000'000'000;

constexpr std::int64_t kNanosecondsInSecond = 1'000'000'000;

bool begins_time(const Token& token) {
  return token.is('+') || token.is('*') || token.kind == Token::Kind::integer ||
         token.kind == Token::Kind::decimal;
}

EventTime parse_time(Lexer& lexer) {
  EventTime time;
  if (lexer.take_if('*')) {
    time.form = EventTime::Form::any;
    return time;
  }
  if (lexer.take_if('+')) time.form = EventTime::Form::relative;
  time.at = parse_seconds(lexer);
  if (lexer.take_if('~')) {
    lexer.take_if('+');
    time.until = parse_seconds(lexer);
    if (*time.until < time.at) lexer.fail("the end of the time's range is before its beginning");
  }
  return time;
}

/// The text from `begin` to `end` on one line, blanks run together.
std::string on_one_line(std::string_view text, std::size_t begin, std::size_t end) {
  std::string line;
  for (const char c : text.substr(begin, end - begin)) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!is_blank)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

ScriptEvent parse_event(Lexer& lexer) {
  ScriptEvent event;
  event.line = lexer.line();
  const std::size_t begin = lexer.peek().begin;
  event.time = parse_time(lexer);
  std::optional<Duration> ends;
  if (lexer.peek().kind == Token::Kind::ellipsis) {
    lexer.take();
    lexer.take_if('+');
    ends = parse_seconds(lexer);
  }
  const Token& next = lexer.peek();
  if (next.is('<') || next.is('>')) {
    event.action = parse_packet(lexer);
  } else if (next.kind == Token::Kind::command) {
    event.action = Command{lexer.take().text};
  } else if (next.kind == Token::Kind::code) {
    event.action = Code{lexer.take().text};
  } else if (next.kind == Token::Kind::word) {
    SystemCall call = parse_system_call(lexer);
    call.ends = ends;
    ends.reset();
    event.action = std::move(call);
  } else {
    lexer.fail("expected a packet, a system call, a command or code");
  }
  if (ends) throw SyntaxError(event.line, "only a system call can have a time at which it returns");
  event.source = on_one_line(lexer.text(), begin, lexer.taken_to());
  return event;
}

std::pair<std::string, std::string> parse_option(Lexer& lexer) {
  const std::string name = lexer.take().text.substr(2);
  if (!lexer.take_if('=')) return {name, std::string()};
  if (lexer.peek().kind == Token::Kind::text) return {name, lexer.take().text};
  return {name, lexer.take_run().text};
}

ScriptEvent setup_command(const Token& token) {
  ScriptEvent event;
  event.line = token.line;
  event.action = Command{token.text};
  event.source = "`" + token.text + "`";
  return event;
}

Script parse_all(Lexer& lexer) {
  Script script;
  while (lexer.peek().kind != Token::Kind::end) {
    const Token& next = lexer.peek();
    if (begins_time(next)) {
      script.events.push_back(parse_event(lexer));
    } else if (next.kind == Token::Kind::option) {
      script.options.push_back(parse_option(lexer));
    } else if (next.kind == Token::Kind::command && script.events.empty()) {
      script.setup.push_back(setup_command(lexer.take()));
    } else if (next.kind == Token::Kind::command) {
      ScriptEvent event = setup_command(lexer.take());  // without a time: after the event before
      event.time.form = EventTime::Form::any;
      script.events.push_back(std::move(event));
    } else {
      throw SyntaxError(lexer.line(),
                        "expected an event, which begins with its time, as in '+0', found " +
                            describe(lexer.peek()));
    }
  }
  for (const Token& command : lexer.configuration()) script.setup.push_back(setup_command(command));
  return script;
}

}  // namespace

Duration parse_seconds(Lexer& lexer) {
  const Token token = lexer.take();
  if (token.kind != Token::Kind::integer && token.kind != Token::Kind::decimal)
    throw SyntaxError(token.line, "expected a time in seconds, found " + describe(token));
  const std::size_t dot = token.text.find('.');
  std::int64_t whole = 0;
  for (const char c : token.text.substr(0, dot)) {
    if (c < '0' || c > '9' || whole >= kLongestTime / 10)
      throw SyntaxError(token.line, "the time '" + token.text + "' makes no sense");
    whole = whole * 10 + (c - '0');
  }
  std::int64_t fraction = 0, unit = kNanosecondsInSecond;
  if (dot != token.text.npos) {
    for (const char c : token.text.substr(dot + 1)) {
      unit /= 10;
      fraction += (c - '0') * unit;
    }
  }
  return Duration(whole * kNanosecondsInSecond + fraction);
}

std::expected<Script, ScriptError> parse_script(std::string_view text, const Defines& defines) {
  try {
    Lexer lexer(text, defines);
    return parse_all(lexer);
  } catch (const SyntaxError& error) {
    return std::unexpected(ScriptError{error.line(), error.what()});
  }
}

}  // namespace estab::drill
