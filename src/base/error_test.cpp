#include "estab/error.h"

#include <system_error>

#include <gtest/gtest.h>

namespace estab {
namespace {

TEST(ErrorCode, IsMadeOfAnyError) {
  const std::error_code code = Error::connection_reset;
  EXPECT_STREQ(code.category().name(), "estab");
  EXPECT_EQ(code.message(), message(Error::connection_reset));
  EXPECT_EQ(code, Error::connection_reset);
  EXPECT_NE(code, Error::connection_refused);
  EXPECT_TRUE(std::error_code(Error::connection_refused)) << "the first is no success";
}

TEST(ErrorCode, EqualsWhatTheSystemCallsSayForIt) {
  const auto same = [](Error error, std::errc condition) {
    return std::error_code(error) == condition;
  };
  EXPECT_TRUE(same(Error::connection_refused, std::errc::connection_refused));
  EXPECT_TRUE(same(Error::port_unreachable, std::errc::connection_refused));
  EXPECT_TRUE(same(Error::user_timeout, std::errc::timed_out));
  EXPECT_TRUE(same(Error::timed_out, std::errc::timed_out));
  EXPECT_TRUE(same(Error::cancelled, std::errc::operation_canceled));
  EXPECT_TRUE(same(Error::would_block, std::errc::resource_unavailable_try_again));
  EXPECT_TRUE(same(Error::would_block, std::errc::operation_would_block));
  EXPECT_FALSE(same(Error::cancelled, std::errc::timed_out));
}

TEST(ErrorCode, TheEndOfAStreamIsLikeNoErrorOfTheSystem) {
  const std::error_code code = Error::end_of_stream;
  EXPECT_EQ(code.default_error_condition().category(), error_category());
  EXPECT_EQ(code, Error::end_of_stream);
}

TEST(ErrorCode, ASentenceThereIsForValuesThatAreNone) {
  EXPECT_EQ(std::error_code(0, error_category()).message(), "unknown error");
  EXPECT_EQ(std::error_code(99, error_category()).message(), "unknown error");
}

}  // namespace
}  // namespace estab
