// SendQueue: octets go in once, stay where they are, and go when they are acknowledged.

#include "tcp/send/send_queue.h"

#include "base/hasher.h"
#include "tcp/testing/octets.h"

namespace estab::tcp {
namespace {

struct SendQueueTest : testing::Test {
  OctetVector gathered(const SendQueue& holder, std::int64_t from, std::uint32_t length) const {
    std::array<Octets, 64> views;
    const auto result = holder.gather(at(from), length, views);
    return joined(std::span(views).first(result.pieces));
  }
  static std::uint64_t hash(const SendQueue& holder) {
    base::Hasher hasher;
    holder.hash_into(hasher);
    return hasher.finish();
  }
  void append(std::int64_t from, std::int64_t to) { queue.append(stream(from, to), pool); }

  BlockPool pool;
  SendQueue queue;
};

TEST_F(SendQueueTest, BeginsEmptyAtTheFirstOctetAndOwnsNothing) {
  EXPECT_EQ(queue.begin(), at(1));
  EXPECT_EQ(queue.end(), at(1));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.memory(), 0u);
}

TEST_F(SendQueueTest, GivesBackAnyPartOfWhatWasAppended) {
  append(1, 5001);
  append(5001, 5002);
  append(5002, 90001);
  EXPECT_EQ(queue.size(), 90000u);
  for (const auto& [from, to] : {std::pair{1, 90001}, {1, 2}, {4990, 5010}, {60000, 90001}})
    EXPECT_EQ(gathered(queue, from, static_cast<std::uint32_t>(to - from)), stream(from, to));
}

TEST_F(SendQueueTest, GathersNothingForNothing) {
  append(1, 10);
  EXPECT_EQ(gathered(queue, 10, 0).size(), 0u);
}

TEST_F(SendQueueTest, PutsSmallOctetsTogetherInOneBlock) {
  for (int i = 1; i <= 1000; ++i) append(i, i + 1);
  std::array<Octets, 64> views;
  const auto result = queue.gather(at(1), 1000, views);
  EXPECT_EQ(result.pieces, 1u);
  EXPECT_LT(queue.memory(), 3000u);
}

TEST_F(SendQueueTest, NeverMovesWhatItHolds) {
  append(1, 101);
  std::array<Octets, 1> before, after;
  queue.gather(at(51), 50, before);
  for (int i = 101; i < 200001; i += 1000) append(i, i + 1000);
  queue.release_until(at(51), pool);
  queue.gather(at(51), 50, after);
  EXPECT_EQ(before[0].data(), after[0].data());
  EXPECT_EQ(joined(before), stream(51, 101));
}

TEST_F(SendQueueTest, SaysHowMuchFitsIntoTooFewViews) {
  std::vector<OctetVector> lent;
  for (int i = 0; i < 10; ++i) lent.push_back(stream(1 + i * 200, 201 + i * 200));
  for (const OctetVector& octets : lent) queue.append_owned(octets, nullptr, pool);
  std::array<Octets, 3> views;
  const auto result = queue.gather(at(51), 900, views);
  EXPECT_EQ(result.pieces, 3u);
  EXPECT_EQ(result.octets, 550u);
  EXPECT_EQ(joined(views), stream(51, 601));
}

// [RFC 2018 8-5]
TEST_F(SendQueueTest, ReleasesWhatIsAcknowledgedAndKeepsTheRest) {
  append(1, 100001);
  queue.release_until(at(70000), pool);
  EXPECT_EQ(queue.begin(), at(70000));
  EXPECT_EQ(queue.size(), 30001u);
  EXPECT_EQ(gathered(queue, 70000, 30001), stream(70000, 100001));
  EXPECT_GT(pool.free_octets(), 0u) << "the first block is wholly acknowledged";
  queue.release_until(at(50), pool);
  EXPECT_EQ(queue.begin(), at(70000)) << "an older number releases nothing";
  queue.release_all(pool);
  EXPECT_TRUE(queue.empty());
  queue.trim();
  EXPECT_EQ(queue.memory(), 0u);
}

TEST_F(SendQueueTest, GoesOnAfterItWasEmptied) {
  append(1, 101);
  queue.release_all(pool);
  append(101, 301);
  EXPECT_EQ(queue.begin(), at(101));
  EXPECT_EQ(gathered(queue, 101, 200), stream(101, 301));
}

TEST_F(SendQueueTest, LendsOwnedOctetsWithoutCopyingThem) {
  const auto owner = std::make_shared<OctetVector>(stream(101, 2101));
  append(1, 101);
  queue.append_owned(*owner, owner, pool);
  append(2101, 2201);
  EXPECT_EQ(owner.use_count(), 2);
  std::array<Octets, 3> views;
  ASSERT_EQ(queue.gather(at(51), 2150, views).pieces, 3u);
  EXPECT_EQ(views[1].data(), owner->data());
  EXPECT_EQ(joined(views), stream(51, 2201));
}

TEST_F(SendQueueTest, LetsTheOwnerGoWithItsLastOctetAndNotBefore) {
  auto owner = std::make_shared<OctetVector>(stream(1, 1001));
  const std::weak_ptr<OctetVector> watch = owner;
  queue.append_owned(*owner, owner, pool);
  owner.reset();
  queue.release_until(at(1000), pool);
  EXPECT_FALSE(watch.expired());
  queue.release_until(at(1001), pool);
  EXPECT_TRUE(watch.expired());
}

TEST_F(SendQueueTest, AppendsBehindOwnedOctetsWithoutTouchingThem) {
  const auto owner = std::make_shared<OctetVector>(stream(1, 1001));
  queue.append_owned(Octets(*owner).first(500), owner, pool);
  append(501, 601);
  EXPECT_EQ(*owner, stream(1, 1001));
  EXPECT_EQ(gathered(queue, 1, 600), stream(1, 601));
}

TEST_F(SendQueueTest, CopiesIntoAQueueOfItsOwn) {
  const auto owner = std::make_shared<OctetVector>(stream(1, 3001));
  queue.append_owned(*owner, owner, pool);
  append(3001, 80001);
  queue.release_until(at(2), pool);
  SendQueue copy = queue;
  EXPECT_EQ(owner.use_count(), 3) << "lent octets never change, so a copy may point at them too";
  EXPECT_EQ(copy, queue);
  EXPECT_EQ(hash(copy), hash(queue));
  queue.release_all(pool);
  EXPECT_EQ(gathered(copy, 2, 79999), stream(2, 80001));
  copy = queue;
  EXPECT_TRUE(copy.empty());
  EXPECT_EQ(copy.begin(), at(80001));
}

TEST_F(SendQueueTest, IsEqualByItsOctetsWhateverPiecesTheyLieIn) {
  SendQueue other;
  append(1, 3001);
  const OctetVector lent = stream(1, 3001);
  for (int i = 0; i < 3000; i += 300)
    other.append_owned(Octets(lent).subspan(i, 300), nullptr, pool);
  EXPECT_EQ(queue, other);
  EXPECT_EQ(hash(queue), hash(other));
  other.append(forged(3001, 3002), pool);
  EXPECT_NE(queue, other);
  queue.append(stream(3001, 3002), pool);
  EXPECT_NE(queue, other);
  EXPECT_NE(hash(queue), hash(other));
}

// ---- what is held

// A block that a loan follows takes no more octets: what it has left is held for nothing.
TEST_F(SendQueueTest, CountsTheRoomThatALoanMakesUnusable) {
  const OctetVector lent = stream(2, 1002);
  append(1, 2);
  EXPECT_EQ(queue.room(10000), 9999u) << "the last block can be filled";
  queue.append_owned(lent, nullptr, pool);
  EXPECT_EQ(queue.room(10000), 10000 - 1001 - (BlockPool::kSizes[0] - 1));
  append(1002, 1003);
  EXPECT_EQ(queue.room(10000), 10000 - 1002 - (BlockPool::kSizes[0] - 1));
  queue.release_until(at(2), pool);
  EXPECT_EQ(queue.room(10000), 9999u - 1000);
  queue.release_all(pool);
  EXPECT_EQ(queue.room(10000), 10000u);
  append(1003, 1004);
  EXPECT_EQ(queue.room(1), 0u);
  EXPECT_EQ(queue.room(0), 0u);
}

TEST_F(SendQueueTest, CopiesALoanThatCostsMoreToKeep) {
  auto lent = std::make_shared<OctetVector>(stream(1, 101));
  const std::weak_ptr<OctetVector> watch = lent;
  const Octets octets = *lent;
  queue.append_owned(octets, std::move(lent), pool);
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(gathered(queue, 1, 100), stream(1, 101));
}

// Of any mixture no more is held than the limit, but for a block at either end and the pieces.
TEST_F(SendQueueTest, HoldsNoMoreThanItsLimitWhateverIsMixed) {
  constexpr std::size_t kLimit = 1 << 20;
  const OctetVector octets(70000);
  for (const std::size_t lent : {1, 128, 129, 1000, 20000})
    for (const std::size_t copied : {1, 2016, 2017, 16352, 16353, 66049}) {
      SendQueue mixed;
      while (mixed.room(kLimit) > 0) {
        mixed.append_owned(Octets(octets).first(lent), nullptr, pool);
        mixed.append(Octets(octets).first(std::min(copied, mixed.room(kLimit))), pool);
      }
      EXPECT_LT(mixed.memory(), kLimit * 5 / 4 + 2 * BlockPool::kSizes.back())
          << lent << " lent, " << copied << " copied";
      EXPECT_GT(mixed.size(), kLimit / 20) << lent << " lent, " << copied << " copied";
      mixed.release_all(pool);
      EXPECT_EQ(mixed.room(kLimit), kLimit);
    }
}

}  // namespace
}  // namespace estab::tcp
