#include "base/ensure.h"

#include <cstdio>

#include <gtest/gtest.h>

namespace estab::base {
namespace {

void print_where(const char* file, unsigned line, const char* function) {
  std::fprintf(stderr, "failed: %s:%u in %s\n", file, line, function);
}

void fail_in_handler(const char*, unsigned, const char*) {
  std::fprintf(stderr, "handler called\n");
  ensure(false);
}

TEST(Ensure, LetsTrueConditionsPass) {
  ensure(true);
  static_assert((ensure(1 + 1 == 2), true), "usable at compile time");
}

TEST(EnsureDeathTest, AbortsOnFalseInEveryBuild) {
  EXPECT_EXIT(ensure(false), testing::KilledBySignal(SIGABRT), "");
}

TEST(EnsureDeathTest, TellsTheHandlerWhereItFailed) {
  EXPECT_DEATH(
      {
        set_assertion_handler(print_where);
        ensure(false);
      },
      "failed: .*ensure_test\\.cpp:[0-9]+ in .*TestBody");
}

TEST(EnsureDeathTest, AbortsWhenTheHandlerItselfFails) {
  EXPECT_EXIT(
      {
        set_assertion_handler(fail_in_handler);
        ensure(false);
      },
      testing::KilledBySignal(SIGABRT), "handler called");
}

}  // namespace
}  // namespace estab::base
