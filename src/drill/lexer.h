// The words of a script. They are cut off one at a time and on demand, since what a run of
// characters means depends on where it stands: `.5` is a time, flags, or the end of `P.5`.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "drill/script.h"

namespace estab::drill {

/// A script that cannot be read. Thrown inside the parser only.
class SyntaxError : public std::runtime_error {
 public:
  SyntaxError(int line, const std::string& what) : std::runtime_error(what), line_(line) {}
  int line() const { return line_; }

 private:
  int line_;
};

struct Token {
  enum class Kind : std::uint8_t {
    end,
    word,
    integer,
    decimal,  ///< a number with a fraction
    text,     ///< "...", the quotes taken off
    command,  ///< `...`
    code,     ///< %{ ... }%
    option,   ///< --name
    ellipsis,
    mark,  ///< any other character
  };
  Kind kind = Kind::end;
  std::string text{};
  std::int64_t number = 0;
  int line = 1;
  std::size_t begin = 0, end = 0;  ///< where it stands in the script

  bool is(char mark) const { return kind == Kind::mark && text[0] == mark; }
  bool is_word(std::string_view word) const { return kind == Kind::word && text == word; }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text, Defines defines = {});

  const Token& peek();
  Token take();
  /// The run of characters up to the next blank, or to one of `stops`.
  Token take_run(std::string_view stops = {});
  bool take_if(char mark);
  bool take_if(std::string_view word);
  void expect(char mark);
  std::int64_t expect_integer();
  std::string expect_word();

  int line() { return peek().line; }
  /// Where the last token taken ended, and its line.
  std::size_t taken_to() const { return taken_to_; }
  int taken_line() const { return taken_line_; }
  std::string_view text() const { return text_; }
  /// What comes next is not what should.
  [[noreturn]] void fail(const std::string& what);
  /// What was just taken makes no sense.
  [[noreturn]] void refuse(const std::string& what) const;

  /// Commands in `// CONFIG:` comments met so far.
  const std::vector<Token>& configuration() const { return configuration_; }

 private:
  Token cut();
  void skip_blanks();
  void skip_line_comment();
  void skip_block_comment();
  Token cut_quoted(char quote, Token::Kind kind);
  Token cut_code();
  Token cut_number();
  Token cut_word();
  Token made(Token::Kind kind, std::size_t begin) const;
  char at(std::size_t ahead) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }
  void advance(std::size_t characters);

  std::string_view text_;
  Defines defines_;
  std::size_t position_ = 0;
  int line_ = 1;
  std::size_t taken_to_ = 0;
  int taken_line_ = 0;        // of the last token taken; 0: none yet
  std::vector<Token> ahead_;  // what stands before position_: replacements, then one looked at
  std::vector<Token> configuration_;
};

/// How a token is named in a message.
std::string describe(const Token& token);

}  // namespace estab::drill
