#include "tools/units.h"

#include <gtest/gtest.h>

#include "estab/host.h"

namespace estab::tools {
namespace {

using namespace std::chrono_literals;

TEST(Units, ReadDurations) {
  EXPECT_EQ(parse_duration("60ms"), 60ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("250us"), 250us);
  EXPECT_EQ(parse_duration("7ns"), 7ns);
  EXPECT_EQ(parse_duration("2m"), 120s);
  EXPECT_EQ(parse_duration("1h"), 3600s);
  EXPECT_EQ(parse_duration("0"), 0s);
}

TEST(Units, RefuseDurationsThatAreNone) {
  for (const char* text : {"", "60", "ms", "60 ms", "60parsecs", "-1s", "1e3s", "inf", "nan", "1s2",
                           "1000000000h", "60MS"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Units, SayWhyAndWhatToWriteInstead) {
  EXPECT_EQ(parse_duration("60").error(),
            "has no unit; write a duration as 250us, 60ms, 1.5s, 2m or 1h");
  EXPECT_EQ(parse_duration("60parsecs").error(),
            "unknown unit 'parsecs'; write a duration as 250us, 60ms, 1.5s, 2m or 1h");
  EXPECT_EQ(parse_share("101%").error(), "too large; the most is 100%");
  EXPECT_EQ(parse_duration("1000000000h").error(), "too large; the most is 146 years");
  EXPECT_EQ(parse_size("99999999T").error(), "too large; the most is 8 EiB");
  EXPECT_TRUE(parse_size(std::string(400, '9')).error().starts_with("too large"));
  EXPECT_TRUE(parse_duration("-1s").error().starts_with("must not be negative"));
}

TEST(Units, ReadLimitsThatMayBeNone) {
  EXPECT_EQ(parse_limit("60ms"), 60ms);
  EXPECT_EQ(parse_limit("none"), kForever);
  EXPECT_EQ(parse_limit("forever"), kForever);
  EXPECT_EQ(parse_limit("never").error(),
            "not a number; write a duration as 250us, 60ms, 1.5s, 2m or 1h, or none");
  EXPECT_FALSE(parse_duration("none")) << "no limit is no duration";
}

TEST(Units, ReadWholeNumbersAndSayWhatIsWrongWithOthers) {
  const WholeNumber port{.what = "a port", .least = 1, .most = 65535};
  EXPECT_EQ(parse_whole("80", port), 80u);
  EXPECT_EQ(parse_whole("0", port).error(), "too small; the least is 1");
  EXPECT_EQ(parse_whole("65536", port).error(), "too large; the most is 65535");
  EXPECT_EQ(parse_whole("-1", port).error(),
            "must not be negative; write a number from 1 to 65535");
  for (const char* text : {"", "http", "80a", " 80", "8.0", "0x50", "-", "-a", "+80"})
    EXPECT_EQ(parse_whole(text, port).error(), "not a port; write a number from 1 to 65535")
        << text;
  EXPECT_EQ(parse_whole("18446744073709551615"), 18446744073709551615u);
  EXPECT_EQ(parse_whole("18446744073709551616").error(),
            "too large; the most is 18446744073709551615");
  EXPECT_EQ(parse_whole("x").error(), "not a whole number; write 0 or more");
}

TEST(Units, ReadRatesInPowersOfAThousand) {
  EXPECT_EQ(parse_rate("50M"), 50e6);
  EXPECT_EQ(parse_rate("1.5G"), 1.5e9);
  EXPECT_EQ(parse_rate("64k"), 64e3);
  EXPECT_EQ(parse_rate("1000"), 1000);
  EXPECT_FALSE(parse_rate("50Mi"));
  EXPECT_FALSE(parse_rate("fast"));
}

TEST(Units, ReadSizesInPowersOf1024UnlessWrittenInDecimalUnits) {
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("32M"), 32u << 20);
  EXPECT_EQ(parse_size("32MiB"), 32u << 20);
  EXPECT_EQ(parse_size("32MB"), 32'000'000u);
  EXPECT_EQ(parse_size("1.5k"), 1536u);
  EXPECT_EQ(parse_size("1G"), 1u << 30);
  EXPECT_FALSE(parse_size("32m"));
  EXPECT_FALSE(parse_size("-1"));
  EXPECT_FALSE(parse_size("99999999T"));
}

TEST(Units, ReadSharesAsFractions) {
  EXPECT_DOUBLE_EQ(parse_share("1%").value(), 0.01);
  EXPECT_DOUBLE_EQ(parse_share("0.05%").value(), 0.0005);
  EXPECT_EQ(parse_share("100%"), 1.0);
  EXPECT_EQ(parse_share("0"), 0.0);
  EXPECT_FALSE(parse_share("0.01"));
  EXPECT_FALSE(parse_share("101%"));
}

TEST(Units, AreWrittenWithThreeDigits) {
  EXPECT_EQ(format_duration(1500ms), "1.50 s");
  EXPECT_EQ(format_duration(60ms), "60.0 ms");
  EXPECT_EQ(format_duration(250us), "250 us");
  EXPECT_EQ(format_duration(17ns), "17 ns");
  EXPECT_EQ(format_rate(941e6), "941 Mbit/s");
  EXPECT_EQ(format_rate(20.04e9), "20.0 Gbit/s");
  EXPECT_EQ(format_rate(12), "12 bit/s");
  EXPECT_EQ(format_size(17), "17 B");
  EXPECT_EQ(format_size(64u << 20), "64.0 MiB");
  EXPECT_EQ(format_size(1536), "1.50 KiB");
}

}  // namespace
}  // namespace estab::tools
