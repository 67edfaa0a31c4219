// Reassembler: what lies beyond a gap, in which order it comes out, and what is told of it.

#include "tcp/receive/reassembler.h"

#include <algorithm>
#include <map>

#include "base/hasher.h"
#include "base/prng.h"
#include "tcp/testing/octets.h"

namespace estab::tcp {
namespace {

using Stored = Reassembler::Stored;
using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;

constexpr Reassembler::Limits kNoLimits{1 << 20, 1 << 30};

struct ReassemblerTest : testing::Test {
  Stored store(std::int64_t from, std::int64_t to, Reassembler::Limits limits = kNoLimits) {
    const OctetVector octets = stream(from, to);
    return gaps.store(at(from), {octets}, limits, pool);
  }
  Stored store_forged(std::int64_t from, std::int64_t to) {
    const OctetVector octets = forged(from, to);
    return gaps.store(at(from), {octets}, kNoLimits, pool);
  }
  /// Everything that continues at `next`, in one.
  OctetVector taken(std::int64_t next) {
    OctetVector octets;
    while (auto piece = gaps.take_next(at(next + static_cast<std::int64_t>(octets.size())), pool))
      octets.insert(octets.end(), piece->octets().begin(), piece->octets().end());
    return octets;
  }
  Ranges sack(std::int64_t next, std::size_t max = 4) {
    Ranges ranges;
    for (const SackBlock& block : gaps.sack_blocks(SequenceSpace(), at(next), max))
      ranges.emplace_back(block.left.value(), block.right.value());
    return ranges;
  }
  static std::uint64_t hash(const Reassembler& holder) {
    base::Hasher hasher;
    holder.hash_into(hasher);
    return hasher.finish();
  }

  BlockPool pool;
  Reassembler gaps;
};

TEST_F(ReassemblerTest, HoldsNothingAtFirst) {
  EXPECT_TRUE(gaps.empty());
  EXPECT_EQ(gaps.octets(), 0u);
  EXPECT_EQ(gaps.memory(), 0u);
  EXPECT_EQ(gaps.take_next(at(1), pool), std::nullopt);
  EXPECT_EQ(sack(1), Ranges{});
}

TEST_F(ReassemblerTest, GivesNothingWhileThereIsAGap) {
  EXPECT_EQ(store(101, 201), Stored::added);
  EXPECT_EQ(taken(100).size(), 0u);
  EXPECT_EQ(taken(101), stream(101, 201));
  EXPECT_TRUE(gaps.empty());
}

TEST_F(ReassemblerTest, ReportsAFinThatStandsBehindWhatIsHeld) {
  EXPECT_EQ(store(101, 201), Stored::added);
  const auto right = [&](std::int64_t fin) {
    return gaps.sack_blocks(SequenceSpace(), at(1), 4, at(fin))[0].right;
  };
  EXPECT_EQ(right(201), SeqNum(202));
  EXPECT_EQ(right(301), SeqNum(201));
}

TEST_F(ReassemblerTest, PutsEveryPermutationOfSegmentsInOrder) {
  std::array<int, 6> order = {1, 2, 3, 4, 5, 6};
  do {
    gaps.release_all(pool);
    for (const int i : order) ASSERT_EQ(store(i * 100, i * 100 + 100), Stored::added);
    ASSERT_EQ(gaps.octets(), 600u);
    ASSERT_EQ(taken(100), stream(100, 700));
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(ReassemblerTest, PutsEveryPermutationOfOverlappingSegmentsInOrder) {
  const std::array<std::pair<int, int>, 6> parts = {
      {{100, 250}, {200, 400}, {240, 260}, {390, 500}, {100, 600}, {550, 700}}};
  std::array<int, 6> order = {0, 1, 2, 3, 4, 5};
  do {
    gaps.release_all(pool);
    for (const int i : order) store(parts[i].first, parts[i].second);
    ASSERT_EQ(gaps.octets(), 600u);
    (void)sack(1);  // which tells of a duplicate
    ASSERT_EQ(sack(1), (Ranges{{100, 700}}));
    ASSERT_EQ(taken(100), stream(100, 700));
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(ReassemblerTest, KeepsTheFirstCopyOfAnOctet) {
  store(100, 200);
  store(300, 400);
  EXPECT_EQ(store_forged(50, 450), Stored::added);
  const OctetVector octets = taken(50);
  const auto part = [&](int from, int to) {
    return OctetVector(octets.begin() + from - 50, octets.begin() + to - 50);
  };
  ASSERT_EQ(octets.size(), 400u);
  EXPECT_EQ(part(50, 100), forged(50, 100));
  EXPECT_EQ(part(100, 200), stream(100, 200));
  EXPECT_EQ(part(200, 300), forged(200, 300));
  EXPECT_EQ(part(300, 400), stream(300, 400));
  EXPECT_EQ(part(400, 450), forged(400, 450));
}

TEST_F(ReassemblerTest, SaysWhenNothingIsNew) {
  store(100, 200);
  store(200, 300);
  EXPECT_EQ(store(100, 200), Stored::duplicate);
  EXPECT_EQ(store(150, 250), Stored::duplicate);
  EXPECT_EQ(store(100, 300), Stored::duplicate);
  EXPECT_EQ(gaps.octets(), 200u);
}

TEST_F(ReassemblerTest, CutsWhatTheApplicationHasAlreadyGot) {
  store(100, 200);
  store(250, 300);
  store(310, 320);
  EXPECT_EQ(taken(150), stream(150, 200));
  EXPECT_EQ(taken(300).size(), 0u) << "wholly old";
  EXPECT_EQ(gaps.octets(), 10u);
  EXPECT_EQ(taken(310), stream(310, 320));
}

TEST_F(ReassemblerTest, KeepsAWellFilledBlockInsteadOfCopying) {
  Block block = block_with(stream(100, 1560), 2016);
  const std::uint8_t* place = block.data();
  gaps.store(at(100), {{place, 1460}, &block}, kNoLimits, pool);
  EXPECT_FALSE(block);
  EXPECT_EQ(gaps.take_next(at(100), pool)->data, place);
}

TEST_F(ReassemblerTest, CopiesThePartsOfASegmentThatIsNotWhollyNew) {
  store(500, 600);
  Block block = block_with(stream(100, 1560), 2016);
  gaps.store(at(100), {{block.data(), 1460}, &block}, kNoLimits, pool);
  EXPECT_TRUE(block) << "it is needed twice, so nobody gets it";
  EXPECT_EQ(taken(100), stream(100, 1560));
}

// ---- limits

TEST_F(ReassemblerTest, RefusesMorePiecesThanItMayHold) {
  const Reassembler::Limits limits{3, 1 << 20};
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(store(i * 10, i * 10 + 1, limits), Stored::added);
  EXPECT_EQ(store(40, 41, limits), Stored::refused);
  EXPECT_EQ(gaps.octets(), 3u);
  EXPECT_EQ(store(20, 21, limits), Stored::duplicate) << "what is held is known even when full";
  EXPECT_EQ(taken(10).size(), 1u);
  EXPECT_EQ(store(40, 41, limits), Stored::added);
}

TEST_F(ReassemblerTest, RefusesMoreMemoryThanItMayHold) {
  const Reassembler::Limits limits{1 << 20, 10000};
  int kept = 0;
  for (int i = 0; i < 1000; ++i) kept += store(i * 10, i * 10 + 1, limits) == Stored::added;
  EXPECT_GT(kept, 0);
  EXPECT_LE(kept * 2016, 10000 + 2016) << "an octet costs the block it lies in";
  EXPECT_LE(gaps.memory(), 20000u);
}

// [RFC 2018 8-4]
TEST_F(ReassemblerTest, ReportsOnlyWhatItKept) {
  const Reassembler::Limits limits{1, 1 << 20};
  store(100, 200, limits);
  EXPECT_EQ(store(300, 400, limits), Stored::refused);
  EXPECT_EQ(sack(1), (Ranges{{100, 200}}));
}

// ---- SACK (RFC 2018 §4, RFC 2883)

// [RFC 2018 4-6, 4-8, 8-2]
TEST_F(ReassemblerTest, ReportsTheLatestSegmentFirstThenTheMostRecent) {
  store(100, 200);
  EXPECT_EQ(sack(1), (Ranges{{100, 200}}));
  store(500, 600);
  EXPECT_EQ(sack(1), (Ranges{{500, 600}, {100, 200}}));
  store(300, 400);
  EXPECT_EQ(sack(1), (Ranges{{300, 400}, {500, 600}, {100, 200}}));
  store(600, 700);
  EXPECT_EQ(sack(1), (Ranges{{500, 700}, {300, 400}, {100, 200}}));
}

// [RFC 2018 4-6, 4-8, 8-2]
TEST_F(ReassemblerTest, ReportsTheWholeRunTheLatestSegmentLiesIn) {
  store(100, 200);
  store(300, 400);
  store(200, 300);
  EXPECT_EQ(sack(1), (Ranges{{100, 400}})) << "three that touch are one";
}

TEST_F(ReassemblerTest, ReportsAtMostAsManyBlocksAsAskedFor) {
  for (int i = 1; i <= 6; ++i) store(i * 100, i * 100 + 50);
  EXPECT_EQ(sack(1), (Ranges{{600, 650}, {500, 550}, {400, 450}, {300, 350}}));
  EXPECT_EQ(sack(1, 3), (Ranges{{600, 650}, {500, 550}, {400, 450}}));
}

TEST_F(ReassemblerTest, ReportsWhatItHoldsEvenIfThatWasReportedLongAgo) {
  for (int i = 1; i <= 6; ++i) store(i * 100, i * 100 + 50);
  (void)sack(1);
  EXPECT_EQ(taken(300), stream(300, 350));
  store(450, 500);
  EXPECT_EQ(sack(350), (Ranges{{400, 550}, {600, 650}}));
  gaps.release_all(pool);
  for (const int i : {9, 8, 1, 2, 3, 4}) store(i * 100, i * 100 + 50);
  taken(450);
  EXPECT_EQ(sack(450), (Ranges{{900, 950}, {800, 850}})) << "as many as possible";
}

// [RFC 2018 8-4]
TEST_F(ReassemblerTest, ForgetsWhatIsAcknowledged) {
  store(100, 200);
  store(300, 400);
  taken(100);
  EXPECT_EQ(sack(200), (Ranges{{300, 400}}));
  taken(300);
  EXPECT_EQ(sack(400), Ranges{});
}

TEST_F(ReassemblerTest, ReportsADuplicateOnceAndInFront) {
  store(300, 400);
  gaps.note_duplicate({at(50), at(100)});
  EXPECT_EQ(sack(200), (Ranges{{50, 100}, {300, 400}}));
  EXPECT_EQ(sack(200), (Ranges{{300, 400}}));
}

TEST_F(ReassemblerTest, ReportsADuplicateBeyondTheGapWithTheRunItLiesIn) {
  store(100, 200);
  store(200, 300);
  store(500, 600);
  ASSERT_EQ(store(200, 300), Stored::duplicate);
  EXPECT_EQ(sack(1), (Ranges{{200, 300}, {100, 300}, {500, 600}}));
}

// RFC 2883 §4.2.3, example 6.
TEST_F(ReassemblerTest, ReportsTheFirstDuplicatePartOfASegmentThatBringsNewOctets) {
  store(3500, 4000);
  store(1500, 2000);
  EXPECT_EQ(sack(1000), (Ranges{{1500, 2000}, {3500, 4000}}));
  store(2500, 2600);
  EXPECT_EQ(store(1500, 3000), Stored::added);
  EXPECT_EQ(sack(1000), (Ranges{{1500, 2000}, {1500, 3000}, {3500, 4000}}));
  EXPECT_EQ(sack(1000), (Ranges{{1500, 3000}, {3500, 4000}}));
}

TEST_F(ReassemblerTest, WritesBlocksModuloTwoToTheThirtyTwo) {
  store(0x20, 0x120);
  const auto blocks = gaps.sack_blocks(SequenceSpace(SeqNum(0xffffff80)), at(1), 4);
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].left, SeqNum(0xffffffa0));
  EXPECT_EQ(blocks[0].right, SeqNum(0xa0));
}

// ---- against a model that is only right, not quick

TEST_F(ReassemblerTest, AgreesWithAMapOfOctetsWhateverArrives) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    base::Prng prng(std::array<std::uint64_t, 2>{seed, 7});
    gaps.release_all(pool);
    std::map<std::int64_t, std::uint8_t> model;
    std::int64_t next = 0;
    for (int step = 0; step < 60; ++step) {
      const auto from = next + 1 + static_cast<std::int64_t>(prng.below(200));
      const auto to = from + 1 + static_cast<std::int64_t>(prng.below(60));
      const bool original = prng.below(2) == 0;
      const OctetVector octets = original ? stream(from, to) : forged(from, to);
      bool any = false;
      for (std::int64_t i = from; i < to; ++i)
        any |= model.emplace(i, octets[static_cast<std::size_t>(i - from)]).second;
      const Stored stored = gaps.store(at(from), {octets}, kNoLimits, pool);
      ASSERT_EQ(stored, any ? Stored::added : Stored::duplicate) << "seed " << seed;
      ASSERT_EQ(gaps.octets(), model.size()) << "seed " << seed;
      for (const auto& [left, right] : sack(next)) {
        ASSERT_LT(left, right) << "seed " << seed;
        ASSERT_TRUE(model.contains(left) && model.contains(right - 1)) << "seed " << seed;
      }
      if (prng.below(8) != 0) continue;
      next = model.begin()->first;  // the gap fills
      for (const std::uint8_t octet : taken(next)) {
        ASSERT_EQ(octet, model.at(next)) << "seed " << seed;
        model.erase(next++);
      }
      ASSERT_TRUE(model.empty() || model.begin()->first > next) << "seed " << seed;
    }
  }
}

// ---- a value

TEST_F(ReassemblerTest, CopiesIntoAValueOfItsOwn) {
  store(100, 1600);
  store(2000, 2001);
  gaps.note_duplicate({at(1), at(2)});
  Reassembler copy = gaps;
  EXPECT_EQ(copy, gaps);
  EXPECT_EQ(hash(copy), hash(gaps));
  gaps.release_all(pool);
  EXPECT_NE(copy, gaps);
  EXPECT_NE(hash(copy), hash(gaps));
  gaps = copy;
  EXPECT_EQ(sack(1), (Ranges{{1, 2}, {2000, 2001}, {100, 1600}}));
  EXPECT_NE(copy, gaps) << "the duplicate has been told here, not there";
  EXPECT_EQ(taken(100), stream(100, 1600));
}

}  // namespace
}  // namespace estab::tcp
