#include "tools/suggestion.h"

#include <gtest/gtest.h>

namespace estab::tools {
namespace {

const std::vector<std::string> kCommands = {"serve", "get", "connect", "listen", "demo", "doctor"};

TEST(Suggestion, FindsWhatAFewSlipsOfTheFingerHide) {
  EXPECT_EQ(nearest("sreve", kCommands), "serve");
  EXPECT_EQ(nearest("serv", kCommands), "serve");
  EXPECT_EQ(nearest("conect", kCommands), "connect");
  EXPECT_EQ(nearest("lissten", kCommands), "listen");
  EXPECT_EQ(nearest("git", kCommands), "get");
}

TEST(Suggestion, IsSilentWhereNothingIsNear) {
  EXPECT_EQ(nearest("frobnicate", kCommands), std::nullopt);
  EXPECT_EQ(nearest("", {}), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 's'), kCommands), std::nullopt);
  EXPECT_EQ(did_you_mean("frobnicate", kCommands), "");
  EXPECT_EQ(did_you_mean("sreve", kCommands), "; did you mean 'serve'?");
}

}  // namespace
}  // namespace estab::tools
