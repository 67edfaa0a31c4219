// Sequence numbers modulo 2^32, and the offsets behind them that never wrap.

#include "tcp/sequence.h"

#include "tcp/testing/octets.h"

namespace estab::tcp {
namespace {

constexpr std::int64_t kWholeSpace = std::int64_t{1} << 32;

TEST(SequenceSpace, WritesAnOffsetAsItsNumber) {
  const SequenceSpace space(SeqNum(0xfffffff0));
  EXPECT_EQ(space.initial(), SeqNum(0xfffffff0));
  EXPECT_EQ(space.wire(kSynOffset), SeqNum(0xfffffff0));
  EXPECT_EQ(space.wire(kFirstOctet), SeqNum(0xfffffff1));
  EXPECT_EQ(space.wire(at(15)), SeqNum(0xffffffff));
  EXPECT_EQ(space.wire(at(16)), SeqNum(0));
  EXPECT_EQ(space.wire(at(kWholeSpace + 16)), SeqNum(0));
}

TEST(SequenceSpace, ReadsANumberAsTheNearestOffset) {
  for (const std::uint32_t initial : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    const SequenceSpace space{SeqNum(initial)};
    for (const std::int64_t reference :
         {std::int64_t{1}, std::int64_t{5000}, kWholeSpace - 1, kWholeSpace, 7 * kWholeSpace + 5}) {
      for (const std::int64_t distance : {0l, 1l, -1l, 65535l, -65535l, 0x7fffffffl, -0x80000000l})
        EXPECT_EQ(space.near(space.wire(at(reference + distance)), at(reference)),
                  at(reference + distance));
    }
  }
}

TEST(SequenceSpace, KnowsNumbersBeforeTheSyn) {  // an old duplicate
  const SequenceSpace space(SeqNum(100));
  EXPECT_EQ(space.near(SeqNum(99), kFirstOctet), at(-1));
  EXPECT_LT(space.near(SeqNum(0xffffff00), kFirstOctet), kSynOffset);
}

TEST(SeqNum, SubtractsToASignedDistance) {
  EXPECT_EQ(SeqNum(5) - SeqNum(0xfffffffb), 10);
  EXPECT_EQ(SeqNum(0xfffffffb) - SeqNum(5), -10);
  EXPECT_EQ(SeqNum(0xffffffff) + 2, SeqNum(1));
  EXPECT_EQ(SeqNum(1) - 2u, SeqNum(0xffffffff));
}

}  // namespace
}  // namespace estab::tcp
