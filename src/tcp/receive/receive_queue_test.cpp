// ReceiveQueue: octets in order, read in place or copied out.

#include "tcp/receive/receive_queue.h"

#include "base/hasher.h"
#include "tcp/testing/octets.h"

namespace estab::tcp {
namespace {

struct ReceiveQueueTest : testing::Test {
  void append(std::int64_t from, std::int64_t to) {
    const OctetVector octets = stream(from, to);
    queue.append(Incoming{octets}, pool);
  }
  OctetVector peeked() const {
    std::array<Octets, 64> views;
    return joined(std::span(views).first(queue.peek(views)));
  }
  static std::uint64_t hash(const ReceiveQueue& holder) {
    base::Hasher hasher;
    holder.hash_into(hasher);
    return hasher.finish();
  }

  BlockPool pool;
  ReceiveQueue queue;
};

TEST_F(ReceiveQueueTest, OwnsNothingWhileEmpty) {
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.memory(), 0u);
  queue.append(Incoming{}, pool);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.memory(), 0u) << "nothing is no piece";
}

TEST_F(ReceiveQueueTest, ReadsWhatWasAppendedInAnyPortions) {
  append(1, 1461);
  append(1461, 1462);
  append(1462, 70000);
  std::int64_t from = 1;
  for (const std::size_t portion : {1u, 1459u, 10000u, 100000u}) {
    OctetVector into(portion);
    into.resize(queue.read(into, pool));
    EXPECT_EQ(into, stream(from, from + static_cast<std::int64_t>(into.size())));
    from += static_cast<std::int64_t>(into.size());
  }
  EXPECT_EQ(from, 70000);
  EXPECT_TRUE(queue.empty());
}

TEST_F(ReceiveQueueTest, PeeksWithoutTakingAndConsumesWithoutCopying) {
  append(1, 3001);
  EXPECT_EQ(peeked(), stream(1, 3001));
  EXPECT_EQ(peeked(), stream(1, 3001));
  queue.consume(1000, pool);
  EXPECT_EQ(peeked(), stream(1001, 3001));
  EXPECT_EQ(queue.size(), 2000u);
  queue.consume(2000, pool);
  EXPECT_EQ(peeked().size(), 0u);
}

TEST_F(ReceiveQueueTest, FillsOnlyTheViewsItIsGiven) {
  append(1, 2001);
  append(2001, 4001);
  append(4001, 6001);
  std::array<Octets, 2> views;
  EXPECT_EQ(queue.peek(views), 2u);
  EXPECT_EQ(joined(views), stream(1, 4001));
}

TEST_F(ReceiveQueueTest, KeepsAWellFilledBlockInsteadOfCopying) {
  Block block = block_with(stream(1, 1461), 2016);
  const std::uint8_t* place = block.data();
  queue.append(Incoming{{place, 1460}, &block}, pool);
  EXPECT_FALSE(block) << "the block has moved into the queue";
  std::array<Octets, 1> views;
  queue.peek(views);
  EXPECT_EQ(views[0].data(), place);
}

TEST_F(ReceiveQueueTest, CopiesOutOfABlockThatIsHardlyFilled) {
  for (int i = 1; i < 1001; i += 10) {
    Block block = block_with(stream(i, i + 10), 2016);
    queue.append(Incoming{{block.data(), 10}, &block}, pool);
    EXPECT_TRUE(block);
  }
  EXPECT_EQ(peeked(), stream(1, 1001));
  EXPECT_LT(queue.memory(), 3000u) << "small segments do not hold large blocks";
}

TEST_F(ReceiveQueueTest, TakesPiecesAsTheyAre) {
  Piece piece = make_piece(Incoming{stream(11, 1511)}, pool);
  append(1, 11);
  queue.append(std::move(piece), pool);
  append(1511, 1521);
  EXPECT_EQ(peeked(), stream(1, 1521));
}

TEST_F(ReceiveQueueTest, NamesAnyOctetByItsPlace) {
  append(1, 2001);
  append(2001, 5001);
  queue.consume(500, pool);
  for (const int index : {0, 1, 1499, 1500, 4499})
    EXPECT_EQ(queue.octet_at(static_cast<std::size_t>(index)), octet_of(501 + index));
}

TEST_F(ReceiveQueueTest, GivesItsBlocksBackToThePool) {
  append(1, 60001);
  queue.release_all(pool);
  EXPECT_TRUE(queue.empty());
  EXPECT_GT(pool.free_octets(), 60000u);
  queue.trim();
  EXPECT_EQ(queue.memory(), 0u);
}

TEST_F(ReceiveQueueTest, CopiesIntoAQueueOfItsOwn) {
  append(1, 5001);
  queue.consume(100, pool);
  ReceiveQueue copy = queue;
  EXPECT_EQ(copy, queue);
  EXPECT_EQ(hash(copy), hash(queue));
  queue.release_all(pool);
  OctetVector into(5000);
  into.resize(copy.read(into, pool));
  EXPECT_EQ(into, stream(101, 5001));
}

TEST_F(ReceiveQueueTest, IsEqualByItsOctetsWhateverPiecesTheyLieIn) {
  ReceiveQueue other;
  append(1, 4001);
  for (int i = 1; i < 4001; i += 50) other.append(Incoming{stream(i, i + 50)}, pool);
  EXPECT_EQ(queue, other);
  EXPECT_EQ(hash(queue), hash(other));
  other.consume(1, pool);
  EXPECT_NE(queue, other);
  queue.consume(1, pool);
  EXPECT_EQ(queue, other);
  queue.append(Incoming{stream(4001, 4002)}, pool);
  other.append(Incoming{forged(4001, 4002)}, pool);
  EXPECT_NE(queue, other);
  EXPECT_NE(hash(queue), hash(other));
}

}  // namespace
}  // namespace estab::tcp
