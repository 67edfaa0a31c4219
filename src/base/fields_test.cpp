#include "base/fields.h"

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace estab::base {
namespace {

class Counter {
 public:
  int kept = 0;     // what it is
  int counted = 0;  // what it has done
  int slot = 0;     // where it lies
  bool timed = false;
  Instant at{};  // means something only if it is timed
  std::shared_ptr<const std::vector<int>> shared{};

  friend bool operator==(const Counter& a, const Counter& b);
  void hash_into(Hasher& hasher) const;

 private:
  auto fields() const {
    const auto& [is, did, lies, is_timed, when, common] = *this;
    return base::fields(is, history(did), derived(lies), is_timed, If{is_timed}.decides(when),
                        common);
  }
};

bool operator==(const Counter& a, const Counter& b) {
  return a.fields() == b.fields();
}

void Counter::hash_into(Hasher& hasher) const {
  hasher.add(fields());
}

std::uint64_t hash_of(const Counter& counter) {
  Hasher hasher;
  hasher.add(counter);
  return hasher.finish();
}

std::uint64_t hash_of_future(const Counter& counter) {
  Hasher hasher = Hasher::of_future(Instant{});
  hasher.add(counter);
  return hasher.finish();
}

constexpr Instant kOneSecond{std::chrono::seconds(1)};

TEST(Fields, OfAnyKindButDerivedAreComparedAndHashed) {
  const Counter zero;
  for (const Counter& other :
       {Counter{.kept = 1}, Counter{.counted = 1}, Counter{.timed = true},
        Counter{.at = kOneSecond}, Counter{.shared = std::make_shared<std::vector<int>>(3)}}) {
    EXPECT_NE(other, zero);
    EXPECT_NE(hash_of(other), hash_of(zero));
  }
  EXPECT_EQ(Counter{.slot = 1}, zero);
  EXPECT_EQ(hash_of(Counter{.slot = 1}), hash_of(zero));
}

TEST(Fields, OfHistoryAreLeftOutOfAHashOfTheFuture) {
  EXPECT_EQ(hash_of_future({.counted = 1}), hash_of_future({}));
  EXPECT_NE(hash_of_future({.kept = 1}), hash_of_future({}));
}

TEST(Fields, ThatDecideOnlyAtTimesAreInAHashOfTheFutureThen) {
  EXPECT_EQ(hash_of_future({.at = kOneSecond}), hash_of_future({}));
  EXPECT_NE(hash_of_future({.timed = true, .at = kOneSecond}), hash_of_future({.timed = true}));
}

TEST(Fields, ThatAreSharedAreComparedByWhatIsShared) {
  const Counter a{.shared = std::make_shared<std::vector<int>>(3, 7)};
  const Counter b{.shared = std::make_shared<std::vector<int>>(3, 7)};
  const Counter c{.shared = std::make_shared<std::vector<int>>(3, 8)};
  EXPECT_EQ(a, b);
  EXPECT_EQ(hash_of(a), hash_of(b));
  EXPECT_NE(a, c);
  EXPECT_NE(hash_of(a), hash_of(c));
}

TEST(Hasher, TellsTheAlternativesOfAVariantApart) {
  using Either = std::variant<int, unsigned>;
  Hasher left, right;
  left.add(Either{1});
  right.add(Either{1u});
  EXPECT_NE(left.finish(), right.finish());
}

}  // namespace
}  // namespace estab::base
