#include "udp/ports.h"

#include <array>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace estab::udp {
namespace {

Endpoint endpoint(const char* text) {
  return *Endpoint::parse(text);
}
const Endpoint kPeer = endpoint("198.51.100.9:5000");

class Ports : public testing::Test {
 protected:
  DatagramTable table{DatagramTableConfig{.queue = 4096}};
  base::Prng prng{1};

  Result<DatagramId> bind(const char* text) { return table.bind(endpoint(text), prng); }
  std::string taker(const char* text) {
    const auto id = table.lookup(endpoint(text));
    return id ? to_string(*table.local_endpoint(*id)) : "nobody";
  }
  Verdict deliver(DatagramId id, std::string_view text) {
    return table.deliver(id, kPeer, *table.local_endpoint(id), as_octets(text));
  }
  /// What receive gives into a buffer of `room` octets: the text, or the error's name.
  std::string receive(DatagramId id, std::size_t room = 2000) {
    std::vector<std::uint8_t> buffer(room);
    const auto received = table.receive(id, buffer);
    if (!received) return std::string(name(received.error()));
    return std::string(as_text(Octets(buffer).first(std::min(room, received->length))));
  }
};

TEST_F(Ports, DeliverDatagramsInOrderWithBothEnds) {
  const DatagramId id = *bind("0.0.0.0:53");
  EXPECT_EQ(deliver(id, "first"), Verdict::datagram);
  EXPECT_EQ(table.deliver(id, kPeer, endpoint("10.0.0.1:53"), as_octets("second")),
            Verdict::datagram);
  EXPECT_EQ(receive(id), "first");
  std::array<std::uint8_t, 100> buffer;
  const auto second = table.receive(id, buffer);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->from, kPeer);
  EXPECT_EQ(second->to, endpoint("10.0.0.1:53"));  // RFC 1122 §4.1.3.5
  EXPECT_EQ(second->length, 6u);
  EXPECT_EQ(receive(id), "would_block");
}

TEST_F(Ports, CutADatagramToTheBufferAndSayHowLongItWas) {
  const DatagramId id = *bind("0.0.0.0:53");
  deliver(id, "too long");
  deliver(id, "next");
  std::array<std::uint8_t, 3> buffer;
  const auto received = table.receive(id, buffer);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->length, 8u);
  EXPECT_EQ(as_text(buffer), "too");
  EXPECT_EQ(receive(id), "next");  // the rest of the first is lost
}

TEST_F(Ports, DeliverAnEmptyDatagram) {
  const DatagramId id = *bind("0.0.0.0:53");
  EXPECT_FALSE(table.is_readable(id));
  EXPECT_EQ(deliver(id, ""), Verdict::datagram);
  EXPECT_TRUE(table.is_readable(id));
  EXPECT_EQ(receive(id, 0), "");
  EXPECT_FALSE(table.is_readable(id));
}

TEST_F(Ports, PreferTheMostSpecificBinding) {
  bind("[::]:53");
  bind("10.0.0.1:53");
  bind("0.0.0.0:54");
  bind("10.0.0.1:54");
  bind("[fd00::1]:54");
  EXPECT_EQ(taker("10.0.0.1:53"), "10.0.0.1:53");
  EXPECT_EQ(taker("10.0.0.2:53"), "[::]:53");
  EXPECT_EQ(taker("[fd00::1]:53"), "[::]:53");
  EXPECT_EQ(taker("10.0.0.1:54"), "10.0.0.1:54");
  EXPECT_EQ(taker("10.0.0.2:54"), "0.0.0.0:54");
  EXPECT_EQ(taker("[fd00::1]:54"), "[fd00::1]:54");
  EXPECT_EQ(taker("[fd00::2]:54"), "nobody");
  EXPECT_EQ(taker("10.0.0.1:55"), "nobody");
}

TEST_F(Ports, RefuseAnEndpointThatIsTaken) {
  ASSERT_TRUE(bind("10.0.0.1:53"));
  ASSERT_TRUE(bind("[::]:54"));
  ASSERT_TRUE(bind("0.0.0.0:55"));
  EXPECT_EQ(bind("10.0.0.1:53").error(), Error::address_in_use);
  EXPECT_EQ(bind("[::]:54").error(), Error::address_in_use);
  EXPECT_EQ(bind("0.0.0.0:54").error(), Error::address_in_use);
  EXPECT_EQ(bind("[::]:55").error(), Error::address_in_use);
  EXPECT_TRUE(bind("10.0.0.2:53"));
  EXPECT_TRUE(bind("0.0.0.0:53"));
  EXPECT_TRUE(bind("10.0.0.1:55"));
}

TEST_F(Ports, RefuseTheAddressOfAGroup) {
  EXPECT_EQ(bind("224.0.0.1:53").error(), Error::address_not_available);
  EXPECT_EQ(bind("255.255.255.255:53").error(), Error::address_not_available);
  EXPECT_EQ(bind("[ff02::1]:53").error(), Error::address_not_available);
}

TEST_F(Ports, RefuseMoreThanTheLimit) {
  table = DatagramTable({.ports = 2});
  EXPECT_TRUE(bind("10.0.0.1:1"));
  EXPECT_TRUE(bind("10.0.0.1:0"));
  EXPECT_EQ(bind("10.0.0.1:3").error(), Error::limit_reached);
}

TEST_F(Ports, GiveEveryEphemeralPortOnceThenNone) {
  table = DatagramTable({.port_min = 100, .port_max = 109});
  ASSERT_TRUE(bind("10.0.0.7:105"));
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 9; ++i) {
    const auto id = bind("10.0.0.1:0");
    ASSERT_TRUE(id);
    const auto port = table.local_endpoint(*id)->port;
    EXPECT_TRUE(port >= 100 && port <= 109 && port != 105) << port;
    ports.insert(port);
  }
  EXPECT_EQ(ports.size(), 9u);
  EXPECT_EQ(bind("10.0.0.1:0").error(), Error::no_ports);
}

// RFC 6056 §3.3.1: not in sequence, and the seed's.
TEST_F(Ports, DrawEphemeralPortsByTheGenerator) {
  const auto draw = [](std::uint64_t seed) {
    DatagramTable fresh{DatagramTableConfig{}};
    base::Prng generator(seed);
    std::vector<std::uint16_t> ports;
    for (int i = 0; i < 20; ++i) {
      ports.push_back(fresh.local_endpoint(*fresh.bind({}, generator))->port);
    }
    return ports;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
  const auto ports = draw(3);
  for (std::size_t i = 1; i < ports.size(); ++i) EXPECT_NE(ports[i], ports[i - 1] + 1);
}

TEST_F(Ports, HaveNoEphemeralPortInAnEmptyRange) {
  table = DatagramTable({.port_min = 10, .port_max = 9});
  EXPECT_EQ(bind("10.0.0.1:0").error(), Error::no_ports);
  table = DatagramTable({.port_min = 0, .port_max = 0});
  EXPECT_EQ(bind("10.0.0.1:0").error(), Error::no_ports);
}

TEST_F(Ports, NeverDrawPortZero) {
  table = DatagramTable({.port_min = 0, .port_max = 2});
  EXPECT_TRUE(bind("10.0.0.1:0") && bind("10.0.0.1:0"));
  EXPECT_EQ(bind("10.0.0.1:0").error(), Error::no_ports);
}

TEST_F(Ports, EndWithTheirAddress) {
  const DatagramId exact = *bind("10.0.0.1:53"), any = *bind("0.0.0.0:53");
  deliver(exact, "last");
  table.on_address_removed(endpoint("10.0.0.1:0").address);
  EXPECT_EQ(table.poll_event(), (DatagramEvent{exact, Error::address_removed}));
  EXPECT_FALSE(table.poll_event());
  EXPECT_EQ(taker("10.0.0.1:53"), "0.0.0.0:53");
  EXPECT_EQ(table.sender(exact).error(), Error::address_removed);
  EXPECT_TRUE(table.sender(any));
  EXPECT_EQ(receive(exact), "last");
  EXPECT_EQ(receive(exact), "address_removed");
  EXPECT_TRUE(table.is_readable(exact));
  EXPECT_TRUE(bind("10.0.0.1:53"));  // a new one
  EXPECT_TRUE(table.close(exact));
  EXPECT_EQ(taker("10.0.0.1:53"), "10.0.0.1:53");
}

// Whoever receives one datagram for an event is told again until none is left.
TEST_F(Ports, TellOfWhatWaitsUntilNothingDoes) {
  const DatagramId id = *bind("10.0.0.1:53"), other = *bind("10.0.0.1:54");
  for (const char* text : {"a", "b", "c"}) deliver(id, text);
  deliver(other, "x");
  table.report(other, Error::port_unreachable);
  EXPECT_EQ(table.poll_event(), DatagramEvent{id});
  EXPECT_EQ(table.poll_event(), (DatagramEvent{other, Error::port_unreachable}));
  EXPECT_FALSE(table.poll_event()) << "each is told of once, however much has come";
  for (const char* text : {"a", "b", "c"}) {
    EXPECT_EQ(receive(id), text);
    EXPECT_EQ(table.poll_event().has_value(), *text != 'c');
  }
  EXPECT_EQ(receive(other), "port_unreachable");
  EXPECT_EQ(table.poll_event(), DatagramEvent{other});
  EXPECT_EQ(receive(other), "x");
  EXPECT_FALSE(table.poll_event());
}

TEST_F(Ports, TellNothingOfWhatHasBeenReceivedOrClosed) {
  const DatagramId id = *bind("10.0.0.1:53"), closed = *bind("10.0.0.1:54");
  deliver(id, "a");
  deliver(closed, "b");
  EXPECT_EQ(receive(id), "a");
  EXPECT_TRUE(table.close(closed));
  EXPECT_TRUE(bind("10.0.0.1:54"));  // under the same number
  EXPECT_FALSE(table.poll_event());
}

TEST_F(Ports, AreFreeAgainAfterClose) {
  const DatagramId id = *bind("10.0.0.1:53");
  deliver(id, "lost");
  EXPECT_TRUE(table.close(id));
  EXPECT_EQ(taker("10.0.0.1:53"), "nobody");
  EXPECT_EQ(table.size(), 0u);
  const DatagramId again = *bind("10.0.0.1:53");
  EXPECT_NE(again, id);
  EXPECT_EQ(receive(again), "would_block");
}

TEST_F(Ports, CloseInAnyOrderOnASharedPort) {
  const std::array texts = {"10.0.0.1:53", "10.0.0.2:53", "10.0.0.3:53"};
  for (std::size_t gone = 0; gone < texts.size(); ++gone) {
    table = DatagramTable(DatagramTableConfig{});
    std::array<DatagramId, 3> ids;
    for (std::size_t i = 0; i < texts.size(); ++i) ids[i] = *bind(texts[i]);
    ASSERT_TRUE(table.close(ids[gone]));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(taker(texts[i]), i == gone ? "nobody" : texts[i]);
    }
  }
}

TEST_F(Ports, RecogniseAStaleHandle) {
  const DatagramId id = *bind("10.0.0.1:53");
  ASSERT_TRUE(table.close(id));
  bind("10.0.0.1:53");
  EXPECT_EQ(table.close(id).error(), Error::no_such_id);
  EXPECT_EQ(table.local_endpoint(id).error(), Error::no_such_id);
  EXPECT_EQ(receive(id), "no_such_id");
  EXPECT_FALSE(table.is_readable(id));
  EXPECT_EQ(table.close(DatagramId{}).error(), Error::no_such_id);
}

TEST_F(Ports, BoundWhatWaits) {
  const DatagramId id = *bind("10.0.0.1:53");
  const std::string kilobyte(1024 - DatagramTable::kCostOfDatagram, 'x');
  for (int i = 0; i < 4; ++i) EXPECT_EQ(deliver(id, kilobyte), Verdict::datagram);
  EXPECT_EQ(deliver(id, ""), Verdict::queue_full);
  EXPECT_EQ(receive(id), kilobyte);
  EXPECT_EQ(deliver(id, kilobyte + "x"), Verdict::queue_full);
  EXPECT_EQ(deliver(id, kilobyte), Verdict::datagram);
}

TEST_F(Ports, BoundAFloodOfEmptyDatagrams) {
  const DatagramId id = *bind("10.0.0.1:53");
  int held = 0;
  for (int i = 0; i < 100'000; ++i) held += deliver(id, "") == Verdict::datagram ? 1 : 0;
  EXPECT_EQ(held, 4096 / int{DatagramTable::kCostOfDatagram});
  EXPECT_LE(table.memory(), 20'000u);
}

// RFC 1122 §4.1.3.3: ICMP errors are passed to the application.
TEST_F(Ports, TellOfAnErrorOnceBeforeWhatWaits) {
  const DatagramId id = *bind("10.0.0.1:53");
  deliver(id, "data");
  table.report(id, Error::host_unreachable);
  table.report(id, Error::port_unreachable);
  EXPECT_TRUE(table.is_readable(id));
  EXPECT_EQ(receive(id), "port_unreachable");
  EXPECT_EQ(receive(id), "data");
  EXPECT_EQ(receive(id), "would_block");
}

TEST_F(Ports, GiveMemoryBackWhenNothingWaits) {
  const DatagramId id = *bind("10.0.0.1:53");
  const std::size_t idle = table.memory();
  deliver(id, "data");
  EXPECT_GT(table.memory(), idle);
  EXPECT_TRUE(table.poll_event());
  receive(id);
  EXPECT_EQ(table.memory(), idle);
}

TEST_F(Ports, AreAValue) {
  const auto hash = [](const DatagramTable& of) {
    base::Hasher hasher;
    of.hash_into(hasher);
    return hasher.finish();
  };
  const DatagramId id = *bind("10.0.0.1:53");
  deliver(id, "data");
  DatagramTable copy = table;
  EXPECT_EQ(copy, table);
  EXPECT_EQ(hash(copy), hash(table));
  EXPECT_EQ(receive(id), "data");
  EXPECT_NE(copy, table);
  EXPECT_NE(hash(copy), hash(table));
  std::swap(copy, table);
  EXPECT_EQ(receive(id), "data");  // the handle names the same in the copy
  EXPECT_EQ(copy, table);
  EXPECT_EQ(hash(copy), hash(table));
}

}  // namespace
}  // namespace estab::udp
