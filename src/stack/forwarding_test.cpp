// SYNs for other hosts (estab/forward.h): held, and answered as the application decides.

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"
#include "wire/icmp.h"

namespace estab::script {
namespace {

using Kind = wire::IcmpError::Kind;

constexpr const char* kSyn = "S 0:0(0) win 60000 <mss 1460,sackOK,TS val 5 ecr 0,nop,wscale 7>";

PeerOptions forwarding(Family family, const StackLimits& limits = {}) {
  PeerOptions options;
  options.family = family;
  options.interface.forwarding.tcp = true;
  options.stack.limits = limits;
  return options;
}

/// A guest that believes it talks to a host far away.
class Guest : public Peer {
 public:
  explicit Guest(const PeerOptions& options) : Peer(options) { aim_at(far(local().family())); }
  static IpAddress far(Family family) {
    return family == Family::ipv4 ? IpAddress::v4(198, 51, 100, 7)
                                  : *IpAddress::parse("2001:db8:7::7");
  }
  /// The offer that has been told of.
  OfferId offered() {
    const auto events = other_events();
    if (events.size() != 1 || !std::holds_alternative<OfferEvent>(events[0])) return {};
    event = std::get<OfferEvent>(events[0]);
    return event.offer;
  }
  OfferId ask(std::string_view syn = kSyn) {
    EXPECT_EQ(in(syn), Verdict::syn_held);
    const OfferId offer = offered();
    EXPECT_TRUE(offer);
    return offer;
  }
  Result<StreamId> accept(OfferId offer, const std::optional<TcpConfig>& tcp = {}) {
    const auto made = stack().accept(now(), offer, tcp);
    if (made) take(*made);
    return made;
  }
  Result<void> reject(OfferId offer, Refusal refusal) {
    return stack().reject(now(), offer, refusal);
  }
  /// <SEQ=0><ACK=SEG.SEQ+1><CTL=RST,ACK> (RFC 9293 §3.10.7.1): without ACK SYN-SENT would not
  /// believe it.
  void out_refusal() {
    const auto sent = next();
    ASSERT_TRUE(sent && sent->segment);
    EXPECT_EQ(sent->ip.source, local());
    EXPECT_EQ(sent->segment->flags, kRst | kAck);
    EXPECT_EQ(sent->segment->seq, SeqNum(0));
    EXPECT_EQ(sent->segment->ack, remote_isn() + 1);
  }
  OfferEvent event;
};

class Forwarded : public testing::TestWithParam<Family> {
 protected:
  Guest guest{forwarding(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(Families, Forwarded, both_families(), family_name);

TEST_P(Forwarded, ASynIsOfferedAndNotAnswered) {
  const OfferId offer = guest.ask();
  guest.quiet();
  EXPECT_TRUE(guest.stack().is_waiting(offer));
  EXPECT_EQ(guest.event.endpoints, (FourTuple{Guest::far(GetParam()), guest.remote(),
                                              Peer::kLocalPort, Peer::kRemotePort}));
  EXPECT_EQ(guest.event.interface, guest.interface());
  EXPECT_EQ(guest.stack().census().held_syns, 1u);
  EXPECT_EQ(guest.stack().census().streams, 0u);
}

TEST_P(Forwarded, AnAcceptedSynIsAnsweredInTheNameOfTheHostItIsFor) {
  const OfferId offer = guest.ask();
  guest.after(20ms);  // upstream takes its time
  ASSERT_TRUE(guest.accept(offer));
  EXPECT_FALSE(guest.stack().is_waiting(offer));
  guest.out("S. 0:0(0) ack 1 <mss *,sackOK,TS val * ecr 5,nop,wscale 12>");
  EXPECT_FALSE(guest.told().connected);
  guest.use_timestamps();
  guest.in(". 1:1(0) ack 1 win 60000");
  EXPECT_TRUE(guest.told().connected);
  const auto ends = guest.stack().endpoints(guest.stream());
  ASSERT_TRUE(ends);
  EXPECT_EQ(ends->local(), (Endpoint{Guest::far(GetParam()), Peer::kLocalPort}));
  EXPECT_EQ(guest.stack().counters().passive_opens, 1u);
  // Both ways.
  guest.in("P. 1:101(100) ack 1 win 60000");
  guest.out(". 1:1(0) ack 101");
  EXPECT_EQ(guest.recv(), 100u);
  EXPECT_EQ(guest.send(10), 10u);
  guest.out("P. 1:11(10) ack 101");
}

// A server that speaks first does not wait for the guest's ACK to be written to.
TEST_P(Forwarded, WhatIsSentBeforeTheGuestsAckGoesWithTheFirstSegment) {
  ASSERT_TRUE(guest.accept(guest.ask("S 0:0(0) win 60000 <mss 1000>")));
  guest.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(guest.send(30), 30u);
  guest.quiet();
  guest.in(". 1:1(0) ack 1 win 60000");
  guest.out("P. 1:31(30) ack 1");
}

TEST_P(Forwarded, ARepeatedSynIsNoSecondOffer) {
  const OfferId offer = guest.ask();
  for (int i = 0; i < 5; ++i) {
    guest.after(1s);
    EXPECT_EQ(guest.in(kSyn), Verdict::syn_held);
  }
  EXPECT_TRUE(guest.other_events().empty());
  guest.quiet();
  EXPECT_EQ(guest.stack().census().held_syns, 1u);
  ASSERT_TRUE(guest.accept(offer));
  guest.out("S. 0:0(0) ack 1 <*>");
}

// The guest gave its first attempt up and tries again from the same port.
TEST_P(Forwarded, ANewerSynTakesThePlaceOfTheOneHeld) {
  const OfferId offer = guest.ask();
  guest.start_over(SeqNum(777));
  EXPECT_EQ(guest.in("S 0:0(0) win 60000 <mss 900>"), Verdict::syn_held);
  ASSERT_TRUE(guest.accept(offer));
  guest.out("S. 0:0(0) ack 1 <mss *>");
}

TEST_P(Forwarded, ARejectedSynGetsAResetThatTheGuestBelieves) {
  const OfferId offer = guest.ask();
  EXPECT_TRUE(guest.reject(offer, Refusal::reset));
  guest.out_refusal();
  EXPECT_EQ(guest.reject(offer, Refusal::reset).error(), Error::no_such_id);
  EXPECT_EQ(guest.accept(offer).error(), Error::no_such_id);
  EXPECT_EQ(guest.stack().census(), Stack::Census{});
}

TEST_P(Forwarded, ARejectedSynGetsTheIcmpErrorThatIsAskedFor) {
  const std::pair<Refusal, Kind> kinds[] = {
      {Refusal::network_unreachable, Kind::net_unreachable},
      {Refusal::host_unreachable, Kind::host_unreachable},
      {Refusal::prohibited, Kind::administratively_prohibited}};
  for (const auto& [refusal, kind] : kinds) {
    ASSERT_TRUE(guest.reject(guest.ask(), refusal));
    const auto sent = guest.next();
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->ip.source, guest.own());
    EXPECT_EQ(sent->ip.destination, guest.remote());
    const auto packet = wire::parse_ip(sent->octets);
    const auto message = wire::parse_icmp(*packet);
    ASSERT_TRUE(message);
    const auto error = wire::parse_icmp_error(*message, GetParam());
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind, kind);
    // Quoted as the guest sent it, so that it finds the socket, and the number in flight.
    EXPECT_EQ(error->original.source, guest.remote());
    EXPECT_EQ(error->original.destination, Guest::far(GetParam()));
    EXPECT_EQ(error->source_port, Peer::kRemotePort);
    EXPECT_EQ(error->destination_port, Peer::kLocalPort);
    EXPECT_EQ(error->seq, guest.remote_isn());
    guest.quiet();
  }
}

TEST_P(Forwarded, SilenceLeavesNothingAndTheNextSynIsOfferedAnew) {
  ASSERT_TRUE(guest.reject(guest.ask(), Refusal::silence));
  guest.quiet();
  EXPECT_EQ(guest.stack().census(), Stack::Census{});
  EXPECT_TRUE(guest.ask());
}

TEST_P(Forwarded, ASynNobodyDecidesIsForgottenWhenTheGuestRepeatsItNoMore) {
  const OfferId offer = guest.ask();
  guest.after(60s);
  EXPECT_EQ(guest.in(kSyn), Verdict::syn_held);
  guest.after(74s);
  EXPECT_TRUE(guest.stack().is_waiting(offer));
  guest.after(2s);
  EXPECT_FALSE(guest.stack().is_waiting(offer));
  EXPECT_EQ(guest.accept(offer).error(), Error::no_such_id);
  EXPECT_EQ(guest.stack().counters().offers_expired, 1u);
  EXPECT_EQ(guest.stack().census(), Stack::Census{});
  guest.quiet();
}

TEST_P(Forwarded, AResetTakesTheSynBackAndOnlyBehindIt) {
  const OfferId offer = guest.ask();
  EXPECT_EQ(guest.in("R 500:500(0) win 0"), Verdict::reset_ignored);
  EXPECT_TRUE(guest.stack().is_waiting(offer));
  EXPECT_EQ(guest.in("R 1:1(0) win 0"), Verdict::reset_accepted);
  EXPECT_FALSE(guest.stack().is_waiting(offer));
  guest.quiet();
}

TEST_P(Forwarded, AnAckWhileTheSynIsHeldIsRefused) {
  const OfferId offer = guest.ask();
  EXPECT_EQ(guest.in(". 1:1(0) ack 1 win 100"), Verdict::ack_unacceptable);
  guest.out("R 1:1(0) <>");
  EXPECT_TRUE(guest.stack().is_waiting(offer));
}

// RFC 9293 §3.10.7.1, as the host itself would answer.
TEST_P(Forwarded, ASegmentOfNoConnectionIsReset) {
  EXPECT_EQ(guest.in(". 1:1(0) ack 1 win 100"), Verdict::answered_reset);
  guest.out("R 1:1(0) <>");
  EXPECT_EQ(guest.in("R 1:1(0) win 0"), Verdict::no_connection);
  guest.quiet();
}

TEST_P(Forwarded, TheGuestsResetIsTheStreamsWhileItOpens) {
  ASSERT_TRUE(guest.accept(guest.ask()));
  guest.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(guest.in("R 1:1(0) win 0"), Verdict::reset_accepted);
  EXPECT_EQ(guest.told().failure, Error::connection_reset);
}

TEST_P(Forwarded, AnAcceptedStreamThatIsAbortedBeforeTheAckResetsTheGuest) {
  ASSERT_TRUE(guest.accept(guest.ask("S 0:0(0) win 60000 <mss 1000>")));
  guest.out("S. 0:0(0) ack 1 <*>");
  EXPECT_TRUE(guest.abort());
  guest.out("R. 1:1(0) ack 1 <>");
  EXPECT_EQ(guest.stack().census(), Stack::Census{});
}

TEST_P(Forwarded, TheSynAckIsRepeatedUntilItIsAnswered) {
  ASSERT_TRUE(guest.accept(guest.ask("S 0:0(0) win 60000 <mss 1000>")));
  guest.mark();
  guest.out("S. 0:0(0) ack 1 <*>");
  guest.after(1s);
  guest.out_at(1s, "S. 0:0(0) ack 1 <*>");
  guest.in("S 0:0(0) win 60000 <mss 1000>");
  guest.out("S. 0:0(0) ack 1 <*>");
}

// [RFC 1122 3.1-5]
TEST_P(Forwarded, NothingIsOfferedUnlessTheInterfaceForwards) {
  Guest other(PeerOptions{.family = GetParam()});
  EXPECT_EQ(other.in(kSyn), Verdict::not_for_us);
  EXPECT_TRUE(other.stack().set_forwarding(other.interface(), {.tcp = true}));
  EXPECT_EQ(other.in(kSyn), Verdict::syn_held);
  other.quiet();
}

TEST_P(Forwarded, WhatIsOpenStaysOpenWhenForwardingIsSwitchedOff) {
  ASSERT_TRUE(guest.accept(guest.ask("S 0:0(0) win 60000 <mss 1000>")));
  guest.out("S. 0:0(0) ack 1 <*>");
  EXPECT_TRUE(guest.stack().set_forwarding(guest.interface(), {}));
  EXPECT_EQ(guest.in(". 1:1(0) ack 1 win 60000"), Verdict::handshake_completed);
  guest.talk_from(Peer::kRemotePort + 1);
  EXPECT_EQ(guest.in(kSyn), Verdict::not_for_us);
  guest.quiet();
}

TEST_P(Forwarded, TheStacksOwnAddressIsNotForwarded) {
  guest.aim_at(guest.own());
  EXPECT_EQ(guest.in(kSyn), Verdict::answered_reset);
  guest.out_refusal();
}

TEST_P(Forwarded, AListenerAtAnyAddressListensForTheStacksOwn) {
  ASSERT_TRUE(guest.stack().listen({.local = {IpAddress(), Peer::kLocalPort}}));
  EXPECT_EQ(guest.in(kSyn), Verdict::syn_held);
  guest.quiet();
  guest.aim_at(guest.own());
  guest.talk_from(2);
  EXPECT_EQ(guest.in(kSyn), Verdict::syn_queued);
}

// RFC 1122 §3.2.1.3, RFC 4291 §2.5.6: nobody stands in for these.
TEST(Forwarding, IsOfSingleHostsThatAreNotBoundToTheLink) {
  for (const char* address : {"127.0.0.1", "0.0.0.1", "240.0.0.1"}) {
    Guest guest(forwarding(Family::ipv4));
    guest.aim_at(*IpAddress::parse(address));
    EXPECT_EQ(guest.in(kSyn), Verdict::not_for_us) << address;
  }
  for (const char* address : {"::1", "fe80::9"}) {
    Guest guest(forwarding(Family::ipv6));
    guest.aim_at(*IpAddress::parse(address));
    EXPECT_EQ(guest.in(kSyn), Verdict::not_for_us) << address;
  }
}

// RFC 9293 §3.10.7.4, RFC 6191: behind the old connection's numbers, whoever decides and when.
TEST_P(Forwarded, APairInTimeWaitIsOfferedAgain) {
  ASSERT_TRUE(guest.accept(guest.ask("S 0:0(0) win 60000 <mss 1000,TS val 5 ecr 0>")));
  guest.out("S. 0:0(0) ack 1 <*>");
  guest.use_timestamps();
  guest.in(". 1:1(0) ack 1 win 60000");
  EXPECT_TRUE(guest.close());
  guest.out("F. 1:1(0) ack 1");
  guest.in("F. 1:1(0) ack 2 win 60000");
  guest.out(". 2:2(0) ack 2");
  EXPECT_EQ(guest.stack().census().time_wait, 1u);
  const SeqNum used = guest.stack_isn() + 2;
  guest.after(5s);
  guest.start_over(guest.remote_isn() + 100000);
  const OfferId offer = [&] {
    EXPECT_EQ(guest.in("S 0:0(0) win 60000 <mss 1000,TS val 9999 ecr 0>"),
              Verdict::time_wait_reopened);
    return guest.offered();
  }();
  EXPECT_EQ(guest.stack().census().time_wait, 0u);
  ASSERT_TRUE(guest.accept(offer));
  guest.out("S. 0:0(0) ack 1 <*>");
  EXPECT_GT(guest.stack_isn() - used, 0);
}

// ---- limits

TEST_P(Forwarded, AFloodMeetsTheLimitOfHeldSyns) {
  Guest flooded(forwarding(GetParam(), {.held_syns = 10}));
  for (int port = 1; port <= 1000; ++port) {
    flooded.talk_from(static_cast<std::uint16_t>(port));
    EXPECT_EQ(flooded.in(kSyn), port <= 10 ? Verdict::syn_held : Verdict::syn_dropped);
  }
  flooded.quiet();
  EXPECT_EQ(flooded.stack().census().held_syns, 10u);
  EXPECT_EQ(flooded.stack().counters().offers, 10u);
  EXPECT_EQ(flooded.stack().counters().offers_refused, 990u);
  // There is room again when one is decided.
  const auto events = flooded.other_events();
  ASSERT_EQ(events.size(), 10u);
  EXPECT_TRUE(flooded.reject(std::get<OfferEvent>(events[3]).offer, Refusal::silence));
  EXPECT_EQ(flooded.in(kSyn), Verdict::syn_held);
}

TEST_P(Forwarded, AStreamCountsUntilTheApplicationHasLetItGo) {
  Guest few(forwarding(GetParam(), {.forwarded = 1}));
  ASSERT_TRUE(few.accept(few.ask("S 0:0(0) win 60000 <mss 1000>")));
  few.out("S. 0:0(0) ack 1 <*>");
  few.talk_from(2);
  EXPECT_EQ(few.in(kSyn), Verdict::syn_dropped);
  few.talk_from(Peer::kRemotePort);
  EXPECT_EQ(few.in("R 1:1(0) win 0"), Verdict::reset_accepted);
  few.talk_from(2);
  EXPECT_EQ(few.in(kSyn), Verdict::syn_dropped);
  few.talk_from(Peer::kRemotePort);
  EXPECT_TRUE(few.close());
  EXPECT_EQ(few.stack().census().forwarded, 0u);
  few.talk_from(2);
  EXPECT_EQ(few.in(kSyn), Verdict::syn_held);
}

TEST_P(Forwarded, ASourceHasALimitOfItsOwn) {
  Guest many(forwarding(GetParam(), {.forwarded_per_source = 2}));
  for (const int port : {1, 2, 3}) {
    many.talk_from(static_cast<std::uint16_t>(port));
    EXPECT_EQ(many.in(kSyn), port <= 2 ? Verdict::syn_held : Verdict::syn_dropped);
  }
  many.come_from(GetParam() == Family::ipv4 ? IpAddress::v4(192, 0, 2, 9)
                                            : *IpAddress::parse("2001:db8::9"));
  EXPECT_EQ(many.in(kSyn), Verdict::syn_held);
  EXPECT_EQ(many.stack().census().forwarded, 3u);
}

TEST_P(Forwarded, AHeldSynCostsAtMost256Octets) {
  const std::size_t before = guest.stack().memory();
  constexpr int kMany = 3000;
  for (int port = 1; port <= kMany; ++port) {
    guest.talk_from(static_cast<std::uint16_t>(port));
    ASSERT_EQ(guest.in(kSyn), Verdict::syn_held);
  }
  const std::size_t held = guest.stack().memory() - before;
  EXPECT_LE(held / kMany, 256u);
}

// Who never asks for events makes the stack hold no more for it.
TEST_P(Forwarded, OffersThatNobodyAsksForDoNotPileUp) {
  for (int round = 0; round < 50; ++round) {
    for (int port = 1; port <= 200; ++port) {
      guest.talk_from(static_cast<std::uint16_t>(port));
      guest.stack().handle_frame(guest.now(), guest.interface(), {.octets = guest.make(kSyn)});
    }
    guest.sleep(76s);
    guest.stack().handle_deadline(guest.now());
  }
  EXPECT_EQ(guest.stack().census().held_syns, 0u);
  EXPECT_LT(guest.stack().memory(), 400'000u);
}

TEST_P(Forwarded, AHeldSynGoesWithItsInterface) {
  const OfferId offer = guest.ask();
  EXPECT_TRUE(guest.stack().remove_interface(guest.now(), guest.interface()));
  EXPECT_FALSE(guest.stack().is_waiting(offer));
  EXPECT_EQ(guest.stack().census(), Stack::Census{});
}

TEST_P(Forwarded, AStreamEndsWithTheInterfaceThatLeadsToItsGuest) {
  ASSERT_TRUE(guest.accept(guest.ask("S 0:0(0) win 60000 <mss 1000>")));
  guest.out("S. 0:0(0) ack 1 <*>");
  guest.in(". 1:1(0) ack 1 win 60000");
  (void)guest.told();
  EXPECT_TRUE(guest.stack().remove_interface(guest.now(), guest.interface()));
  EXPECT_EQ(guest.told().failure, Error::address_removed);
}

TEST_P(Forwarded, ACopyOfTheStackDecidesForItself) {
  const OfferId offer = guest.ask();
  Stack copy = guest.stack();
  EXPECT_EQ(copy, guest.stack());
  EXPECT_EQ(copy.hash(), guest.stack().hash());
  ASSERT_TRUE(copy.accept(guest.now(), offer));
  EXPECT_TRUE(guest.stack().is_waiting(offer));
  EXPECT_FALSE(copy.is_waiting(offer));
  EXPECT_NE(copy, guest.stack());
  EXPECT_EQ(copy.census().forwarded, 1u);
}

// ICMP about what was sent in another host's name reaches the stream (RFC 9293 §3.9.2.2).
TEST_P(Forwarded, IcmpToTheOtherHostReachesTheStream) {
  ASSERT_TRUE(guest.accept(guest.ask("S 0:0(0) win 60000 <mss 1000>")));
  guest.out("S. 0:0(0) ack 1 <*>");
  guest.in(". 1:1(0) ack 1 win 60000");
  EXPECT_EQ(guest.send(100), 100u);
  const Sent sent = guest.out("P. 1:101(100) ack 1");
  (void)guest.told();
  guest.in_octets(icmp_error(sent, Kind::host_unreachable));
  EXPECT_EQ(guest.told().soft_error, Error::host_unreachable);
}

}  // namespace
}  // namespace estab::script
