// Datagrams to other hosts (estab/forward.h): a flow for each port of a guest's.

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"
#include "wire/icmp.h"

namespace estab::script {
namespace {

using Kind = wire::IcmpError::Kind;

class DatagramFlows : public testing::TestWithParam<Family> {
 protected:
  static PeerOptions forwarding(const StackLimits& limits = {}) {
    PeerOptions options;
    options.family = GetParam();
    options.interface.forwarding.udp = true;
    options.stack.limits = limits;
    return options;
  }
  static IpAddress far(std::uint8_t last) {
    return GetParam() == Family::ipv4 ? IpAddress::v4(198, 51, 100, last)
                                      : *IpAddress::parse("2001:db8:7::" + std::to_string(last));
  }
  Endpoint guest(std::uint16_t port = 4000) const { return {peer.remote(), port}; }
  static OctetVector text(std::size_t size) { return pattern(Stream::from_remote, 0, size); }
  Verdict send(const Endpoint& to, std::size_t size, std::uint16_t port = 4000) {
    return peer.in_octets(udp(guest(port), to, text(size)));
  }
  /// The one event, which is of a flow.
  DatagramFlowEvent told() {
    const auto events = peer.other_events();
    if (events.size() != 1 || !std::holds_alternative<DatagramFlowEvent>(events[0])) return {};
    return std::get<DatagramFlowEvent>(events[0]);
  }
  Result<ReceivedDatagram> receive(DatagramFlowId flow) {
    OctetVector buffer(2000);
    return peer.stack().recv_datagram(flow, buffer);
  }
  /// The one datagram that was sent.
  std::optional<wire::UdpDatagram> sent_datagram() {
    last = peer.next();
    if (!last) return std::nullopt;
    const auto packet = wire::parse_ip(last->octets);
    return packet ? wire::parse_udp(packet->payload, GetParam()) : std::nullopt;
  }

  Peer peer{forwarding()};
  std::optional<Sent> last;
};
INSTANTIATE_TEST_SUITE_P(Families, DatagramFlows, both_families(), family_name);

TEST_P(DatagramFlows, AreOnesOfAGuestsPortWhereverItsDatagramsGo) {
  EXPECT_EQ(send({far(7), 53}, 10), Verdict::datagram);
  const DatagramFlowEvent first = told();
  EXPECT_TRUE(first.flow);
  EXPECT_TRUE(first.opened);
  EXPECT_EQ(first.source, guest());
  EXPECT_EQ(first.interface, peer.interface());
  auto got = receive(first.flow);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->from, guest());
  EXPECT_EQ(got->to, (Endpoint{far(7), 53}));
  EXPECT_EQ(got->length, 10u);
  EXPECT_EQ(receive(first.flow).error(), Error::would_block);

  EXPECT_EQ(send({far(8), 123}, 20), Verdict::datagram);
  const DatagramFlowEvent again = told();
  EXPECT_EQ(again.flow, first.flow);
  EXPECT_FALSE(again.opened);
  got = receive(first.flow);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->to, (Endpoint{far(8), 123}));

  EXPECT_EQ(send({far(7), 53}, 10, 4001), Verdict::datagram);
  const DatagramFlowEvent other = told();
  EXPECT_TRUE(other.opened);
  EXPECT_NE(other.flow, first.flow);
  EXPECT_EQ(peer.stack().census().datagram_flows, 2u);
  peer.quiet();
}

TEST_P(DatagramFlows, AreAnsweredInTheNameOfAnyHost) {
  EXPECT_EQ(send({far(7), 53}, 10), Verdict::datagram);
  const DatagramFlowId flow = told().flow;
  ASSERT_TRUE(peer.stack().send_datagram(peer.now(), flow, {far(9), 99}, text(30)));
  const auto datagram = sent_datagram();
  ASSERT_TRUE(datagram);
  EXPECT_EQ(last->ip.source, far(9));
  EXPECT_EQ(last->ip.destination, peer.remote());
  EXPECT_EQ(datagram->source_port, 99);
  EXPECT_EQ(datagram->destination_port, 4000);
  EXPECT_EQ(OctetVector(datagram->payload.begin(), datagram->payload.end()), text(30));
  EXPECT_TRUE(
      wire::verify_transport_checksum(far(9), peer.remote(), wire::kProtocolUdp, datagram->octets));
  EXPECT_EQ(peer.stack().send_datagram(peer.now(), flow, {far(9), 0}, text(30)).error(),
            Error::invalid_argument);
}

TEST_P(DatagramFlows, ThatCannotBeDeliveredAreToldOfByIcmp) {
  const std::pair<Refusal, Kind> kinds[] = {
      {Refusal::reset, Kind::port_unreachable},
      {Refusal::host_unreachable, Kind::host_unreachable},
      {Refusal::prohibited, Kind::administratively_prohibited}};
  EXPECT_EQ(send({far(7), 53}, 10), Verdict::datagram);
  const DatagramFlowId flow = told().flow;
  for (const auto& [refusal, kind] : kinds) {
    ASSERT_TRUE(peer.stack().reject(peer.now(), flow, {far(7), 53}, refusal));
    const auto sent = peer.next();
    ASSERT_TRUE(sent);
    // That a port is not there its host says, as it would itself; all else a router says.
    EXPECT_EQ(sent->ip.source, refusal == Refusal::reset ? far(7) : peer.own());
    const auto message = wire::parse_icmp(*wire::parse_ip(sent->octets));
    ASSERT_TRUE(message);
    const auto error = wire::parse_icmp_error(*message, GetParam());
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind, kind);
    EXPECT_EQ(error->original.source, peer.remote());
    EXPECT_EQ(error->original.destination, far(7));
    EXPECT_EQ(error->source_port, 4000);
    EXPECT_EQ(error->destination_port, 53);
  }
  ASSERT_TRUE(peer.stack().reject(peer.now(), flow, {far(7), 53}, Refusal::silence));
  peer.quiet();
}

// RFC 4787 REQ-5, REQ-6: traffic of either direction keeps it.
TEST_P(DatagramFlows, EndWhenNothingHasGoneEitherWayForTwoMinutes) {
  EXPECT_EQ(send({far(7), 53}, 10), Verdict::datagram);
  const DatagramFlowId flow = told().flow;
  ASSERT_TRUE(receive(flow));
  peer.after(119s);
  ASSERT_TRUE(peer.stack().send_datagram(peer.now(), flow, {far(7), 53}, text(3)));
  peer.forget_output();
  peer.after(119s);
  EXPECT_EQ(send({far(7), 53}, 10), Verdict::datagram);
  ASSERT_TRUE(receive(flow));
  (void)told();
  peer.after(119s);
  EXPECT_TRUE(peer.other_events().empty());
  peer.after(2s);
  EXPECT_TRUE(told().ended);
  EXPECT_EQ(receive(flow).error(), Error::timed_out);
  EXPECT_EQ(peer.stack().send_datagram(peer.now(), flow, {far(7), 53}, text(3)).error(),
            Error::timed_out);
  // What comes now is another flow, though the application still has the old one.
  EXPECT_EQ(send({far(7), 53}, 10), Verdict::datagram);
  const DatagramFlowEvent next = told();
  EXPECT_TRUE(next.opened);
  EXPECT_NE(next.flow, flow);
  ASSERT_TRUE(peer.stack().close(flow));
  EXPECT_EQ(receive(flow).error(), Error::no_such_id);
  EXPECT_TRUE(receive(next.flow));
}

TEST_P(DatagramFlows, TheOneThatIsSilentLongestEndsFirst) {
  std::vector<DatagramFlowId> flows;
  for (std::uint16_t port = 1; port <= 3; ++port) {
    EXPECT_EQ(send({far(7), 53}, 1, port), Verdict::datagram);
    flows.push_back(told().flow);
    ASSERT_TRUE(receive(flows.back()));
    peer.after(10s);
  }
  ASSERT_TRUE(peer.stack().send_datagram(peer.now(), flows[0], {far(7), 53}, text(3)));
  peer.forget_output();
  std::vector<DatagramFlowId> ended;
  for (int i = 0; i < 30; ++i) {
    peer.after(10s);
    for (const Event& event : peer.other_events())
      ended.push_back(std::get<DatagramFlowEvent>(event).flow);
  }
  EXPECT_EQ(ended, (std::vector{flows[1], flows[2], flows[0]}));
}

TEST_P(DatagramFlows, AreLimitedInAllAndForEachSource) {
  Peer few(forwarding({.datagram_flows = 3, .datagram_flows_per_source = 2}));
  const auto send_from = [&](const IpAddress& source, std::uint16_t port) {
    return few.in_octets(udp({source, port}, {far(7), 53}, text(1)));
  };
  const IpAddress other =
      GetParam() == Family::ipv4 ? IpAddress::v4(192, 0, 2, 9) : *IpAddress::parse("2001:db8::9");
  EXPECT_EQ(send_from(few.remote(), 1), Verdict::datagram);
  EXPECT_EQ(send_from(few.remote(), 2), Verdict::datagram);
  EXPECT_EQ(send_from(few.remote(), 3), Verdict::queue_full);
  EXPECT_EQ(send_from(few.remote(), 2), Verdict::datagram);  // it has its flow
  EXPECT_EQ(send_from(other, 1), Verdict::datagram);
  EXPECT_EQ(send_from(other, 2), Verdict::queue_full);
  EXPECT_EQ(few.stack().counters().datagram_flows, 3u);
  EXPECT_EQ(few.stack().counters().datagram_flows_refused, 2u);
  few.quiet();
  for (const Event& event : few.other_events())
    EXPECT_TRUE(few.stack().close(std::get<DatagramFlowEvent>(event).flow));
  EXPECT_EQ(send_from(few.remote(), 3), Verdict::datagram);
}

TEST_P(DatagramFlows, HoldNoMoreThanTheirQueue) {
  Peer small(forwarding({.datagram_queue = 1000}));
  const auto one = [&] {
    return small.in_octets(udp({small.remote(), 1}, {far(7), 53}, text(300)));
  };
  EXPECT_EQ(one(), Verdict::datagram);
  EXPECT_EQ(one(), Verdict::datagram);
  EXPECT_EQ(one(), Verdict::queue_full);
}

TEST_P(DatagramFlows, AreToldOfAgainWhileMoreWaits) {
  EXPECT_EQ(send({far(7), 53}, 1), Verdict::datagram);
  EXPECT_EQ(send({far(7), 53}, 2), Verdict::datagram);
  const DatagramFlowId flow = told().flow;
  ASSERT_TRUE(receive(flow));
  EXPECT_EQ(told().flow, flow);
  ASSERT_TRUE(receive(flow));
  EXPECT_TRUE(peer.other_events().empty());
}

TEST_P(DatagramFlows, AreNotBegunWhereNothingIsForwarded) {
  Peer host(TcpConfig{}, GetParam());
  EXPECT_EQ(host.in_octets(udp({host.remote(), 1}, {far(7), 53}, text(1))), Verdict::not_for_us);
  host.quiet();
}

TEST_P(DatagramFlows, EndWithTheirInterface) {
  EXPECT_EQ(send({far(7), 53}, 1), Verdict::datagram);
  const DatagramFlowId flow = told().flow;
  ASSERT_TRUE(receive(flow));
  ASSERT_TRUE(peer.stack().remove_interface(peer.now(), peer.interface()));
  EXPECT_TRUE(told().ended);
  EXPECT_EQ(receive(flow).error(), Error::timed_out);
}

TEST_P(DatagramFlows, AreOfTheStacksValue) {
  EXPECT_EQ(send({far(7), 53}, 1), Verdict::datagram);
  Stack copy = peer.stack();
  EXPECT_EQ(copy, peer.stack());
  EXPECT_EQ(copy.hash(), peer.stack().hash());
  OctetVector buffer(10);
  ASSERT_TRUE(copy.recv_datagram(told().flow, buffer));
  EXPECT_NE(copy, peer.stack());
}

}  // namespace
}  // namespace estab::script
