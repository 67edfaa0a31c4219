// The integer that times count in, and what std::chrono makes of it.
#include "estab/saturating.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

#include "estab/time.h"

#include "base/prng.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using std::chrono::hours, std::chrono::nanoseconds, std::chrono::milliseconds;

constexpr Saturating kMin = Saturating::kMin, kMax = Saturating::kMax;

// ---- the type: as cheap as what it holds, and an integer to all who meet it

static_assert(sizeof(Saturating) == sizeof(std::int64_t));
static_assert(std::is_trivially_copyable_v<Saturating> &&
              std::is_trivially_default_constructible_v<Saturating>);
static_assert(std::is_trivially_copyable_v<Duration> && std::is_trivially_copyable_v<Instant>);
static_assert(std::is_convertible_v<int, Saturating> && std::is_convertible_v<Saturating, int>);
static_assert(!std::is_convertible_v<double, Saturating>, "what has a fraction must be asked for");
static_assert(std::is_same_v<std::common_type_t<Saturating, int>, Saturating>);
static_assert(std::is_same_v<std::common_type_t<unsigned long, Saturating>, Saturating>);
static_assert(std::is_same_v<std::common_type_t<Saturating, double>, double>);
static_assert(!std::chrono::treat_as_floating_point_v<Saturating>);

// ---- arithmetic

static_assert(kMax + 1 == kMax && kMin - 1 == kMin && kMax + kMax == kMax && kMin + kMin == kMin);
static_assert(kMax - kMin == kMax && kMin - kMax == kMin && 0 - kMin == kMax && -kMin == kMax);
static_assert(kMax * 2 == kMax && kMax * -2 == kMin && kMin * 2 == kMin && kMin * -1 == kMax);
static_assert(kMin / -1 == kMax && kMin % -1 == 0 && kMax / 2 == Saturating::kMax / 2);
static_assert(kMax + kMin == -1 && kMax - kMax == 0 && kMax - 1 < kMax);
static_assert(Saturating(~std::uint64_t{0}) == kMax && Saturating(~std::uint32_t{0}) > 0);
static_assert(Saturating(1e30) == kMax && Saturating(-1e30) == kMin && Saturating(-2.9) == -2);
static_assert(Saturating(0x1p63) == kMax && Saturating(-0x1p63) == kMin);
static_assert(Saturating(1e30f) == kMax && Saturating(-0x1p63f) == kMin);
static_assert(Saturating(std::numeric_limits<double>::quiet_NaN()) == 0);
static_assert(Saturating(5) == 5 && 5 == Saturating(5) && Saturating(5) < 6u && 4 < Saturating(5));
static_assert(Saturating(-1) < 0u, "no conversion to unsigned on the way");

__extension__ using Wide = __int128;  // holds every exact result

TEST(Saturating, GivesTheExactResultOrTheNearerEnd) {
  base::Prng prng(1);
  const auto some = [&] {
    const std::uint64_t bits = prng.next() >> prng.below(64);
    return static_cast<std::int64_t>(prng.chance(0.5) ? bits : ~bits);
  };
  const auto clamp = [](Wide exact) {
    return static_cast<std::int64_t>(std::clamp<Wide>(exact, Saturating::kMin, Saturating::kMax));
  };
  for (int i = 0; i < 100'000; ++i) {
    const std::int64_t a = some(), b = some();
    const Wide x = a, y = b;
    const Saturating s(a), t(b);
    ASSERT_EQ((s + t).value(), clamp(x + y)) << a << " + " << b;
    ASSERT_EQ((s - t).value(), clamp(x - y)) << a << " - " << b;
    ASSERT_EQ((s * t).value(), clamp(x * y)) << a << " * " << b;
    ASSERT_EQ((s + b).value(), clamp(x + y)) << "with a built-in integer";
    ASSERT_EQ((a - t).value(), clamp(x - y)) << "with a built-in integer";
    ASSERT_EQ(s <=> t, a <=> b);
    if (b == 0) continue;
    ASSERT_EQ((s / t).value(), clamp(x / y)) << a << " / " << b;
    ASSERT_EQ((s % t).value(), clamp(x % y)) << a << " % " << b;
  }
}

TEST(Saturating, StepsToTheEndAndNoFurther) {
  Saturating up = kMax - 1, down = kMin + 1;
  EXPECT_EQ(up++, kMax - 1);
  EXPECT_EQ(++up, kMax);
  EXPECT_EQ(down--, kMin + 1);
  EXPECT_EQ(--down, kMin);
}

TEST(Saturating, TurnsIntoWhatIsWanted) {
  const Saturating seven(7);
  const std::int64_t integer = seven;
  const double real = seven;
  std::ostringstream out;
  out << seven << ' ' << kMin;
  EXPECT_EQ(integer, 7);
  EXPECT_EQ(real, 7.0);
  EXPECT_EQ(seven / 2.0, 3.5);
  EXPECT_EQ(std::to_string(seven), "7");
  EXPECT_EQ(out.str(), "7 -9223372036854775808");
}

// ---- times

static_assert(kForever == Duration::max() && kNever == Instant::max());
static_assert(Instant(1h) + kForever == kNever && kNever + 5s == kNever && kNever - kNever == 0s);
static_assert(Instant::min() - 1ns == Instant::min() && Instant(1h) - Instant::min() == kForever);
static_assert(Instant(-1h) - kNever == Duration::min());
static_assert(2 * kForever == kForever && kForever * 3 == kForever && -kForever < 0s);
static_assert(kForever + 5s == kForever && 5s + kForever == kForever && kForever > hours(1));
static_assert(Duration(hours::max()) == kForever && Duration(hours::min()) == Duration::min());
static_assert(Instant(1h) + hours::max() == kNever && Instant(1h) < kNever - 1ns);
static_assert(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1e290)) ==
              kForever);
static_assert(hours::max() > Duration(5s) && Duration(5s) == 5000ms && 60ms < Duration(61ms));

// ---- what users of std::chrono write

static_assert(std::is_convertible_v<std::chrono::seconds, Duration>);
static_assert(std::is_convertible_v<Duration, nanoseconds>, "for those who take the plain type");
static_assert(!std::is_convertible_v<Duration, milliseconds>, "which would lose something");
static_assert(!std::is_convertible_v<std::chrono::duration<double>, Duration>);
static_assert(std::is_same_v<decltype(Instant() - Instant()), Duration>);
static_assert(std::is_same_v<decltype(Instant() + 5ms), Instant>);
static_assert(std::is_same_v<decltype(2 * Duration() + nanoseconds()), Duration>);

TEST(Duration, WorksWithStdChrono) {
  Duration duration = 60ms;
  duration += 5us;
  duration = duration * 2 / 3 - 1ns;
  EXPECT_EQ(duration, 40'003'332ns);
  EXPECT_EQ(duration / 1ms, 40);
  EXPECT_EQ(duration % 1ms, 3332ns);
  EXPECT_EQ(std::chrono::duration_cast<milliseconds>(duration), 40ms);
  EXPECT_EQ(std::chrono::ceil<milliseconds>(duration), 41ms);
  EXPECT_EQ(std::chrono::round<std::chrono::seconds>(duration), 0s);
  EXPECT_EQ(std::chrono::abs(-duration), duration);
  EXPECT_EQ(std::chrono::duration<double>(Duration(1500ms)).count(), 1.5);
  EXPECT_EQ(duration * 0.5, std::chrono::duration<double>(0.020001666));
  EXPECT_EQ(std::max<Duration>(duration, 5s), 5s);
  EXPECT_EQ(std::chrono::time_point_cast<milliseconds>(Instant(duration)).time_since_epoch(), 40ms);
}

TEST(Duration, BecomesThePlainTypeAtTheEnds) {
  const nanoseconds forever = kForever;
  EXPECT_EQ(forever, nanoseconds::max());
  EXPECT_EQ(std::chrono::duration_cast<hours>(kForever), hours(2562047));
}

}  // namespace
}  // namespace estab
