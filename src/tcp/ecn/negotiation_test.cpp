// Who agrees on which feedback (RFC 9768 §3.1, tables 2 and 3), and what becomes of it where SYNs
// are lost.

#include "tcp/ecn/negotiation.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

TcpConfig with(Ecn classic, Ecn accurate) {
  TcpConfig config;
  config.ecn = classic;
  config.accurate_ecn = accurate;
  return config;
}

TcpFlags syn(std::uint8_t ace) {
  return kSyn | ace_flags(ace);
}
TcpFlags syn_ack(std::uint8_t ace) {
  return kSyn | kAck | ace_flags(ace);
}

TEST(Ace, IsTheThreeFlagsAsANumber) {
  for (std::uint8_t ace = 0; ace < 8; ++ace) EXPECT_EQ(ace_of(ace_flags(ace)), ace);
  EXPECT_EQ(ace_of(kAe), 4);
  EXPECT_EQ(ace_of(kCwr), 2);
  EXPECT_EQ(ace_of(kEce), 1);
}

// [RFC 9768 3.1.1-1, 3.1.5-3, 3.1.3-2]
TEST(EcnRequest, HasAllThreeFlagsOrThoseOfRfc3168OrNone) {
  EXPECT_EQ(ace_of(ecn_request(with(Ecn::off, Ecn::request), 0)), 0b111);
  EXPECT_EQ(ace_of(ecn_request(with(Ecn::request, Ecn::request), 0)), 0b111);
  EXPECT_EQ(ace_of(ecn_request(with(Ecn::request, Ecn::accept), 0)), 0b011);
  EXPECT_EQ(ace_of(ecn_request(with(Ecn::accept, Ecn::accept), 0)), 0b000);
}

// [RFC 9768 3.1.4.1-1, 3.1.4.1-2]
TEST(EcnRequest, IsRepeatedOnceAndThenLeftOut) {
  const TcpConfig config = with(Ecn::request, Ecn::request);
  EXPECT_EQ(ace_of(ecn_request(config, 1)), 0b111);
  EXPECT_EQ(ace_of(ecn_request(config, 2)), 0b000);
  EXPECT_EQ(ace_of(ecn_request(config, 200)), 0b000);
}

// [RFC 9768 3.1.1-2, 3.1.2-3, 3.1.2-5]
TEST(AnswerToSyn, IsTheMostThatBothKnow) {
  const TcpConfig both = with(Ecn::accept, Ecn::accept);
  EXPECT_EQ(answer_to_syn(syn(0b111), both), EcnMode::accurate);
  EXPECT_EQ(answer_to_syn(syn(0b011), both), EcnMode::classic);
  EXPECT_EQ(answer_to_syn(syn(0b000), both), EcnMode::none);
  EXPECT_EQ(answer_to_syn(syn(0b011), TcpConfig{}), EcnMode::none);
  EXPECT_EQ(answer_to_syn(syn(0b111), TcpConfig{}), EcnMode::accurate);
}

// A host without AccECN does not look at AE.
TEST(AnswerToSyn, IsThatOfRfc3168WhereAccEcnIsOff) {
  EXPECT_EQ(answer_to_syn(syn(0b111), with(Ecn::accept, Ecn::off)), EcnMode::classic);
  EXPECT_EQ(answer_to_syn(syn(0b111), with(Ecn::off, Ecn::off)), EcnMode::none);
  EXPECT_EQ(answer_to_syn(syn(0b001), with(Ecn::accept, Ecn::off)), EcnMode::none);
}

// [RFC 9768 3.1.3-1]
TEST(AnswerToSyn, TakesWhatIsNotDefinedYetForARequest) {
  for (const std::uint8_t ace : {0b001, 0b010, 0b100, 0b101, 0b110})
    EXPECT_EQ(answer_to_syn(syn(ace), TcpConfig{}), EcnMode::accurate) << int{ace};
}

// [RFC 9768 3.1.1-5, 3.1.2-1, 3.1.2-6, 3.1.3-3]
TEST(AgreedBySynAck, FollowsTheTable) {
  const TcpFlags asked = syn(0b111);
  for (const std::uint8_t ace : {0b010, 0b011, 0b100, 0b110, 0b101})
    EXPECT_EQ(agreed_by_syn_ack(asked, syn_ack(ace)), EcnMode::accurate) << int{ace};
  EXPECT_EQ(agreed_by_syn_ack(asked, syn_ack(0b001)), EcnMode::classic);
  EXPECT_EQ(agreed_by_syn_ack(asked, syn_ack(0b000)), EcnMode::none);
  EXPECT_EQ(agreed_by_syn_ack(asked, syn_ack(0b111)), EcnMode::none) << "it sends back what it got";
}

// [RFC 3168 6.1.1-4]
TEST(AgreedBySynAck, IsNothingThatWasNotAskedFor) {
  for (std::uint8_t ace = 0; ace < 8; ++ace) {
    EXPECT_EQ(agreed_by_syn_ack(syn(0b000), syn_ack(ace)), EcnMode::none) << int{ace};
    EXPECT_NE(agreed_by_syn_ack(syn(0b011), syn_ack(ace)), EcnMode::accurate) << int{ace};
  }
}

// [RFC 9768 3.1.2-7, 3.1.2-8]
TEST(AgreedBySyn, IsWhatBothAskFor) {
  EXPECT_EQ(agreed_by_syn(syn(0b111), syn(0b111)), EcnMode::accurate);
  EXPECT_EQ(agreed_by_syn(syn(0b111), syn(0b011)), EcnMode::classic);
  EXPECT_EQ(agreed_by_syn(syn(0b011), syn(0b111)), EcnMode::classic);
  EXPECT_EQ(agreed_by_syn(syn(0b111), syn(0b000)), EcnMode::none);
  EXPECT_EQ(agreed_by_syn(syn(0b000), syn(0b111)), EcnMode::none);
}

// [RFC 9768 3.1.1-3, 3.2.2.1-1]
TEST(Reflection, TellsEachMark) {
  EXPECT_EQ(ace_of(reflection_of(IpMark::not_ect)), 0b010);
  EXPECT_EQ(ace_of(reflection_of(IpMark::ect1)), 0b011);
  EXPECT_EQ(ace_of(reflection_of(IpMark::ect0)), 0b100);
  EXPECT_EQ(ace_of(reflection_of(IpMark::ce)), 0b110);
  for (const IpMark mark : {IpMark::not_ect, IpMark::ect1, IpMark::ect0, IpMark::ce})
    EXPECT_EQ(reflected_mark(ace_of(reflection_of(mark))), mark);
  for (const std::uint8_t ace : {0b000, 0b001, 0b101, 0b111})
    EXPECT_EQ(reflected_mark(ace), std::nullopt) << int{ace};
}

// [RFC 9768 3.2.3.2.2-2, 3.1.5-4, 3.1.3-4, 3.1.1-4]
TEST(SynAckFlags, PromiseNothingAfterTwoTimeouts) {
  EXPECT_EQ(ace_of(syn_ack_flags(EcnMode::accurate, IpMark::ce, 0)), 0b110);
  EXPECT_EQ(ace_of(syn_ack_flags(EcnMode::accurate, IpMark::ce, 1)), 0b110);
  EXPECT_EQ(ace_of(syn_ack_flags(EcnMode::accurate, IpMark::ce, 2)), 0b000);
  EXPECT_EQ(ace_of(syn_ack_flags(EcnMode::classic, IpMark::ce, 2)), 0b001);
  EXPECT_EQ(ace_of(syn_ack_flags(EcnMode::none, IpMark::ce, 0)), 0b000);
}

// [RFC 9768 3.1.5-5]
TEST(SynsSeen, ContradictWhereOneAsksForEachKind) {
  SynsSeen seen;
  seen.add(syn(0b111), IpMark::not_ect);
  seen.add(syn(0b000), IpMark::ect0);
  EXPECT_FALSE(seen.contradict());
  EXPECT_TRUE(seen.without);
  EXPECT_EQ(seen.mark, IpMark::ect0);
  seen.add(syn(0b011), IpMark::not_ect);
  EXPECT_TRUE(seen.contradict());
}

}  // namespace
}  // namespace estab::tcp
