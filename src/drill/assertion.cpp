#include "drill/assertion.h"

#include <cmath>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

namespace estab::drill {
namespace {

class NotUnderstood : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

bool is_name_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Reads and computes at once, by Python's precedence.
class Reader {
 public:
  Reader(std::string_view text, const FindName& find) : text_(text), find_(find) {}

  double expression() { return disjunction(); }
  bool at_end() {
    skip();
    return position_ == text_.size();
  }
  bool take(std::string_view sign) {
    skip();
    if (!text_.substr(position_).starts_with(sign)) return false;
    const bool is_word = is_name_part(sign.back());
    const std::size_t end = position_ + sign.size();
    if (is_word && end < text_.size() && is_name_part(text_[end])) return false;
    position_ = end;
    return true;
  }
  std::size_t position() const { return position_; }
  const std::set<std::string>& seen() const { return seen_; }

 private:
  static constexpr int kDeepest = 64;

  void skip() {
    while (position_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[position_])))
      ++position_;
  }

  double disjunction() {
    double value = conjunction();
    while (take("or")) {
      const double right = conjunction();
      value = value != 0 ? value : right;
    }
    return value;
  }
  double conjunction() {
    double value = negation();
    while (take("and")) {
      const double right = negation();
      value = value != 0 ? right : value;
    }
    return value;
  }
  double negation() { return take("not") ? (negation() == 0 ? 1 : 0) : comparison(); }

  std::optional<bool> compare_next(double left, double& right) {
    static constexpr std::string_view kSigns[] = {"==", "!=", "<=", ">=", "<", ">"};
    skip();
    for (const std::string_view sign : kSigns) {
      if (text_.substr(position_).starts_with("<<") || text_.substr(position_).starts_with(">>"))
        return std::nullopt;
      if (!take(sign)) continue;
      right = bits_or();
      if (sign == "==") return left == right;
      if (sign == "!=") return left != right;
      if (sign == "<=") return left <= right;
      if (sign == ">=") return left >= right;
      return sign == "<" ? left < right : left > right;
    }
    return std::nullopt;
  }

  /// `a < b <= c` holds if both do.
  double comparison() {
    double left = bits_or(), right = 0;
    auto holds = compare_next(left, right);
    if (!holds) return left;
    bool all = *holds;
    for (left = right; (holds = compare_next(left, right)); left = right) all &= *holds;
    return all ? 1 : 0;
  }

  static std::int64_t whole(double value) {
    if (value != std::floor(value)) throw NotUnderstood("bits of a number with a fraction");
    return static_cast<std::int64_t>(value);
  }

  double bits_or() {
    double value = bits_and();
    for (;;) {
      if (take("|"))
        value = static_cast<double>(whole(value) | whole(bits_and()));
      else if (take("^"))
        value = static_cast<double>(whole(value) ^ whole(bits_and()));
      else
        return value;
    }
  }
  double bits_and() {
    double value = shift();
    while (take("&")) value = static_cast<double>(whole(value) & whole(shift()));
    return value;
  }
  double shift() {
    double value = sum();
    for (;;) {
      if (take("<<"))
        value = std::ldexp(value, static_cast<int>(whole(sum())));
      else if (take(">>"))
        value = std::floor(std::ldexp(value, -static_cast<int>(whole(sum()))));
      else
        return value;
    }
  }
  double sum() {
    double value = product();
    for (;;) {
      if (take("+"))
        value += product();
      else if (take("-"))
        value -= product();
      else
        return value;
    }
  }
  double product() {
    double value = factor();
    for (;;) {
      if (take("//"))
        value = std::floor(value / factor());
      else if (take("/"))
        value /= factor();
      else if (take("%")) {
        const double by = factor();
        value -= std::floor(value / by) * by;
      } else if (take("*"))
        value *= factor();
      else
        return value;
    }
  }
  double factor() {
    if (take("-")) return -factor();
    if (take("+")) return factor();
    if (take("~")) return static_cast<double>(~whole(factor()));
    return primary();
  }

  double primary() {
    skip();
    if (position_ == text_.size()) throw NotUnderstood("an expression ends too early");
    if (take("(")) {
      if (++depth_ > kDeepest) throw NotUnderstood("too deep an expression");
      const double value = expression();
      --depth_;
      if (!take(")")) throw NotUnderstood(rest());
      return value;
    }
    const char c = text_[position_];
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.') return number();
    if (is_name_part(c)) return name();
    throw NotUnderstood(rest());
  }

  double number() {
    const std::string digits(text_.substr(position_));
    char* end = nullptr;
    const double value = std::strtod(digits.c_str(), &end);
    if (end == digits.c_str()) throw NotUnderstood(rest());
    position_ += static_cast<std::size_t>(end - digits.c_str());
    return value;
  }

  double name() {
    const std::size_t begin = position_;
    while (position_ < text_.size() && is_name_part(text_[position_])) ++position_;
    const std::string word(text_.substr(begin, position_ - begin));
    if (word == "True") return 1;
    if (word == "False") return 0;
    if (take("(")) return call(word);
    const auto value = find_(word);
    if (!value) throw NotUnderstood(word);
    seen_.insert(fmt::format("{} = {}", word, *value));
    return *value;
  }

  double call(const std::string& function) {
    std::vector<double> values;
    do {
      values.push_back(expression());
    } while (take(","));
    if (!take(")")) throw NotUnderstood(rest());
    if (function == "abs" && values.size() == 1) return std::fabs(values[0]);
    if (function == "int" && values.size() == 1) return std::trunc(values[0]);
    if (function == "min") return *std::min_element(values.begin(), values.end());
    if (function == "max") return *std::max_element(values.begin(), values.end());
    throw NotUnderstood(function + "()");
  }

  std::string rest() const { return std::string(text_.substr(position_, 40)); }

  std::string_view text_;
  const FindName& find_;
  std::size_t position_ = 0;
  int depth_ = 0;
  std::set<std::string> seen_;
};

/// Lines, those in parentheses or behind a backslash joined, comments left out; and what stands
/// between semicolons.
std::vector<std::string> statements_of(std::string_view code) {
  std::vector<std::string> statements(1);
  int open = 0;
  char quote = '\0';
  for (std::size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(' || c == '[') {
      ++open;
    } else if (c == ')' || c == ']') {
      --open;
    } else if (c == '#') {
      while (i + 1 < code.size() && code[i + 1] != '\n') ++i;
      continue;
    } else if (c == '\\' && i + 1 < code.size() && code[i + 1] == '\n') {
      ++i;
      continue;
    } else if ((c == '\n' || c == ';') && open <= 0) {
      statements.emplace_back();
      continue;
    }
    statements.back() += c;
  }
  return statements;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

Assertion check(const std::string& statement, const FindName& find) {
  static constexpr std::string_view kAssert = "assert";
  if (statement.starts_with("print")) return {};
  const bool is_assert = statement.starts_with(kAssert) && statement.size() > kAssert.size() &&
                         !is_name_part(statement[kAssert.size()]);
  if (!is_assert) return {Assertion::Outcome::unsupported, statement, {}};
  const std::string_view text = std::string_view(statement).substr(kAssert.size());
  Reader reader(text, find);
  try {
    const double value = reader.expression();
    // Behind a comma stands a message, which is for people.
    if (!reader.at_end() && !reader.take(","))
      return {Assertion::Outcome::unsupported, statement, {}};
    if (value != 0) return {};
    std::string values;
    for (const std::string& name : reader.seen()) values += (values.empty() ? "" : ", ") + name;
    return {Assertion::Outcome::failed, statement, values};
  } catch (const NotUnderstood& error) {
    return {Assertion::Outcome::unsupported, error.what(), {}};
  }
}

}  // namespace

Assertion evaluate(std::string_view code, const FindName& find) {
  for (const std::string& line : statements_of(code)) {
    const std::string statement = trimmed(line);
    if (statement.empty()) continue;
    const Assertion result = check(statement, find);
    if (result.outcome != Assertion::Outcome::holds) return result;
  }
  return {};
}

}  // namespace estab::drill
