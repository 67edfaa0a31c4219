// The names of enumerators that the public headers promise.
#include <set>
#include <string_view>

#include <gtest/gtest.h>

#include "estab/error.h"
#include "estab/info.h"
#include "estab/state.h"
#include "estab/trace.h"
#include "estab/verdict.h"

#include "base/named.h"

namespace estab {
namespace {

enum class Small { zero, one };
using SmallTable = std::array<base::Named<Small>, 2>;
static_assert(base::is_complete(SmallTable{{{Small::zero, "zero"}, {Small::one, "one"}}}, 2));
static_assert(!base::is_complete(SmallTable{{{Small::zero, "zero"}, {Small::one, "one"}}}, 3));
static_assert(!base::is_complete(SmallTable{{{Small::one, "one"}, {Small::zero, "zero"}}}, 2));
static_assert(!base::is_complete(SmallTable{{{Small::zero, "zero"}}}, 2));

template <class Enum>
void expect_different_names(Enum last) {
  std::set<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const std::string_view text = name(static_cast<Enum>(i));
    EXPECT_TRUE(seen.insert(text).second) << text;
  }
  EXPECT_FALSE(seen.contains("unknown"));
  EXPECT_EQ(name(static_cast<Enum>(255)), "unknown");
}

TEST(State, HasTheNamesOfTheRfc) {
  EXPECT_EQ(name(State::closed), "CLOSED");
  EXPECT_EQ(name(State::syn_received), "SYN-RECEIVED");
  EXPECT_EQ(name(State::fin_wait_1), "FIN-WAIT-1");
  EXPECT_EQ(name(State::time_wait), "TIME-WAIT");
  expect_different_names(State::time_wait);
}

TEST(Verdict, HasItsOwnName) {
  EXPECT_EQ(name(Verdict::accepted), "accepted");
  EXPECT_EQ(name(Verdict::queue_full), "queue_full");
  EXPECT_EQ(name(Verdict::count_), "unknown");
  expect_different_names(static_cast<Verdict>(kVerdictCount - 1));
}

TEST(SendReason, HasItsOwnName) {
  EXPECT_EQ(name(SendReason::open), "open");
  EXPECT_EQ(name(SendReason::reset_timeout), "reset_timeout");
  expect_different_names(SendReason::reset_timeout);
}

TEST(Timer, HasItsOwnName) {
  EXPECT_EQ(name(Timer::delayed_ack), "delayed_ack");
  expect_different_names(Timer::time_wait);
}

TEST(LossRule, HasItsOwnName) {
  EXPECT_EQ(name(LossRule::rack), "rack");
  expect_different_names(LossRule::too_big);
}

TEST(UndoProof, HasItsOwnName) {
  EXPECT_EQ(name(UndoProof::f_rto), "f_rto");
  expect_different_names(UndoProof::f_rto);
}

TEST(CaState, HasItsOwnName) {
  EXPECT_EQ(name(CaState::cwr), "cwr");
  expect_different_names(CaState::loss);
}

TEST(FastOpenOutcome, HasItsOwnName) {
  EXPECT_EQ(name(FastOpenOutcome::taken), "taken");
  expect_different_names(FastOpenOutcome::syn_retransmitted);
}

TEST(Error, HasItsOwnName) {
  EXPECT_EQ(name(Error::connection_refused), "connection_refused");
  EXPECT_EQ(name(Error::invalid_argument), "invalid_argument");
  expect_different_names(Error::invalid_argument);
}

TEST(Error, HasASentenceOfItsOwn) {
  std::set<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(Error::invalid_argument); ++i) {
    const std::string_view sentence = message(static_cast<Error>(i));
    EXPECT_GT(sentence.size(), 15U);
    EXPECT_FALSE(sentence.ends_with('.')) << sentence;
    EXPECT_TRUE(seen.insert(sentence).second) << sentence;
  }
  EXPECT_EQ(message(static_cast<Error>(255)), "unknown error");
}

}  // namespace
}  // namespace estab
