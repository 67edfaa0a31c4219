#include "tools/url.h"

#include <gtest/gtest.h>

namespace estab::tools {
namespace {

TEST(Url, IsAnAddressAPortAndATarget) {
  auto url = parse_url("http://10.77.0.1:8080/a/b?c=d#e");
  ASSERT_TRUE(url) << url.error();
  EXPECT_EQ(url->server, (Endpoint{IpAddress::v4(10, 77, 0, 1), 8080}));
  EXPECT_EQ(url->authority, "10.77.0.1:8080");
  EXPECT_EQ(url->target, "/a/b?c=d");
}

TEST(Url, DefaultsToPort80AndTheRoot) {
  auto url = parse_url("HTTP://10.77.0.1");
  ASSERT_TRUE(url) << url.error();
  EXPECT_EQ(url->server.port, 80);
  EXPECT_EQ(url->target, "/");
  EXPECT_EQ(parse_url("http://10.77.0.1:/")->server.port, 80);
  EXPECT_EQ(parse_url("http://10.77.0.1?q")->target, "/?q");
}

TEST(Url, TakesIpv6InBrackets) {
  auto url = parse_url("http://[fd00::1]:81/x");
  ASSERT_TRUE(url) << url.error();
  EXPECT_EQ(url->server, *Endpoint::parse("[fd00::1]:81"));
  EXPECT_EQ(url->authority, "[fd00::1]:81");
}

TEST(Url, SaysThatThereIsNoDns) {
  auto url = parse_url("http://example.org/");
  ASSERT_FALSE(url);
  EXPECT_NE(url.error().find("names are not resolved"), std::string::npos) << url.error();
}

TEST(Url, SaysWhatIsWrong) {
  auto reason = [](const char* text) {
    auto url = parse_url(text);
    return url ? "accepted" : url.error();
  };
  EXPECT_NE(reason("https://10.0.0.1/").find("TLS"), std::string::npos);
  EXPECT_NE(reason("10.0.0.1").find("begins with http://"), std::string::npos);
  EXPECT_NE(reason("http://fd00::1/").find("in brackets"), std::string::npos);
  EXPECT_NE(reason("http://[fd00::1/").find("not closed"), std::string::npos);
  EXPECT_NE(reason("http://[10.0.0.1]/").find("not an IPv6 address"), std::string::npos);
  EXPECT_NE(reason("http://[fd00::1]x/").find("is not a port"), std::string::npos);
  EXPECT_NE(reason("http://10.0.0.1:0/").find("too small; the least is 1"), std::string::npos);
  EXPECT_NE(reason("http://10.0.0.1:65536/").find("too large; the most is 65535"),
            std::string::npos);
  EXPECT_NE(reason("http://me@10.0.0.1/").find("user name"), std::string::npos);
  EXPECT_NE(reason("http://10.0.0.1/a b").find("percent-encoded"), std::string::npos);
  EXPECT_NE(reason("http://10.0.0.1/a\r\nX: y").find("percent-encoded"), std::string::npos);
  EXPECT_NE(reason("http:///x").find("not an IP address"), std::string::npos);
}

TEST(Url, NamesAFileByItsLastSegment) {
  EXPECT_EQ(file_name(*parse_url("http://10.0.0.1/a/b%20c.txt?x")), "b c.txt");
  EXPECT_EQ(file_name(*parse_url("http://10.0.0.1/a/")), "index.html");
  EXPECT_EQ(file_name(*parse_url("http://10.0.0.1/%2e%2e%2fetc")), "index.html");
}

}  // namespace
}  // namespace estab::tools
