// TCP Fast Open (RFC 7413): whole exchanges, in both roles.

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"
#include "tcp/open/fast_open_cookie.h"

namespace estab::script {
namespace {

constexpr FastOpenKey kKey = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/// The cookie of a listener with that key for who talks to it, as noted.
std::string cookie_of(const Peer& peer, const FastOpenKey& key = kKey) {
  const FastOpenCookie cookie = tcp::make_fast_open_cookie(
      {base::load_le64(key.data()), base::load_le64(key.data() + 8)}, peer.tuple());
  std::string text;
  for (const std::uint8_t octet : cookie.octets()) {
    text += "0123456789abcdef"[octet >> 4];
    text += "0123456789abcdef"[octet & 15];
  }
  return text;
}

// ---- the server

class FastOpenServer : public testing::TestWithParam<Family> {
 protected:
  void listen(FastOpen settings = {.pending = 8, .keys = {kKey}}) {
    TcpConfig config;
    config.fast_open = std::move(settings);
    peer.listen(backlog, config);
  }
  /// A SYN with ten octets and a good cookie opens the connection.
  void open() {
    EXPECT_EQ(peer.in("S 0:10(10) win 65535 <mss 1460,FO " + cookie_of(peer) + ",nop,nop>"),
              Verdict::syn_opened);
    peer.out("S. 0:0(0) ack 11 <mss *>");
    EXPECT_EQ(peer.state(), State::syn_received);
  }

  std::uint32_t backlog = 16;
  Peer peer{{.family = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Families, FastOpenServer, both_families(), family_name);

// [RFC 7413 2-1, 4.2-1, 4.2-2]
TEST_P(FastOpenServer, IsOffUnlessAskedFor) {
  peer.listen();
  EXPECT_EQ(peer.in("S 0:10(10) win 65535 <mss 1460,FO " + cookie_of(peer) + ",nop,nop>"),
            Verdict::syn_queued);
  peer.out("S. 0:0(0) ack 1 <mss *>");
  EXPECT_FALSE(peer.accept());
}

TEST_P(FastOpenServer, AnswersARequestWithACookieAndNoMore) {
  listen();
  EXPECT_EQ(peer.in("S 0:10(10) win 65535 <mss 1460,FO,nop,nop>"), Verdict::syn_queued);
  peer.out("S. 0:0(0) ack 1 <mss *,FO " + cookie_of(peer) + ",nop,nop>");
  EXPECT_FALSE(peer.accept());
  peer.in(". 1:11(10) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.recv(), 10u);
  EXPECT_EQ(peer.info().fast_open, FastOpenOutcome::unused);
}

TEST_P(FastOpenServer, DeliversTheOctetsOfASynAndAcknowledgesThem) {
  listen();
  open();
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.recv(), 10u);
  EXPECT_EQ(peer.info().state, State::syn_received);
  EXPECT_EQ(peer.info().fast_open, FastOpenOutcome::taken);
  EXPECT_EQ(peer.stack().counters().fast_opens_in, 1u);
  peer.quiet();
  EXPECT_EQ(peer.in(". 11:11(0) ack 1 win 65535"), Verdict::handshake_completed);
  EXPECT_EQ(peer.state(), State::established);
  EXPECT_EQ(peer.info().fast_open, FastOpenOutcome::taken);
  peer.in("P. 11:21(10) ack 1 win 65535");
  peer.out(". 1:1(0) ack 21");
  EXPECT_EQ(peer.recv(), 10u);
}

TEST_P(FastOpenServer, AnswersBeforeTheHandshakeIsComplete) {
  listen();
  open();
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.send(100), 100u);
  peer.out("P. 1:101(100) ack 11");
  EXPECT_EQ(peer.state(), State::syn_received);
  EXPECT_EQ(peer.in(". 11:11(0) ack 101 win 65535"), Verdict::handshake_completed);
  EXPECT_EQ(peer.info().unacked_bytes, 0u);
  EXPECT_EQ(peer.state(), State::established);
}

// [RFC 7413 4.2.2-5]
TEST_P(FastOpenServer, SendsNoMoreThanAnInitialWindowBefore) {
  listen();
  open();
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.send(50000), 50000u);
  std::uint32_t sent = 0;
  peer.after(100ms);
  while (const auto frame = peer.next())
    sent += static_cast<std::uint32_t>(frame->segment->payload.size());
  EXPECT_EQ(sent, 10 * peer.info().snd_mss);
}

// [RFC 7413 4.2.2-3]
TEST_P(FastOpenServer, AnswersABadCookieWithAGoodOneAndTakesNothing) {
  listen();
  peer.in("S 0:10(10) win 65535 <mss 1460,FO 0011223344556677,nop,nop>");
  peer.out("S. 0:0(0) ack 1 <mss *,FO " + cookie_of(peer) + ",nop,nop>");
  EXPECT_FALSE(peer.accept());
  EXPECT_EQ(peer.stack().counters().fast_open_bad_cookies, 1u);
  peer.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.info().fast_open, FastOpenOutcome::unused);
}

TEST_P(FastOpenServer, SendsANewCookieForOneOfAnOldKey) {
  const FastOpenKey newer = {42};
  listen({.pending = 8, .keys = {newer, kKey}});
  EXPECT_EQ(peer.in("S 0:10(10) win 65535 <mss 1460,FO " + cookie_of(peer) + ",nop,nop>"),
            Verdict::syn_opened);
  peer.out("S. 0:0(0) ack 11 <mss *,FO " + cookie_of(peer, newer) + ",nop,nop>");
}

TEST_P(FastOpenServer, SpeaksTheExperimentalOptionWithWhoDoes) {
  listen();
  peer.in("S 0:0(0) win 65535 <mss 1460,FOEXP>");
  peer.out("S. 0:0(0) ack 1 <mss *,FOEXP " + cookie_of(peer) + ">");
  peer.talk_from(40001);
  EXPECT_EQ(peer.in("S 0:10(10) win 65535 <mss 1460,FOEXP " + cookie_of(peer) + ">"),
            Verdict::syn_opened);
  peer.out("S. 0:0(0) ack 11 <mss *>");
}

TEST_P(FastOpenServer, TakesASynWithAGoodCookieAndNoOctets) {
  listen();
  EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460,FO " + cookie_of(peer) + ",nop,nop>"),
            Verdict::syn_opened);
  peer.out("S. 0:0(0) ack 1 <mss *>");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.info().fast_open, FastOpenOutcome::unused);
  EXPECT_EQ(peer.send(10), 10u);
  peer.out("P. 1:11(10) ack 1");
}

TEST_P(FastOpenServer, TakesOctetsWithoutACookieIfToldTo) {
  listen({.pending = 8, .cookies = false});
  EXPECT_EQ(peer.in("S 0:10(10) win 65535 <mss 1460>"), Verdict::syn_opened);
  peer.out("S. 0:0(0) ack 11 <mss *>");
  peer.talk_from(40001);
  EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::syn_queued);
}

// [RFC 7413 4.2.2-6]
TEST_P(FastOpenServer, RepeatsTheSynAckWithoutOctetsAndOption) {
  listen();
  open();
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.send(100), 100u);
  peer.out("P. 1:101(100) ack 11");
  peer.after(1s);
  peer.out("S. 0:0(0) ack 11 <mss *>");
  peer.quiet();  // nothing else before that has arrived
  peer.in(". 11:11(0) ack 1 win 65535");
  EXPECT_EQ(peer.state(), State::established);
  peer.after(1s);
  peer.out("P. 1:101(100) ack 11");
}

// [RFC 7413 4.2.2-6]
TEST_P(FastOpenServer, RepeatsTheSynAckWithoutACookie) {
  listen();
  peer.in("S 0:0(0) win 65535 <mss 1460,FO,nop,nop>");
  peer.out("S. 0:0(0) ack 1 <mss *,FO " + cookie_of(peer) + ",nop,nop>");
  peer.after(1s);
  peer.out("S. 0:0(0) ack 1 <mss *>");
}

TEST_P(FastOpenServer, AnswersARepeatedSynAsItDidTheFirst) {
  listen();
  open();
  EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::accepted);
  peer.out("S. 0:0(0) ack 11 <mss *>");
  peer.in(". 11:11(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.recv(), 10u);
  peer.quiet();
}

TEST_P(FastOpenServer, GivesUpAfterR2) {
  listen();
  open();
  ASSERT_TRUE(peer.accept());
  peer.after(190s);
  EXPECT_EQ(peer.told().failure, Error::connection_timed_out);
  EXPECT_EQ(peer.stack().census().syn_cache, 0u);
  EXPECT_EQ(peer.stack().counters().failed_opens, 1u);
}

TEST_P(FastOpenServer, IsResetByTheRightNumberOnly) {
  listen();
  open();
  EXPECT_EQ(peer.in("R 12:12(0) win 0"), Verdict::reset_challenged);
  peer.out(". 1:1(0) ack 11");
  EXPECT_EQ(peer.in("R 11:11(0) win 0"), Verdict::reset_accepted);
  ASSERT_TRUE(peer.accept());  // what came may still be read
  EXPECT_EQ(peer.recv(), 10u);
  EXPECT_EQ(peer.recv_error(), Error::connection_reset);
}

TEST_P(FastOpenServer, RefusesAnAcknowledgementOfWhatWasNeverSent) {
  listen();
  open();
  EXPECT_EQ(peer.in(". 11:11(0) ack 2 win 65535"), Verdict::ack_unacceptable);
  peer.out("R 2:2(0)");
  EXPECT_EQ(peer.in(". 11:11(0) ack 0 win 65535"), Verdict::ack_unacceptable);
  peer.out("R 0:0(0)");
  EXPECT_EQ(peer.state(), State::syn_received);
}

TEST_P(FastOpenServer, LeavesAFinBesideTheOctetsToBeRepeated) {
  listen();
  EXPECT_EQ(peer.in("SF 0:10(10) win 65535 <mss 1460,FO " + cookie_of(peer) + ",nop,nop>"),
            Verdict::syn_opened);
  peer.out("S. 0:0(0) ack 11 <mss *>");
  peer.in("F. 11:11(0) ack 1 win 65535");
  peer.out(". 1:1(0) ack 12");
  EXPECT_EQ(peer.state(), State::close_wait);
}

TEST_P(FastOpenServer, MayCloseBeforeTheHandshakeIsComplete) {
  listen();
  open();
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.recv(), 10u);
  EXPECT_TRUE(peer.close());
  peer.out("F. 1:1(0) ack 11");
  peer.in(". 11:11(0) ack 2 win 65535");
  EXPECT_EQ(peer.state(), State::fin_wait_2);
  peer.in("F. 11:11(0) ack 2 win 65535");
  peer.out(". 2:2(0) ack 12");
  EXPECT_EQ(peer.stack().census().syn_cache, 0u);
}

TEST_P(FastOpenServer, ResetsWhatNobodyHasAcceptedWhenItStopsListening) {
  listen();
  open();
  EXPECT_TRUE(peer.stack().close(peer.now(), peer.listener()));
  peer.out("R. 1:1(0) ack 11");
  EXPECT_EQ(peer.stack().census().syn_cache, 0u);
  EXPECT_EQ(peer.stack().census().streams, 0u);
}

TEST_P(FastOpenServer, GoesOnWithWhatIsAcceptedWhenItStopsListening) {
  listen();
  open();
  ASSERT_TRUE(peer.accept());
  EXPECT_TRUE(peer.stack().close(peer.now(), peer.listener()));
  peer.after(1s);
  peer.out("S. 0:0(0) ack 11 <mss *>");
  peer.in(". 11:11(0) ack 1 win 65535");
  EXPECT_EQ(peer.info().state, State::established);
  EXPECT_EQ(peer.recv(), 10u);
}

TEST_P(FastOpenServer, EndsWithItsAddress) {
  listen();
  open();
  ASSERT_TRUE(peer.accept());
  EXPECT_TRUE(peer.stack().remove_address(peer.now(), peer.interface(), peer.local()));
  EXPECT_EQ(peer.told().failure, Error::address_removed);
  EXPECT_EQ(peer.stack().census().syn_cache, 0u);
}

// ---- floods (RFC 7413 §5.1)

// [RFC 7413 4.2-3]
TEST_P(FastOpenServer, TakesNothingWhileTooManyWait) {
  listen({.pending = 2, .keys = {kKey}});
  open();
  peer.talk_from(40001);
  open();
  peer.talk_from(40002);
  EXPECT_EQ(peer.in("S 0:10(10) win 65535 <mss 1460,FO " + cookie_of(peer) + ",nop,nop>"),
            Verdict::syn_queued);
  peer.out("S. 0:0(0) ack 1 <mss *>");
  EXPECT_EQ(peer.stack().counters().fast_open_overflow, 1u);
  peer.talk_from(40001);
  peer.in(". 11:11(0) ack 1 win 65535");
  peer.talk_from(40003);
  open();
}

TEST_P(FastOpenServer, CountsWhatWasResetForAWhile) {
  listen({.pending = 1, .keys = {kKey}});
  open();
  peer.in("R 11:11(0) win 0");
  peer.talk_from(40001);
  peer.in("S 0:10(10) win 65535 <mss 1460,FO " + cookie_of(peer) + ",nop,nop>");
  peer.out("S. 0:0(0) ack 1 <mss *>");
  peer.in("R 1:1(0) win 0");
  peer.after(120s);
  peer.talk_from(40002);
  open();
}

TEST_P(FastOpenServer, GivesWayToSynCookies) {
  backlog = 1;
  listen();
  peer.talk_from(40009);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.talk_from(40000);
  EXPECT_EQ(peer.in("S 0:10(10) win 65535 <mss 1460,FO " + cookie_of(peer) + ",nop,nop>"),
            Verdict::syn_cookie_sent);
  peer.out("S. 0:0(0) ack 1 <*>");
}

TEST_P(FastOpenServer, FallsBackWithoutRoomForAConnection) {
  Peer small({.family = GetParam(), .stack = {.seed = {1, 2}, .limits = {.connections = 0}}});
  TcpConfig config;
  config.fast_open = {.pending = 8, .keys = {kKey}};
  small.listen(16, config);
  EXPECT_EQ(small.in("S 0:10(10) win 65535 <mss 1460,FO " + cookie_of(small) + ",nop,nop>"),
            Verdict::syn_queued);
  small.out("S. 0:0(0) ack 1 <mss *>");
}

TEST_P(FastOpenServer, IsAValueInItsMidst) {
  listen();
  open();
  Stack copy = peer.stack();
  EXPECT_EQ(copy, peer.stack());
  EXPECT_EQ(copy.hash(), peer.stack().hash());
  peer.in(". 11:11(0) ack 1 win 65535");
  EXPECT_NE(copy, peer.stack());
}

// ---- the client

class FastOpenClient : public testing::TestWithParam<Family> {
 protected:
  FastOpenClient() { config.fast_open.connect = true; }
  /// A first connection, which brings a cookie and the server's MSS.
  void warm_up(std::string_view answer = "mss 1000,FO 1234abcd,nop,nop") {
    ASSERT_TRUE(peer.connect(config));
    peer.out("S 0:0(0) <mss *,FO,nop,nop>");
    peer.in("S. 0:0(0) ack 1 win 65535 <" + std::string(answer) + ">");
    peer.out(". 1:1(0) ack 1");
    EXPECT_TRUE(peer.abort());
    peer.forget_output();
    peer.start_over(SeqNum(1000));
  }
  /// The next one, with octets at once.
  void connect_with(std::size_t octets) {
    peer.together([&] {
      ASSERT_TRUE(peer.connect(config));
      EXPECT_EQ(peer.send(octets), octets);
    });
  }

  TcpConfig config{.use_window_scale = false, .use_timestamps = false, .use_sack = false};
  Peer peer{{.family = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Families, FastOpenClient, both_families(), family_name);

// [RFC 7413 2-1]
TEST_P(FastOpenClient, SaysNothingUnlessAskedTo) {
  config.fast_open.connect = false;
  connect_with(10);
  peer.out("S 0:0(0) <mss *>");
}

// [RFC 7413 4.2.1-1, 4.2.2-1, 9-1]
TEST_P(FastOpenClient, AsksForACookieAndKeepsItsOctets) {
  connect_with(10);
  peer.out("S 0:0(0) <mss *,FO,nop,nop>");
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000,FO 1234abcd,nop,nop>");
  peer.out("P. 1:11(10) ack 1");
  EXPECT_EQ(peer.info().fast_open, FastOpenOutcome::cookie_unavailable);
}

// [RFC 7413 4.1.3-1, 4.2.2-1]
TEST_P(FastOpenClient, SendsItsOctetsInTheSyn) {
  warm_up();
  connect_with(100);
  peer.out("S 0:100(100) <mss *,FO 1234abcd,nop,nop>");
  peer.in("S. 0:0(0) ack 101 win 65535 <mss 1000>");
  peer.out(". 101:101(0) ack 1");
  peer.quiet();
  EXPECT_TRUE(peer.told().connected);
  EXPECT_EQ(peer.info().fast_open, FastOpenOutcome::taken);
  EXPECT_EQ(peer.info().bytes_acked, 100u);
  EXPECT_EQ(peer.info().unacked_bytes, 0u);
  EXPECT_EQ(peer.stack().counters().fast_opens_out, 1u);
  EXPECT_EQ(peer.send(10), 10u);
  peer.out("P. 101:111(10) ack 1");
}

TEST_P(FastOpenClient, SendsTheRestBehindTheSyn) {
  warm_up();
  connect_with(1500);
  peer.out("S 0:960(960) <mss *,FO 1234abcd,nop,nop>");
  peer.in("S. 0:0(0) ack 961 win 65535 <mss 1000>");
  peer.out("P. 961:1501(540) ack 1");
}

// [RFC 7413 4.2.2-7, 4.2.2-8]
TEST_P(FastOpenClient, RepeatsAtOnceWhatTheServerDidNotTake) {
  warm_up();
  connect_with(100);
  peer.out("S 0:100(100) <mss *,FO 1234abcd,nop,nop>");
  peer.in("S. 0:0(0) ack 41 win 65535 <mss 1000,FO 5678abcd,nop,nop>");
  peer.out("P. 41:101(60) ack 1");
  EXPECT_EQ(peer.info().fast_open, FastOpenOutcome::data_not_acked);
  peer.in(". 1:1(0) ack 101 win 65535");
  EXPECT_EQ(peer.info().unacked_bytes, 0u);
  EXPECT_TRUE(peer.abort());
  peer.forget_output();
  peer.start_over(SeqNum(7));
  connect_with(100);  // the SYN-ACK brought a cookie: it is worth another try
  peer.out("S 0:100(100) <mss *,FO 5678abcd,nop,nop>");
}

// [RFC 7413 4.1.3.1-1, 4.1.3.1-2]
TEST_P(FastOpenClient, DoesNotTryAgainForAWhileIfTheServerTakesNothing) {
  warm_up();
  connect_with(100);
  peer.out("S 0:100(100) <mss *,FO 1234abcd,nop,nop>");
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.out("P. 1:101(100) ack 1");
  EXPECT_TRUE(peer.abort());
  peer.forget_output();
  peer.start_over(SeqNum(7));
  connect_with(100);
  peer.out("S 0:0(0) <mss *>");
  EXPECT_EQ(peer.info().fast_open, FastOpenOutcome::cookie_unavailable);
  EXPECT_TRUE(peer.abort());
  peer.after(61min);
  peer.start_over(SeqNum(7));
  connect_with(100);
  peer.out("S 0:100(100) <mss *,FO 1234abcd,nop,nop>");
}

// [RFC 7413 4.2.2-2]
TEST_P(FastOpenClient, RepeatsTheSynWithoutOctetsAndOption) {
  warm_up();
  connect_with(100);
  peer.out("S 0:100(100) <mss *,FO 1234abcd,nop,nop>");
  peer.after(1s);
  peer.out("S 0:0(0) <mss *>");
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.out("P. 1:101(100) ack 1");
  EXPECT_EQ(peer.info().fast_open, FastOpenOutcome::syn_retransmitted);
}

// The timeout may have been for nothing: both SYN-ACKs are as good.
TEST_P(FastOpenClient, TakesALateAcknowledgementOfTheOctets) {
  warm_up();
  connect_with(100);
  peer.out("S 0:100(100) <mss *,FO 1234abcd,nop,nop>");
  peer.after(1s);
  peer.out("S 0:0(0) <mss *>");
  peer.in("S. 0:0(0) ack 101 win 65535 <mss 1000>");
  peer.out(". 101:101(0) ack 1");
  EXPECT_EQ(peer.info().fast_open, FastOpenOutcome::taken);
}

// [RFC 7413 4.1.3.1-1]
TEST_P(FastOpenClient, DoesNotTryAgainWhereNothingCameBack) {
  warm_up();
  connect_with(100);
  peer.forget_output();
  peer.after(190s);
  EXPECT_EQ(peer.told().failure, Error::connect_timed_out);
  peer.forget_output();
  peer.start_over(SeqNum(7));
  connect_with(100);
  peer.out("S 0:0(0) <mss *>");
}

TEST_P(FastOpenClient, RefusesAnAcknowledgementBeyondTheOctets) {
  warm_up();
  connect_with(100);
  peer.out("S 0:100(100) <mss *,FO 1234abcd,nop,nop>");
  EXPECT_EQ(peer.in("S. 0:0(0) ack 102 win 65535 <mss 900,FO 9999abcd,nop,nop>"),
            Verdict::ack_unacceptable);
  peer.out("R 102:102(0)");
  EXPECT_EQ(peer.state(), State::syn_sent);
}

TEST_P(FastOpenClient, IsRefusedWithOctetsAsWithout) {
  warm_up();
  connect_with(100);
  peer.out("S 0:100(100) <mss *,FO 1234abcd,nop,nop>");
  EXPECT_EQ(peer.in("R. 0:0(0) ack 1 win 0"), Verdict::reset_accepted);
  EXPECT_EQ(peer.told().failure, Error::connection_refused);
}

TEST_P(FastOpenClient, TakesOctetsThatComeWithTheSynAck) {
  warm_up();
  connect_with(100);
  peer.out("S 0:100(100) <mss *,FO 1234abcd,nop,nop>");
  peer.in("S. 0:50(50) ack 101 win 65535 <mss 1000>");
  peer.out(". 101:101(0) ack 51");
  EXPECT_EQ(peer.recv(), 50u);
}

TEST_P(FastOpenClient, OpensAtOnceFromBothSides) {
  warm_up();
  connect_with(100);
  peer.out("S 0:100(100) <mss *,FO 1234abcd,nop,nop>");
  peer.in("S 0:0(0) win 65535 <mss 1000>");
  peer.out("S. 0:0(0) ack 1 <mss *>");
  peer.in(". 1:1(0) ack 101 win 65535");
  EXPECT_EQ(peer.state(), State::established);
  EXPECT_EQ(peer.info().unacked_bytes, 0u);
  EXPECT_EQ(peer.info().bytes_acked, 100u);
}

TEST_P(FastOpenClient, HoldsTheSynForTheFirstOctets) {
  warm_up();
  const auto stream = peer.stack().connect(
      peer.now(),
      {.remote = {peer.remote(), 40000}, .local_port = 8080, .hold_syn = true, .tcp = config});
  ASSERT_TRUE(stream);
  peer.after(10s);
  peer.quiet();
  EXPECT_EQ(peer.stack().syn_room(*stream), 960u);
  EXPECT_EQ(peer.stack().send(peer.now(), *stream, pattern(Stream::from_stack, 1, 7)), 7u);
  peer.out("S 0:7(7) <mss *,FO 1234abcd,nop,nop>");
  EXPECT_EQ(peer.stack().syn_room(*stream), 0u);
}

TEST_P(FastOpenClient, LetsTheSynGoForNothingToo) {
  const auto stream = peer.stack().connect(
      peer.now(),
      {.remote = {peer.remote(), 40000}, .local_port = 8080, .hold_syn = true, .tcp = config});
  ASSERT_TRUE(stream);
  EXPECT_EQ(peer.stack().syn_room(*stream), 0u);
  EXPECT_EQ(peer.stack().send(peer.now(), *stream, {}), 0u);
  peer.out("S 0:0(0) <mss *,FO,nop,nop>");
}

TEST_P(FastOpenClient, SendsOctetsWithoutACookieIfToldTo) {
  config.fast_open.connect_cookies = false;
  connect_with(100);
  peer.out("S 0:100(100) <mss *>");
  peer.in("S. 0:0(0) ack 101 win 65535 <mss 1000,FO 1234abcd,nop,nop>");
  peer.out(". 101:101(0) ack 1");
  EXPECT_TRUE(peer.abort());
  peer.forget_output();
  peer.start_over(SeqNum(7));
  config.fast_open.connect_cookies = true;
  connect_with(100);  // a cookie nobody asked for is not kept
  peer.out("S 0:0(0) <mss *,FO,nop,nop>");
}

TEST_P(FastOpenClient, RetriesWithoutOctetsIfThePathIsTooNarrow) {
  warm_up("mss 1400,FO 1234abcd,nop,nop");
  connect_with(1360);
  const Sent syn = peer.out("S 0:1360(1360) <mss *,FO 1234abcd,nop,nop>");
  peer.in_octets(icmp_error(syn, wire::IcmpError::Kind::packet_too_big, 1280));
  peer.out("S 0:0(0) <mss *>");
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1400>");
  EXPECT_EQ(peer.next()->segment->seq, peer.stack_isn() + 1);
}

}  // namespace
}  // namespace estab::script
