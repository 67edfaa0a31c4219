#include "tcp/send/outgoing.h"

#include "tcp/testing/octets.h"

namespace estab::tcp {
namespace {

struct OutgoingTest : testing::Test {
  void append(std::int64_t from, std::int64_t to, SendMode mode) {
    outgoing.append(stream(from, to), mode, pool);
  }
  BlockPool pool;
  Outgoing outgoing;
};

TEST_F(OutgoingTest, PushesWhereItEndsUnlessMoreIsToCome) {
  append(1, 1001, SendMode::normal);
  EXPECT_TRUE(outgoing.is_pushed(at(501), at(1001)));
  EXPECT_FALSE(outgoing.is_pushed(at(1), at(501)));
  append(1001, 2001, SendMode::more);
  EXPECT_FALSE(outgoing.is_pushed(at(1001), at(2001)));
  EXPECT_FALSE(outgoing.is_pushed(at(501), at(1001))) << "it ends there no longer";
  outgoing.queue_fin();
  EXPECT_TRUE(outgoing.is_pushed(at(1001), at(2001))) << "nothing more comes";
}

TEST_F(OutgoingTest, PushesBehindTheLastOctetOfAPushedCall) {
  append(1, 1001, SendMode::push);
  append(1001, 2001, SendMode::more);
  EXPECT_TRUE(outgoing.is_pushed(at(501), at(1001)));
  EXPECT_FALSE(outgoing.is_pushed(at(501), at(1000)));
  EXPECT_TRUE(outgoing.is_released(at(1000)));
  EXPECT_FALSE(outgoing.is_released(at(1001)));
}

TEST_F(OutgoingTest, PointsAtUrgentDataFromWhereItIsAsked) {
  append(1, 100001, SendMode::urgent);
  EXPECT_TRUE(outgoing.has_urgent(at(100000)));
  EXPECT_FALSE(outgoing.has_urgent(at(100001)));
  EXPECT_EQ(outgoing.urgent_pointer(at(1), at(1)), 0xffff) << "as far as the field reaches";
  EXPECT_EQ(outgoing.urgent_pointer(at(1), at(70000)), std::nullopt)
      << "it would point among octets that went without a mark";
  EXPECT_EQ(outgoing.urgent_pointer(at(34466), at(34466)), 65535);
  EXPECT_EQ(outgoing.urgent_pointer(at(100000), at(100000)), 1);
}

TEST_F(OutgoingTest, TellsOfAnUrgentMarkOnce) {
  EXPECT_FALSE(outgoing.owes_urgent_notice());
  append(1, 2, SendMode::urgent);
  EXPECT_TRUE(outgoing.owes_urgent_notice());
  outgoing.on_urgent_notice_sent();
  EXPECT_FALSE(outgoing.owes_urgent_notice());
}

}  // namespace
}  // namespace estab::tcp
