#include "ip/aged_map.h"

#include <algorithm>
#include <deque>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace estab::ip {
namespace {

struct Number {
  std::uint8_t value = 0;
  std::array<std::uint8_t, 1> key_octets() const { return {value}; }
  friend bool operator==(const Number&, const Number&) = default;
};
using Map = AgedMap<Number, int>;

Map empty_map() {
  return Map({1, 2});
}

std::vector<int> by_age(const Map& map) {
  std::vector<int> values;
  map.for_each([&](const Number&, int value) { values.push_back(value); });
  return values;
}

TEST(AgedMap, FindsByKey) {
  Map map = empty_map();
  EXPECT_EQ(map.find(Number{1}), nullptr);
  map.insert({1}, 10);
  map.insert({2}, 20);
  ASSERT_NE(map.find(Number{1}), nullptr);
  EXPECT_EQ(*map.find(Number{1}), 10);
  EXPECT_EQ(*map.find(Number{2}), 20);
  EXPECT_EQ(map.find(Number{3}), nullptr);
}

TEST(AgedMap, KeepsTheOrderOfAge) {
  Map map = empty_map();
  for (std::uint8_t i = 1; i <= 4; ++i) map.insert({i}, i);
  EXPECT_EQ(by_age(map), (std::vector{1, 2, 3, 4}));
  map.touch({2});
  EXPECT_EQ(by_age(map), (std::vector{1, 3, 4, 2}));
  map.erase({3});
  EXPECT_EQ(by_age(map), (std::vector{1, 4, 2}));
  EXPECT_EQ(map.pop_oldest(), 1);
  EXPECT_EQ(map.oldest_key(), Number{4});
  map.touch({4});
  EXPECT_EQ(map.oldest(), 2);
}

TEST(AgedMap, IsEqualWhateverCameAndWentBefore) {
  Map straight = empty_map();
  straight.insert({1}, 10);
  straight.insert({2}, 20);
  Map roundabout = empty_map();
  for (std::uint8_t i = 100; i < 200; ++i) roundabout.insert({i}, i);
  roundabout.insert({1}, 10);
  for (std::uint8_t i = 100; i < 200; ++i) roundabout.erase({i});
  roundabout.insert({2}, 20);
  EXPECT_EQ(straight, roundabout);
  roundabout.touch({1});
  EXPECT_NE(straight, roundabout);
}

TEST(AgedMap, AgreesWithAPlainListOnRandomWork) {
  base::Prng prng(1);
  Map map = empty_map();
  std::deque<std::pair<Number, int>> model;
  for (int step = 0; step < 20'000; ++step) {
    const Number key{static_cast<std::uint8_t>(prng.below(40))};
    const auto known = std::ranges::find(model, key, &std::pair<Number, int>::first);
    ASSERT_EQ(map.find(key) != nullptr, known != model.end());
    if (known == model.end()) {
      map.insert(key, step);
      model.emplace_back(key, step);
    } else if (prng.below(2) == 0) {
      map.touch(key);
      const auto moved = *known;
      model.erase(known);
      model.push_back(moved);
    } else {
      map.erase(key);
      model.erase(known);
    }
    if (prng.below(500) == 0) {
      const auto is_even = [](const Number&, int value) { return value % 2 == 0; };
      map.erase_if(is_even);
      std::erase_if(model, [&](const auto& each) { return is_even(each.first, each.second); });
    }
    if (model.size() > 30) {
      ASSERT_EQ(map.pop_oldest(), model.front().second);
      model.pop_front();
    }
    ASSERT_EQ(map.size(), model.size());
  }
  std::vector<int> expected;
  for (const auto& [key, value] : model) expected.push_back(value);
  EXPECT_EQ(by_age(map), expected);
}

}  // namespace
}  // namespace estab::ip
