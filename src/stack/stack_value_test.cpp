// A Stack is a value: it can be copied, compared and hashed, down to every connection and timer; a
// copy lives its own life; and whatever changes a stack makes it another one.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab {

inline void PrintTo(const Stack& stack, std::ostream* out) {
  *out << "a stack with hash " << stack.hash();
}

}  // namespace estab

namespace estab::script {
namespace {

constexpr std::uint16_t kDatagramPort = 5000;

/// A stack in some condition, brought there by a peer.
struct Situation {
  std::string name;
  std::function<void(Peer&)> make;
  StackConfig config{.seed = {1, 2}};
};

void PrintTo(const Situation& situation, std::ostream* out) {
  *out << situation.name;
}

OctetVector datagram_from(const Peer& peer, std::uint8_t first) {
  const OctetVector text = {first, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  return udp({peer.remote(), 6000}, {peer.local(), kDatagramPort}, text);
}

OctetVector echo_request(const Peer& peer) {
  const OctetVector text = {1, 2, 3, 4};
  return icmp(peer.remote(), peer.local(), {wire::echo_request_type(Family::ipv4), 0, 77, text});
}

void half_open(Peer& peer) {
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460,sackOK,TS val 5 ecr 0,wscale 7>");
}

void with_queued_octets(Peer& peer) {
  peer.establish({.options = "mss 1460,sackOK,TS val 5 ecr 0,wscale 7"});
  peer.send(100'000);  // more than the congestion window lets out
}

void with_lent_octets(Peer& peer) {
  static const auto kLent = std::make_shared<const OctetVector>(5000, std::uint8_t{9});
  peer.establish({.window = 0});
  ASSERT_TRUE(peer.stack().send_owned(peer.now(), peer.stream(), *kLent, kLent));
}

void with_unread_octets(Peer& peer) {
  peer.establish();
  peer.in("P. 1:1001(1000) ack 1 win 65535");
}

void with_a_gap(Peer& peer) {
  peer.establish({.options = "mss 1460,sackOK"});
  peer.in("P. 101:201(100) ack 1 win 65535");
  peer.in("P. 301:401(100) ack 1 win 65535");
}

void with_a_fin_behind_a_gap(Peer& peer) {
  peer.establish();
  peer.in("F. 101:101(0) ack 1 win 65535");
}

void with_urgent_octets(Peer& peer) {
  peer.establish({.window = 0});
  peer.send(20, SendMode::urgent);
  peer.in("PU. 1:11(10) ack 1 win 0 urg 10");
}

void recovering(Peer& peer) {
  peer.establish();
  peer.send(14'600);
  peer.forget_output();
  for (int i = 0; i < 4; ++i) peer.in(". 1:1(0) ack 1 win 65535");
}

void after_a_timeout(Peer& peer) {
  peer.establish();
  peer.send(5000);
  peer.after(2s);
}

void with_a_shut_window(Peer& peer) {
  peer.establish({.window = 0});
  peer.send(100);
  peer.after(1500ms);
}

void with_an_unaccepted_connection(Peer& peer) {
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.in("P. 1:11(10) ack 1 win 65535");
}

void with_part_of_a_datagram(Peer& peer) {
  peer.in_octets(fragments(datagram_from(peer, 1), 8)[1]);
}

void with_a_datagram(Peer& peer) {
  ASSERT_TRUE(peer.stack().bind_datagram({peer.local(), kDatagramPort}));
  peer.in_octets(datagram_from(peer, 1));
}

void with_a_narrow_path(Peer& peer) {
  peer.establish();
  peer.send(1460);
  const Sent sent = *peer.next();
  peer.in_octets(icmp_error(sent, wire::IcmpError::Kind::packet_too_big, 1000));
}

/// What the stack owes but nobody has polled yet.
void owing(Peer& peer, const OctetVector& octets) {
  peer.stack().handle_frame(peer.now(), peer.interface(), {.octets = octets});
}

std::vector<Situation> situations() {
  std::vector<Situation> all = {
      {"Idle", [](Peer&) {}},
      {"Queued", with_queued_octets},
      {"Lent", with_lent_octets},
      {"Unread", with_unread_octets},
      {"Gap", with_a_gap},
      {"FinBehindAGap", with_a_fin_behind_a_gap},
      {"Urgent", with_urgent_octets},
      {"Recovering", recovering},
      {"TimedOut", after_a_timeout},
      {"WindowShut", with_a_shut_window},
      {"Unaccepted", with_an_unaccepted_connection},
      {"Fragment", with_part_of_a_datagram},
      {"Datagram", with_a_datagram},
      {"NarrowPath", with_a_narrow_path},
      {"HalfOpenWithOptions", half_open},
      {"OwesAReset", [](Peer& peer) { owing(peer, peer.make(". 1:1(0) ack 1 win 5")); }},
      {"OwesASynAck",
       [](Peer& peer) {
         peer.listen();
         owing(peer, peer.make("S 0:0(0) win 65535 <mss 1460>"));
       }},
      {"OwesAnEcho", [](Peer& peer) { owing(peer, echo_request(peer)); }},
      {"OwesAnAck",
       [](Peer& peer) {
         peer.establish();
         owing(peer, peer.make("P. 1:101(100) ack 1 win 65535"));
       }},
  };
  for (int i = 1; i <= static_cast<int>(State::time_wait); ++i) {
    const auto state = static_cast<State>(i);
    std::string name("Reached");
    for (const char c : estab::name(state))
      if (c != '-') name += c;
    all.push_back({name, [state](Peer& peer) { peer.reach(state); }});
  }
  Situation cookie{"Cookie", half_open};
  cookie.config.limits.syn_cache = 0;
  all.push_back(cookie);
  return all;
}

std::unique_ptr<Peer> arrive_at(const Situation& situation) {
  auto peer = std::make_unique<Peer>(PeerOptions{.stack = situation.config});
  situation.make(*peer);
  return peer;
}

class StackValue : public testing::TestWithParam<Situation> {};
INSTANTIATE_TEST_SUITE_P(Situations, StackValue, testing::ValuesIn(situations()),
                         [](const auto& each) { return each.param.name; });

TEST_P(StackValue, ACopyIsEqualAndHashesAlike) {
  const auto peer = arrive_at(GetParam());
  const Stack copy = peer->stack();
  EXPECT_EQ(copy, peer->stack());
  EXPECT_EQ(copy.hash(), peer->stack().hash());
  EXPECT_EQ(copy.next_deadline(), peer->stack().next_deadline());
  EXPECT_EQ(copy.census(), peer->stack().census());
  Stack assigned;
  assigned = copy;
  EXPECT_EQ(assigned, copy);
  const Stack moved = std::move(assigned);
  EXPECT_EQ(moved, copy);
}

TEST_P(StackValue, TheSameHistoryLeadsToEqualStacks) {
  const auto one = arrive_at(GetParam());
  const auto other = arrive_at(GetParam());
  EXPECT_EQ(one->stack(), other->stack());
  EXPECT_EQ(one->stack().hash(), other->stack().hash());
}

TEST_P(StackValue, AnotherHistoryLeadsToAnotherStack) {
  const auto here = arrive_at(GetParam());
  for (const Situation& situation : situations()) {
    if (situation.name == GetParam().name) continue;
    const auto there = arrive_at(situation);
    EXPECT_NE(here->stack(), there->stack()) << situation.name;
    EXPECT_NE(here->stack().hash(), there->stack().hash()) << situation.name;
  }
}

/// Everything a stack sends now.
std::vector<OctetVector> frames_of(Stack& stack, Instant now) {
  std::vector<OctetVector> frames;
  TransmitFrame frame;
  while (stack.poll_transmit(now, frame)) {
    frames.emplace_back(frame.size());
    frame.copy_to(frames.back().data());
  }
  return frames;
}

/// Lets a stack alone for a while; everything it sends, with the time.
std::vector<std::pair<Instant, OctetVector>> live_on(Stack& stack, Instant now, Duration span) {
  std::vector<std::pair<Instant, OctetVector>> all;
  const Instant end = now + span;
  while (true) {
    for (OctetVector& frame : frames_of(stack, now)) all.emplace_back(now, std::move(frame));
    while (stack.poll_event()) {
    }
    const Instant next = std::max(stack.next_deadline(), now + 1us);
    if (next > end) break;
    now = next;
    stack.handle_deadline(now);
  }
  return all;
}

TEST_P(StackValue, ACopyLivesItsOwnLifeToTheSameEnd) {
  const auto peer = arrive_at(GetParam());
  const Stack before = peer->stack();
  Stack copy = peer->stack();
  const auto of_copy = live_on(copy, peer->now(), 1h);
  EXPECT_EQ(peer->stack(), before);
  EXPECT_EQ(peer->stack().hash(), before.hash());
  const auto of_original = live_on(peer->stack(), peer->now(), 1h);
  EXPECT_EQ(of_copy, of_original);
  EXPECT_EQ(copy, peer->stack());
  EXPECT_EQ(copy.hash(), peer->stack().hash());
}

// ---- changing any one thing

/// Something that may be done to a stack; false if it cannot be done in this situation.
struct Change {
  std::string name;
  std::function<bool(Peer&, Stack&)> apply;
  bool counts_in_hash = true;  ///< settings are left out of it
};

/// The segment comes in; does nothing if the stack could not tell (the peer would not send it).
Change arrival(const std::string& notation) {
  return {notation, [notation](Peer& peer, Stack& stack) {
            const OctetVector octets = peer.make(notation);
            stack.handle_frame(peer.now(), peer.interface(), {.octets = octets});
            return true;
          }};
}

std::vector<Change> arrivals() {
  return {
      arrival("S 0:0(0) win 65535 <mss 1460>"),
      arrival(". 1:1(0) ack 1 win 65535"),
      arrival("P. 1:2(1) ack 1 win 65535"),
      arrival("P. 1001:1002(1) ack 1 win 65535"),
      arrival("F. 1:1(0) ack 1 win 65535"),
      arrival("R. 1:1(0) ack 1 win 0"),
      arrival("U. 1:1(0) ack 1 win 65535 urg 9"),
      arrival(". 1:1(0) ack 1 win 3"),
      arrival(". 1:1(0) ack 100 win 65535"),
      {"a datagram",
       [](Peer& peer, Stack& stack) {
         const OctetVector octets = datagram_from(peer, 200);
         stack.handle_frame(peer.now(), peer.interface(), {.octets = octets});
         return true;
       }},
      {"a fragment",
       [](Peer& peer, Stack& stack) {
         const OctetVector octets = fragments(datagram_from(peer, 200), 8, 99)[0];
         stack.handle_frame(peer.now(), peer.interface(), {.octets = octets});
         return true;
       }},
      {"an echo request",
       [](Peer& peer, Stack& stack) {
         stack.handle_frame(peer.now(), peer.interface(), {.octets = echo_request(peer)});
         return true;
       }},
      {"noise",
       [](Peer& peer, Stack& stack) {
         const OctetVector octets(40, std::uint8_t{0xff});
         stack.handle_frame(peer.now(), peer.interface(), {.octets = octets});
         return true;
       }},
  };
}

std::vector<Change> commands() {
  using Octet = std::uint8_t;
  const auto send = [](Octet octet, SendMode mode) {
    return [octet, mode](Peer& peer, Stack& stack) {
      return stack.send(peer.now(), peer.stream(), {&octet, 1}, mode).has_value();
    };
  };
  return {
      {"send 1", send(1, SendMode::normal)},
      {"send 2", send(2, SendMode::normal)},
      {"send more", send(1, SendMode::more)},
      {"send push", send(1, SendMode::push)},
      {"send urgent", send(1, SendMode::urgent)},
      {"recv",
       [](Peer& peer, Stack& stack) {
         Octet octet = 0;
         return stack.recv(peer.now(), peer.stream(), {&octet, 1}).has_value();
       }},
      {"recv all",
       [](Peer& peer, Stack& stack) {
         std::vector<Octet> octets(100'000);
         return stack.recv(peer.now(), peer.stream(), octets).value_or(0) > 1;
       }},
      {"shutdown",
       [](Peer& peer, Stack& stack) {
         return stack.shutdown(peer.now(), peer.stream()).has_value();
       }},
      {"close",
       [](Peer& peer, Stack& stack) { return stack.close(peer.now(), peer.stream()).has_value(); }},
      {"abort",
       [](Peer& peer, Stack& stack) { return stack.abort(peer.now(), peer.stream()).has_value(); }},
      {"accept",
       [](Peer& peer, Stack& stack) {
         return stack.accept(peer.now(), peer.listener()).has_value();
       }},
      {"listen",
       [](Peer& peer, Stack& stack) {
         return stack.listen({.local = {peer.local(), 4444}}).has_value();
       }},
      {"stop listening",
       [](Peer& peer, Stack& stack) {
         return stack.close(peer.now(), peer.listener()).has_value();
       }},
      {"connect",
       [](Peer& peer, Stack& stack) {
         return stack.connect(peer.now(), {.remote = {peer.remote(), 4444}}).has_value();
       }},
      {"bind", [](Peer& peer,
                  Stack& stack) { return stack.bind_datagram({peer.local(), 4444}).has_value(); }},
      {"echo",
       [](Peer& peer, Stack& stack) {
         return stack.send_echo(peer.now(), peer.remote(), 1, 1, {}).has_value();
       }},
  };
}

std::vector<Change> settings() {
  const auto opened = [](Peer& peer, const Stack& stack) {
    const State state = stack.state(peer.stream());
    return state >= State::established && state != State::time_wait;
  };
  const auto setting = [opened](const std::string& name, auto change) {
    return Change{name,
                  [opened, change](Peer& peer, Stack& stack) {
                    return opened(peer, stack) &&
                           stack.reconfigure(peer.now(), peer.stream(), change).has_value();
                  },
                  false};
  };
  return {
      setting("nagle", [](TcpConfig& c) { c.nagle = false; }),
      setting("dscp", [](TcpConfig& c) { c.dscp = 5; }),
      setting("urgent", [](TcpConfig& c) { c.urgent_inline = false; }),
      setting("buffer", [](TcpConfig& c) { c.send_buffer = 99; }),
      setting("timeout", [](TcpConfig& c) { c.user_timeout = 5s; }),
      setting("keep-alive", [](TcpConfig& c) { c.keep_alive.enabled = true; }),
      {"mtu",
       [](Peer& p, Stack& s) {
         s.set_mtu(p.interface(), 1400);
         return true;
       }},
      {"address",
       [](Peer& p, Stack& s) {
         return s.add_address(p.interface(), *Cidr::parse("198.51.100.1/24")).has_value();
       }},
      {"route",
       [](Peer& p, Stack& s) {
         return s.add_route({*Cidr::parse("0.0.0.0/0"), p.interface(), p.remote()}).has_value();
       }},
      {"interface",
       [](Peer&, Stack& s) {
         s.add_interface({.name = "other"});
         return true;
       }},
  };
}

std::vector<Change> passings() {
  return {
      {"a frame polled",
       [](Peer& peer, Stack& stack) {
         TransmitFrame frame;
         return stack.poll_transmit(peer.now(), frame);
       }},
      {"an event polled", [](Peer&, Stack& stack) { return stack.poll_event().has_value(); }},
      {"a timer fired",
       [](Peer& peer, Stack& stack) {
         const Instant due = stack.next_deadline();
         const Stack before = stack;
         if (due == kNever) return false;
         stack.handle_deadline(due);
         // One that was early has only been set anew. In FIN-WAIT-2 no timer need run: a wakeup
         // that changes nothing there is one left over from before (see TcpLayer::rearm).
         const auto waits = [&](const Stack& s) {
           return s.state(peer.stream()) == State::fin_wait_2;
         };
         const bool vain = waits(before) && waits(stack);
         return due != stack.next_deadline() && !vain;
       }},
  };
}

TEST_P(StackValue, ChangingAnyOneThingMakesAnotherStack) {
  const auto peer = arrive_at(GetParam());
  const Stack before = peer->stack();
  int applied = 0;
  for (const auto& changes : {arrivals(), commands(), settings(), passings()}) {
    for (const Change& change : changes) {
      Stack copy = before;
      if (!change.apply(*peer, copy)) continue;
      ++applied;
      EXPECT_NE(copy, before) << change.name;
      if (change.counts_in_hash) {
        EXPECT_NE(copy.hash(), before.hash()) << change.name;
      }
      EXPECT_EQ(peer->stack(), before) << change.name;
    }
  }
  EXPECT_GE(applied, 15);
}

// (Two segments may well have the same effect, such as the same challenge.)
TEST_P(StackValue, DifferentCommandsLeadToDifferentStacks) {
  const auto peer = arrive_at(GetParam());
  std::vector<std::pair<std::string, Stack>> after;
  for (const auto& changes : {commands(), settings()}) {
    for (const Change& change : changes) {
      if (change.name == "abort") continue;  // where nothing is open it is the same as close
      Stack copy = peer->stack();
      if (!change.apply(*peer, copy)) continue;
      for (const auto& [name, other] : after) EXPECT_NE(copy, other) << name << ", " << change.name;
      after.emplace_back(change.name, std::move(copy));
    }
  }
}

// One octet among those queued, received, out of order: content counts, not only length.
TEST(StackValueContent, OneOctetMakesTheDifference) {
  const auto received = [](std::uint8_t octet) {
    Peer peer;
    peer.establish();
    OctetVector frame = peer.make("P. 101:201(100) ack 1 win 65535");
    frame.back() = octet;
    peer.stack().handle_frame(peer.now(), peer.interface(),
                              {.octets = frame, .checksum_verified = true});
    return Stack(peer.stack());
  };
  const auto queued = [](std::uint8_t octet) {
    Peer peer;
    peer.establish({.window = 0});
    OctetVector text(1000);
    text[700] = octet;
    EXPECT_TRUE(peer.stack().send(peer.now(), peer.stream(), text));
    return Stack(peer.stack());
  };
  for (const auto& make : {std::function(received), std::function(queued)}) {
    EXPECT_EQ(make(1), make(1));
    EXPECT_EQ(make(1).hash(), make(1).hash());
    EXPECT_NE(make(1), make(2));
    EXPECT_NE(make(1).hash(), make(2).hash());
  }
}

// Handles name the same things in each copy.
TEST(StackValueContent, AHandleNamesTheSameStreamInACopy) {
  Peer peer;
  peer.establish();
  peer.in("P. 1:101(100) ack 1 win 65535");
  Stack copy = peer.stack();
  ASSERT_TRUE(peer.abort());
  EXPECT_EQ(peer.stack().state(peer.stream()), State::closed);
  EXPECT_EQ(copy.state(peer.stream()), State::established);
  EXPECT_EQ(copy.readable(peer.stream()), 100u);
}

}  // namespace
}  // namespace estab::script
