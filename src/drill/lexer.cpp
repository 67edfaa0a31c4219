#include "drill/lexer.h"

#include <cctype>
#include <cerrno>
#include <cstdlib>

namespace estab::drill {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

constexpr std::string_view kConfigMark = "CONFIG:";

}  // namespace

std::string describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::end:
      return "the end of the script";
    case Token::Kind::text:
      return "\"" + token.text + "\"";
    case Token::Kind::command:
      return "a command in backquotes";
    case Token::Kind::code:
      return "a code block";
    default:
      return "'" + token.text + "'";
  }
}

Lexer::Lexer(std::string_view text, Defines defines) : text_(text), defines_(std::move(defines)) {}

void Lexer::fail(const std::string& what) {
  // What is missing at the end of a line is missing there, wherever the next token stands.
  const int line = taken_line_ > 0 ? taken_line_ : peek().line;
  throw SyntaxError(line, what + ", found " + describe(peek()));
}

void Lexer::refuse(const std::string& what) const {
  throw SyntaxError(taken_line_, what);
}

void Lexer::advance(std::size_t characters) {
  for (; characters > 0 && position_ < text_.size(); --characters)
    if (text_[position_++] == '\n') ++line_;
}

Token Lexer::made(Token::Kind kind, std::size_t begin) const {
  Token token;
  token.kind = kind;
  token.text = text_.substr(begin, position_ - begin);
  token.begin = begin;
  token.end = position_;
  token.line = line_;
  return token;
}

const Token& Lexer::peek() {
  if (ahead_.empty()) {
    Token token = cut();
    const auto replaced =
        token.kind == Token::Kind::word ? defines_.find(token.text) : defines_.end();
    if (replaced == defines_.end()) {
      ahead_.push_back(std::move(token));
    } else {
      Lexer inner(replaced->second);
      for (Token part = inner.cut(); part.kind != Token::Kind::end; part = inner.cut()) {
        part.line = token.line;
        part.begin = token.begin;
        part.end = token.end;
        ahead_.push_back(part);
      }
      if (ahead_.empty()) return peek();
    }
  }
  return ahead_.front();
}

Token Lexer::take() {
  Token token = peek();
  ahead_.erase(ahead_.begin());
  taken_to_ = token.end;
  taken_line_ = token.line;
  return token;
}

Token Lexer::take_run(std::string_view stops) {
  const Token first = peek();
  if (first.kind == Token::Kind::end) return take();
  // Back to where the token began: it was cut by other rules than these.
  ahead_.clear();
  position_ = first.begin;
  line_ = first.line;
  while (position_ < text_.size() && !is_blank(at(0)) && stops.find(at(0)) == stops.npos)
    advance(1);
  Token run = made(Token::Kind::word, first.begin);
  if (const auto replaced = defines_.find(run.text); replaced != defines_.end())
    run.text = replaced->second;
  taken_to_ = position_;
  taken_line_ = line_;
  return run;
}

bool Lexer::take_if(char mark) {
  if (!peek().is(mark)) return false;
  take();
  return true;
}

bool Lexer::take_if(std::string_view word) {
  if (!peek().is_word(word)) return false;
  take();
  return true;
}

void Lexer::expect(char mark) {
  if (!take_if(mark)) fail(std::string("expected '") + mark + "'");
}

std::int64_t Lexer::expect_integer() {
  if (peek().kind != Token::Kind::integer) fail("expected a number");
  return take().number;
}

std::string Lexer::expect_word() {
  if (peek().kind != Token::Kind::word) fail("expected a word");
  return take().text;
}

void Lexer::skip_line_comment() {
  const std::size_t begin = position_;
  while (position_ < text_.size() && at(0) != '\n') ++position_;
  const std::string_view comment = text_.substr(begin, position_ - begin);
  const std::size_t mark = comment.find(kConfigMark);
  if (mark == comment.npos || comment.find_first_not_of("/# \t") != mark) return;
  Token command = made(Token::Kind::command, begin);
  command.text = comment.substr(mark + kConfigMark.size());
  configuration_.push_back(command);
}

void Lexer::skip_block_comment() {
  const std::size_t close = text_.find("*/", position_ + 2);
  if (close == text_.npos) throw SyntaxError(line_, "a comment begins here, and no */ ends it");
  advance(close + 2 - position_);
}

void Lexer::skip_blanks() {
  while (position_ < text_.size()) {
    if (is_blank(at(0))) {
      advance(1);
    } else if ((at(0) == '/' && at(1) == '/') || at(0) == '#') {
      skip_line_comment();
    } else if (at(0) == '/' && at(1) == '*') {
      skip_block_comment();
    } else {
      return;
    }
  }
}

Token Lexer::cut_quoted(char quote, Token::Kind kind) {
  const std::size_t begin = position_;
  const int line = line_;
  advance(1);
  std::string content;
  while (position_ < text_.size() && at(0) != quote) {
    if (at(0) == '\\' && position_ + 1 < text_.size()) {
      content += at(0);
      advance(1);
    }
    content += at(0);
    advance(1);
  }
  if (position_ == text_.size())
    throw SyntaxError(line, std::string("a quotation begins here, and no ") + quote + " ends it");
  advance(1);
  Token token = made(kind, begin);
  token.text = content;
  token.line = line;
  return token;
}

Token Lexer::cut_code() {
  const std::size_t begin = position_;
  const int line = line_;
  const std::size_t close = text_.find("}%", position_ + 2);
  if (close == text_.npos) throw SyntaxError(line, "code begins here, and no }% ends it");
  advance(close + 2 - position_);
  Token token = made(Token::Kind::code, begin);
  token.text = text_.substr(begin + 2, close - begin - 2);
  token.line = line;
  return token;
}

// The dot of a fraction has a digit behind it: `0...0.2` is a number, an ellipsis and a number.
Token Lexer::cut_number() {
  const std::size_t begin = position_;
  if (at(0) == '0' && (at(1) == 'x' || at(1) == 'X')) {
    position_ += 2;
    while (std::isxdigit(static_cast<unsigned char>(at(0)))) ++position_;
  } else {
    while (is_digit(at(0))) ++position_;
  }
  const bool is_whole = !(at(0) == '.' && is_digit(at(1)));
  if (!is_whole) {
    ++position_;
    while (is_digit(at(0))) ++position_;
    return made(Token::Kind::decimal, begin);
  }
  if (is_word_part(at(0))) {  // a name that begins with digits, such as a cookie: 00aabb
    while (is_word_part(at(0))) ++position_;
    return made(Token::Kind::word, begin);
  }
  Token token = made(Token::Kind::integer, begin);
  const bool is_hexadecimal = token.text.size() > 1 && (token.text[1] | 0x20) == 'x';
  errno = 0;
  token.number = static_cast<std::int64_t>(
      std::strtoull(token.text.c_str(), nullptr, is_hexadecimal ? 16 : 10));
  if (errno == ERANGE) throw SyntaxError(line_, "the number " + token.text + " is too large");
  return token;
}

Token Lexer::cut_word() {
  const std::size_t begin = position_;
  while (is_word_part(at(0))) ++position_;
  return made(Token::Kind::word, begin);
}

Token Lexer::cut() {
  skip_blanks();
  const std::size_t begin = position_;
  if (position_ == text_.size()) return made(Token::Kind::end, begin);
  const char c = at(0);
  if (c == '"') return cut_quoted('"', Token::Kind::text);
  if (c == '`') return cut_quoted('`', Token::Kind::command);
  if (c == '%' && at(1) == '{') return cut_code();
  if (c == '-' && at(1) == '-' && is_word_part(at(2))) {
    position_ += 2;
    while (is_word_part(at(0))) ++position_;
    return made(Token::Kind::option, begin);
  }
  if (c == '.' && at(1) == '.' && at(2) == '.') {
    position_ += 3;
    return made(Token::Kind::ellipsis, begin);
  }
  if (is_digit(c) || (c == '.' && is_digit(at(1)))) return cut_number();
  if (is_word_part(c)) return cut_word();
  ++position_;
  return made(Token::Kind::mark, begin);
}

}  // namespace estab::drill
