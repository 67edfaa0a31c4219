// send_owned: octets that stay where the application has them until they are acknowledged.

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

struct SendOwned : testing::Test {
  using Owner = std::shared_ptr<const OctetVector>;

  /// The next octets of the stream, in memory of the application's.
  Owner next(std::size_t octets) {
    place_ += static_cast<std::uint32_t>(octets);
    return std::make_shared<const OctetVector>(
        pattern(Stream::from_stack, place_ - static_cast<std::uint32_t>(octets), octets));
  }
  Result<void> lend(const Owner& owner, SendMode mode = SendMode::normal) {
    return peer.stack().send_owned(peer.now(), peer.stream(), *owner, owner, mode);
  }

  Opened peer{{.tcp = {.send_buffer = 5000}}};

 private:
  std::uint32_t place_ = 1;
};

TEST_F(SendOwned, PointsAtTheApplicationsOctets) {
  const Owner owner = next(2500);
  ASSERT_TRUE(lend(owner));
  TransmitFrame frame;
  for (std::size_t from = 0; from < 2000; from += 1000) {
    ASSERT_TRUE(peer.stack().poll_transmit(peer.now(), frame));
    ASSERT_EQ(frame.piece_count, 1);
    EXPECT_EQ(frame.pieces[0].data(), owner->data() + from);
    EXPECT_EQ(frame.pieces[0].size(), 1000u);
  }
}

TEST_F(SendOwned, PointsAtTheSameOctetsAgainInARetransmission) {
  const Owner owner = next(500);
  ASSERT_TRUE(lend(owner));
  peer.out("P. 1:501(500) ack 1");
  peer.together([&] {
    const Instant due = peer.now() + 300ms;
    peer.stack().handle_deadline(due);
    TransmitFrame frame;
    ASSERT_TRUE(peer.stack().poll_transmit(due, frame));
    EXPECT_EQ(frame.pieces[0].data(), owner->data());
  });
}

TEST_F(SendOwned, HoldsTheOwnerUntilEverythingIsAcknowledged) {
  Owner owner = next(500);
  const std::weak_ptr<const OctetVector> watch = owner;
  ASSERT_TRUE(lend(owner));
  owner.reset();
  peer.out("P. 1:501(500) ack 1");
  peer.ack(500);
  EXPECT_FALSE(watch.expired());
  peer.ack(501);
  EXPECT_TRUE(watch.expired());
}

TEST_F(SendOwned, LetsTheOwnerGoWhenTheConnectionEnds) {
  Owner owner = next(500);
  const std::weak_ptr<const OctetVector> watch = owner;
  ASSERT_TRUE(lend(owner));
  owner.reset();
  EXPECT_FALSE(watch.expired());
  ASSERT_TRUE(peer.abort());
  EXPECT_TRUE(watch.expired());
}

TEST_F(SendOwned, MixesWithWhatWasCopiedAndStaysInOrder) {
  const Owner first = next(300), second = next(300), third = next(300);
  peer.together([&] {
    ASSERT_TRUE(peer.stack().send(peer.now(), peer.stream(), *first));
    ASSERT_TRUE(lend(second));
    ASSERT_TRUE(peer.stack().send(peer.now(), peer.stream(), *third));
  });
  peer.out("P. 1:901(900) ack 1");  // Peer verifies every octet
}

TEST_F(SendOwned, TakesAllOrNothingAndMayOverfillTheBuffer) {
  ASSERT_TRUE(lend(next(4000)));
  ASSERT_TRUE(lend(next(4000))) << "there was room";
  EXPECT_EQ(lend(next(1)).error(), Error::would_block);
  EXPECT_EQ(peer.stack().writable(peer.stream()), 0u);
  peer.out_run(1, 8001, 1000, "P.");
  (void)peer.told();
  peer.ack(8001);
  EXPECT_TRUE(peer.told().writable);
}

TEST_F(SendOwned, KeepsNoOwnerItRefused) {
  ASSERT_TRUE(lend(next(5000)));
  Owner refused = next(10);
  const std::weak_ptr<const OctetVector> watch = refused;
  EXPECT_FALSE(lend(refused));
  refused.reset();
  EXPECT_TRUE(watch.expired());
}

TEST_F(SendOwned, GoesInSeveralFramesIfItLiesInMorePiecesThanOneHolds) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(lend(next(20)));
  int sent = 0;
  while (sent < 1000) {
    const auto frame = peer.next();
    ASSERT_TRUE(frame);
    sent += static_cast<int>(frame->segment->payload.size());
    peer.ack(1 + sent);
  }
  EXPECT_EQ(sent, 1000);
}

TEST_F(SendOwned, IsMarkedLikeAnyOtherSend) {
  ASSERT_TRUE(lend(next(100)));
  ASSERT_TRUE(lend(next(100), SendMode::push));
  ASSERT_TRUE(lend(next(100), SendMode::urgent));
  peer.out("PU. 1:301(300) ack 1 urg 300");
}

TEST_F(SendOwned, OfNoOctetsIsNothing) {
  Owner nothing = next(0);
  const std::weak_ptr<const OctetVector> watch = nothing;
  ASSERT_TRUE(lend(nothing));
  nothing.reset();
  EXPECT_TRUE(watch.expired());
  peer.quiet();
}

TEST_F(SendOwned, IsCopiedWithTheStack) {
  const Owner owner = next(500);
  ASSERT_TRUE(lend(owner));
  Stack copy = peer.stack();
  EXPECT_EQ(copy, peer.stack());
  TransmitFrame frame;
  ASSERT_TRUE(copy.poll_transmit(peer.now(), frame));
  EXPECT_EQ(frame.pieces[0].data(), owner->data()) << "lent octets never change: both may point";
  EXPECT_EQ(owner.use_count(), 3) << "the original and the copy each keep them alive";
  EXPECT_TRUE(std::equal(owner->begin(), owner->end(), frame.pieces[0].begin()));
}

}  // namespace
}  // namespace estab::script
