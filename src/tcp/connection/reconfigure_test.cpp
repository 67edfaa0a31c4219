// Stack::reconfigure: one way to change the settings of a connection, in every state, with an
// answer.

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

const auto kWithoutNagle = [](TcpConfig& c) { c.nagle = false; };

TEST(Reconfiguring, AnOpeningMayMakeItGiveUpSooner) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.after(1s);
  peer.out("S 0:0(0) <*>");
  peer.out("S 0:0(0) <*>");
  ASSERT_TRUE(peer.reconfigure([](TcpConfig& c) { c.user_timeout = 1500ms; }));
  peer.after(499ms);
  EXPECT_EQ(peer.state(), State::syn_sent);
  peer.after(1ms);
  EXPECT_EQ(peer.told().failure, Error::user_timeout);
  peer.quiet();
}

TEST(Reconfiguring, AnOpenConnectionTakesEffectAtOnce) {
  Peer peer;
  peer.establish();
  TcpConfig settings = peer.stack().settings(peer.stream()).value();
  settings.ttl = 9;
  settings.nagle = false;
  ASSERT_TRUE(peer.stack().reconfigure(peer.now(), peer.stream(), settings));
  EXPECT_EQ(peer.stack().settings(peer.stream()), settings);
  EXPECT_EQ(peer.send(10), 10u);
  EXPECT_EQ(peer.out("P. 1:11(10) ack 1").ip.ttl, 9);
  EXPECT_EQ(peer.send(10), 10u);
  peer.out("P. 11:21(10) ack 1");
}

// What is set before the connection is open holds when it is.
TEST(Reconfiguring, WhileItOpensHoldsOnceItIsOpen) {
  for (const bool simultaneous : {false, true}) {
    Peer peer;
    ASSERT_TRUE(peer.connect());
    peer.out("S 0:0(0) <*>");
    if (simultaneous) {
      peer.in("S 0:0(0) win 65535 <mss 1460>");
      peer.out("S. 0:0(0) ack 1 <*>");
    }
    ASSERT_TRUE(peer.reconfigure([](TcpConfig& c) {
      c.nagle = false;
      c.ttl = 9;
      c.keep_alive = {.enabled = true, .idle = 10s};
      c.send_buffer = 20;
      c.quick_acks = 0;
    }));
    peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
    EXPECT_EQ(peer.out(". 1:1(0) ack 1").ip.ttl, 9);
    EXPECT_EQ(peer.state(), State::established);
    EXPECT_EQ(peer.send(10), 10u);
    EXPECT_EQ(peer.out("P. 1:11(10) ack 1").ip.ttl, 9);
    EXPECT_EQ(peer.send(100), 10u);
    peer.out("P. 11:21(10) ack 1");
    peer.in(". 1:1(0) ack 21 win 65535");
    peer.mark();
    peer.after(10s);
    peer.out_at(10s, ". 20:20(0) ack 1");
  }
}

TEST(Reconfiguring, IsPossibleInEveryStateThatIsNotOver) {
  for (const State state :
       {State::syn_sent, State::established, State::close_wait, State::fin_wait_1,
        State::fin_wait_2, State::closing, State::last_ack}) {
    Peer peer;
    peer.reach(state);
    EXPECT_TRUE(peer.reconfigure([](TcpConfig& c) { c.ttl = 9; })) << name(state);
    EXPECT_EQ(peer.stack().settings(peer.stream())->ttl, 9) << name(state);
  }
}

TEST(Reconfiguring, AnEndedStreamSaysWhyItHasNone) {
  Peer peer;
  EXPECT_EQ(peer.stack().reconfigure(peer.now(), StreamId{}, TcpConfig{}).error(),
            Error::no_such_id);
  EXPECT_EQ(peer.stack().reconfigure(peer.now(), ListenerId{}, TcpConfig{}).error(),
            Error::no_such_id);
  EXPECT_EQ(peer.stack().set_backlog(ListenerId{}, 1).error(), Error::no_such_id);
  peer.establish();
  peer.in("R 1:1(0) win 0");
  EXPECT_EQ(peer.reconfigure(kWithoutNagle).error(), Error::connection_reset);
  ASSERT_TRUE(peer.close());
  EXPECT_EQ(peer.reconfigure(kWithoutNagle).error(), Error::no_such_id);

  Peer waiting;
  waiting.reach(State::time_wait);
  EXPECT_EQ(waiting.reconfigure(kWithoutNagle).error(), Error::not_connected);

  Peer refused;
  refused.reach(State::syn_sent);
  refused.in("R. 0:0(0) ack 1");
  EXPECT_EQ(refused.reconfigure(kWithoutNagle).error(), Error::connection_refused);
}

// ---- what comes too late

struct Late {
  const char* name;
  void (*change)(TcpConfig& config);
};

TEST(Reconfiguring, RefusesWhatTheSynsHaveSettled) {
  constexpr std::array kSettled = {
      Late{"mss_limit", [](TcpConfig& c) { c.mss_limit = 500; }},
      Late{"window_scale", [](TcpConfig& c) { c.window_scale = 1; }},
      Late{"use_window_scale", [](TcpConfig& c) { c.use_window_scale = false; }},
      Late{"use_timestamps", [](TcpConfig& c) { c.use_timestamps = false; }},
      Late{"use_sack", [](TcpConfig& c) { c.use_sack = false; }},
      Late{"ecn", [](TcpConfig& c) { c.ecn = Ecn::request; }},
  };
  for (const State state : {State::syn_sent, State::established, State::fin_wait_2})
    for (const Late& late : kSettled) {
      Peer peer;
      peer.reach(state);
      const TcpConfig before = peer.stack().settings(peer.stream()).value();
      const auto change = [&](TcpConfig& c) {
        c.ttl = 9;
        late.change(c);
      };
      EXPECT_EQ(peer.reconfigure(change).error(), Error::already_negotiated) << late.name;
      EXPECT_EQ(peer.stack().settings(peer.stream()), before) << "all or nothing";
    }
}

TEST(Reconfiguring, RefusesOnceOpenWhatOnlyAnOpeningUses) {
  constexpr std::array kOfOpenings = {
      Late{"initial_window_segments", [](TcpConfig& c) { c.initial_window_segments = 2; }},
      Late{"quick_acks", [](TcpConfig& c) { c.quick_acks = 1; }},
      Late{"congestion_control",
           [](TcpConfig& c) { c.congestion_control = CongestionControl::bbr; }},
      Late{"pacing", [](TcpConfig& c) { c.pacing = false; }},
      Late{"rto_initial", [](TcpConfig& c) { c.rto_initial = 3s; }},
      Late{"r2_syn", [](TcpConfig& c) { c.r2_syn = 3s; }},
  };
  for (const Late& late : kOfOpenings) {
    Peer peer;
    peer.reach(State::syn_sent);
    EXPECT_TRUE(peer.reconfigure(late.change)) << late.name;
    Peer open;
    open.reach(State::established);
    EXPECT_EQ(open.reconfigure(late.change).error(), Error::already_negotiated) << late.name;
  }
}

TEST(Reconfiguring, RefusesARouteThatNoHeaderHolds) {
  const std::vector<IpAddress> long_one(10, IpAddress::v4(10, 0, 0, 1));
  const std::vector<IpAddress> wrong = {IpAddress::parse("2001:db8::1").value()};
  for (const auto& route : {long_one, wrong}) {
    TcpConfig tcp;
    tcp.source_route = route;
    Peer peer;
    EXPECT_EQ(peer.connect(tcp).error(), Error::invalid_argument);
    EXPECT_EQ(peer.stack().listen({.local = {{}, 80}, .tcp = tcp}).error(),
              Error::invalid_argument);
    peer.establish();
    EXPECT_EQ(peer.stack().reconfigure(peer.now(), peer.listener(), tcp).error(),
              Error::invalid_argument);
    EXPECT_EQ(peer.reconfigure([&](TcpConfig& c) { c.source_route = route; }).error(),
              Error::invalid_argument);
  }
}

// ---- buffers

TEST(Reconfiguring, ALargerSendBufferWakesItsWriter) {
  Opened peer({.tcp = {.send_buffer = 1000}, .window = 0});
  EXPECT_EQ(peer.send(5000), 1000u);
  EXPECT_FALSE(peer.told().writable);
  ASSERT_TRUE(peer.reconfigure([](TcpConfig& c) { c.send_buffer = 1001; }));
  EXPECT_TRUE(peer.told().writable);
  EXPECT_EQ(peer.send(5000), 1u);
  ASSERT_TRUE(peer.reconfigure([](TcpConfig& c) { c.send_buffer = 900; }));
  EXPECT_FALSE(peer.told().writable);
  EXPECT_EQ(peer.stack().writable(peer.stream()), 0u);
  EXPECT_EQ(peer.info().notsent_bytes + peer.info().unacked_bytes, 1001u) << "nothing is lost";
}

TEST(Reconfiguring, ALargerSendBufferWakesTheWriterOfAnOpening) {
  Peer peer(TcpConfig{.send_buffer = 1000});
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  EXPECT_EQ(peer.send(1500), 1000u);
  ASSERT_TRUE(peer.reconfigure([](TcpConfig& c) { c.send_buffer = 1200; }));
  EXPECT_TRUE(peer.told().writable);
  EXPECT_FALSE(peer.told().writable) << "once";
  EXPECT_EQ(peer.send(500), 200u);
  ASSERT_TRUE(peer.reconfigure([](TcpConfig& c) { c.send_buffer = 1300; }));
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");  // before the event was polled
  const StreamEvent told = peer.told();
  EXPECT_TRUE(told.connected && told.writable);
}

TEST(Reconfiguring, ALargerReceiveBufferOpensTheWindow) {
  Opened peer({.tcp = {.receive_buffer = 2000, .use_window_scale = false, .quick_acks = 100}});
  peer.in_run(1, 2001);
  peer.out(". 1:1(0) ack 1001 win 1000");
  peer.out(". 1:1(0) ack 2001 win 0");
  ASSERT_TRUE(peer.reconfigure([](TcpConfig& c) { c.receive_buffer = 10000; }));
  peer.out(". 1:1(0) ack 2001 win 8000");
  peer.in_run(2001, 10001);
  EXPECT_EQ(peer.recv(), 10000u);
}

// ---- listeners

TEST(Reconfiguring, AListenerConcernsWhatOpensFromThenOn) {
  Peer peer;
  peer.listen(1);
  TcpConfig settings;
  settings.mss_limit = 700;
  ASSERT_TRUE(peer.stack().reconfigure(peer.now(), peer.listener(), settings));
  EXPECT_EQ(peer.stack().settings(peer.listener()), settings);
  ASSERT_TRUE(peer.stack().set_backlog(peer.listener(), 2));
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <mss 700>");
  peer.talk_from(40001);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <mss 700>");  // two at a time now
}

// An opening takes over what is not settled yet, and keeps to the window it has announced.
TEST(Reconfiguring, AListenerReachesWhatIsOpening) {
  Peer peer;
  peer.reach(State::syn_received);
  ASSERT_TRUE(peer.stack().reconfigure(peer.now(), peer.listener(), [](TcpConfig& c) {
    c.receive_buffer = 1000;
    c.ttl = 9;
  }));
  peer.after(1s);
  EXPECT_EQ(peer.out("S. 0:0(0) ack 1 win 65535 <*>").ip.ttl, 9);
  EXPECT_EQ(peer.in("P. 1:1201(1200) ack 1 win 65535"), Verdict::handshake_completed);
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.recv(), 1200u);
  EXPECT_EQ(peer.stack().settings(peer.stream())->receive_buffer, 1000u);
}

TEST(Reconfiguring, AnOpeningKeepsToTheWindowItHasAnnounced) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) win 65535 <*>");
  ASSERT_TRUE(peer.reconfigure([](TcpConfig& c) { c.receive_buffer = 1000; }));
  peer.after(1s);
  peer.out("S 0:0(0) win 65535 <*>");
  peer.in("SP. 0:1200(1200) ack 1 win 65535 <mss 1460>");
  EXPECT_EQ(peer.recv(), 1200u);
}

TEST(Reconfiguring, LeavesTheKeepAliveTimerAlone) {
  TcpConfig tcp;
  tcp.keep_alive = {.enabled = true, .idle = 10s, .interval = 1s, .probes = 1};
  Peer peer(tcp);
  peer.establish();
  peer.mark();
  peer.after(6s);
  ASSERT_TRUE(peer.reconfigure(kWithoutNagle));
  peer.after(6s);
  peer.out_at(10s, ". 0:0(0) ack 1");
}

}  // namespace
}  // namespace estab::script
