#include "base/box.h"

#include <string>

#include <gtest/gtest.h>

namespace estab::base {
namespace {

TEST(Box, IsEmptyUntilItIsFilled) {
  Box<std::string> box;
  EXPECT_FALSE(box);
  EXPECT_EQ(box.emplace("abc"), "abc");
  EXPECT_TRUE(box);
  EXPECT_EQ(*box, "abc");
  EXPECT_EQ(box->size(), 3u);
  box.reset();
  EXPECT_FALSE(box);
}

TEST(Box, CopiesWhatItHolds) {
  Box<std::string> box, other;
  box.emplace("abc");
  const Box<std::string> copy = box;
  other.emplace("x");
  other = box;
  *box = "changed";
  EXPECT_EQ(*copy, "abc");
  EXPECT_EQ(*other, "abc");
  const Box<std::string>& itself = other;
  other = itself;
  EXPECT_EQ(*other, "abc");
  other = Box<std::string>();
  EXPECT_FALSE(other);
}

TEST(Box, EqualsWhatHoldsTheSame) {
  Box<int> a, b;
  EXPECT_EQ(a, b);
  a.emplace(1);
  EXPECT_NE(a, b);
  b.emplace(2);
  EXPECT_NE(a, b);
  *b = 1;
  EXPECT_EQ(a, b);
}

TEST(Box, CostsAPointerWhileItIsEmpty) {
  EXPECT_EQ(sizeof(Box<std::string>), sizeof(void*));
}

}  // namespace
}  // namespace estab::base
