#include "tools/http_text.h"

#include <gtest/gtest.h>

namespace estab::tools {
namespace {

TEST(HttpText, PercentDecodesAndRefusesHalfCodes) {
  EXPECT_EQ(percent_decode("a%20b%2Fc"), "a b/c");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("a%2"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz"), std::nullopt);
}

TEST(HttpText, PercentEncodesSoThatDecodingGivesItBack) {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  std::string encoded = percent_encode(every);
  EXPECT_EQ(percent_decode(encoded), every);
  EXPECT_EQ(encoded.find_first_of("\"<>&'/? #"), std::string::npos);
}

TEST(HttpText, EscapesWhatHtmlAndTerminalsWouldTakeForTheirOwn) {
  EXPECT_EQ(escape_html("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(escape_control("GET /\x1b[2J\n"), "GET /\\x1b[2J\\x0a");
}

TEST(HttpText, WritesAndReadsDatesInAllThreeForms) {
  EXPECT_EQ(format_http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), 784111777);
  EXPECT_EQ(parse_http_date("tomorrow"), std::nullopt);
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT, x"), std::nullopt);
}

TEST(HttpText, SplitsListsOutsideQuotedStrings) {
  std::string_view list = " a, \"b,\\\",c\" ,, d";
  EXPECT_EQ(next_element(list), "a");
  EXPECT_EQ(next_element(list), "\"b,\\\",c\"");
  EXPECT_EQ(next_element(list), "d");
  EXPECT_EQ(next_element(list), std::nullopt);
}

TEST(HttpText, ReadsFieldsAndRefusesWhatIsNone) {
  auto field = parse_field("Host:\t estab ");
  ASSERT_TRUE(field);
  EXPECT_EQ(field->name, "Host");
  EXPECT_EQ(field->value, "estab");
  EXPECT_FALSE(parse_field("Host : estab"));
  EXPECT_FALSE(parse_field(" Host: estab"));
  EXPECT_FALSE(parse_field("Host"));
  EXPECT_FALSE(parse_field(": estab"));
  EXPECT_FALSE(parse_field(std::string_view("X: a\0b", 6)));
  EXPECT_FALSE(parse_field("X: a\rb"));
}

TEST(HttpText, JoinsFieldsOfTheSameName) {
  Fields fields;
  fields.add("Connection", "Keep-Alive");
  fields.add("connection", "upgrade, close");
  EXPECT_EQ(fields.find("CONNECTION"), "Keep-Alive, upgrade, close");
  EXPECT_EQ(fields.count("connection"), 2u);
  EXPECT_TRUE(fields.lists("connection", "keep-alive"));
  EXPECT_TRUE(fields.lists("connection", "close"));
  EXPECT_FALSE(fields.lists("connection", "clos"));
  EXPECT_EQ(fields.find("Host"), std::nullopt);
}

TEST(HttpText, ReadsDecimalsWithoutSignsOrOverflow) {
  EXPECT_EQ(parse_decimal("18446744073709551615"), 18446744073709551615u);
  for (const char* text : {"", "-1", "+1", "1 ", "0x1", "18446744073709551616"})
    EXPECT_EQ(parse_decimal(text), std::nullopt) << text;
}

}  // namespace
}  // namespace estab::tools
