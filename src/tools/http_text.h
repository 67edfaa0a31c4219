// The small change of HTTP's text: characters, fields, percent-encoding, dates (RFC 9110 §5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estab::tools {

bool equals_ignoring_case(std::string_view a, std::string_view b);  ///< ASCII only
bool is_token(std::string_view text);                               ///< RFC 9110 §5.6.2
std::string_view trim(std::string_view text);                       ///< of spaces and tabs
/// Digits only, and few enough.
std::optional<std::uint64_t> parse_decimal(std::string_view text);
/// The next element of a comma-separated list, trimmed, taken off `list`. Empty elements are
/// skipped (RFC 9110 §5.6.1.2); commas in quoted strings do not separate. Nothing at the end.
std::optional<std::string_view> next_element(std::string_view& list);

/// Nothing if a % is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);
/// For one segment of a path: everything but unreserved characters is encoded.
std::string percent_encode(std::string_view text);
/// For text within HTML, attribute values included.
std::string escape_html(std::string_view text);
/// For log lines and terminals: control characters come out as \xNN.
std::string escape_control(std::string_view text);

/// Seconds since 1970-01-01 UTC.
using UnixTime = std::int64_t;
/// `Sun, 06 Nov 1994 08:49:37 GMT`.
std::string format_http_date(UnixTime time);
/// The same, and the two obsolete forms of RFC 9110 §5.6.7.
std::optional<UnixTime> parse_http_date(std::string_view text);

struct Field {
  std::string name;
  std::string value;
};

/// The fields of one message, in order.
class Fields {
 public:
  void add(std::string name, std::string value) {
    list_.push_back({std::move(name), std::move(value)});
  }
  std::size_t size() const { return list_.size(); }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  std::size_t count(std::string_view name) const;
  /// The value; several of the same name joined by ", " (RFC 9110 §5.3). Nothing if there is none.
  std::optional<std::string> find(std::string_view name) const;
  /// Whether the list in field `name` has `element`, ignoring case.
  bool lists(std::string_view name, std::string_view element) const;

 private:
  std::vector<Field> list_;
};

/// Splits `Name: value`. Nothing if it is not that: no colon, a name that is no token (which
/// includes a space before the colon, RFC 9112 §5.1), control characters in the value.
std::optional<Field> parse_field(std::string_view line);

}  // namespace estab::tools
