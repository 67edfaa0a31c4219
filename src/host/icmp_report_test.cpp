// What an application of a Host learns of an opening that ICMP ended: the error, and who said so.
#include <optional>

#include <gtest/gtest.h>

#include "estab/blocking.h"

#include "host/test_wire.h"
#include "wire/icmp.h"
#include "wire/ip.h"

namespace estab::host::test {
namespace {

constexpr IpAddress kRouter = IpAddress::v4(192, 0, 2, 254);

/// A datagram of `kRouter` to the client: the frame cannot be delivered.
Wire::Frame report_about(const Wire::Frame& frame, wire::IcmpError::Kind kind) {
  const auto message = wire::make_icmp_error(Family::ipv4, kind, 0, frame);
  Wire::Frame body(wire::kIcmpHeaderLength + message.body.size());
  wire::emit_icmp(message, kRouter, kClientAddress, body.data());
  wire::IpHeader header{.source = kRouter, .destination = kClientAddress};
  header.protocol = wire::kProtocolIcmp;
  Wire::Frame datagram(wire::kIpV4HeaderLength + wire::kMaxIpV4Options);
  datagram.resize(wire::emit_ip(header, body.size(), datagram.data()));
  datagram.insert(datagram.end(), body.begin(), body.end());
  return datagram;
}

struct RoutedPair : VirtualPair {
  RoutedPair() {
    wire->loses = [this](const Wire::Frame& frame) {
      wire->queues[1].push_back(report_about(frame, kind));
      return true;
    };
  }
  wire::IcmpError::Kind kind = wire::IcmpError::Kind::host_unreachable;
};

struct Learned {
  std::optional<Error> error;
  std::optional<IcmpReport> report;
};

Task<> try_to_connect(Host& host, bool give_up_early, Learned& learned) {
  TcpConfig config = host.stack().config().tcp;
  config.soft_errors_end_opening = give_up_early;
  const ConnectOptions options{.remote = {kServerAddress, 80}, .tcp = config};
  ConnectOperation opening = host.connect(options);
  const Result<TcpStream> stream = co_await std::move(opening);
  if (!stream) learned.error = stream.error();
  learned.report = opening.icmp_report();
}

TEST(IcmpReports, GoWithTheErrorOfAConnectThatTheyEnd) {
  RoutedPair pair;
  Learned learned;
  const Instant began = pair.clock.now();
  pair.client.spawn(try_to_connect(pair.client, true, learned));
  pair.run();
  EXPECT_EQ(learned.error, Error::host_unreachable);
  EXPECT_EQ(learned.report, (IcmpReport{kRouter, 3, 1}));
  EXPECT_EQ(pair.clock.now(), began) << "no SYN is repeated";
}

// RFC 9293 §3.9.2.2 (MUST-56): advice, which explains the time-out.
TEST(IcmpReports, GoWithTheErrorOfAConnectThatTimesOutAfterThem) {
  RoutedPair pair;
  Learned learned;
  const Instant began = pair.clock.now();
  pair.client.spawn(try_to_connect(pair.client, false, learned));
  pair.run();
  EXPECT_EQ(learned.error, Error::host_unreachable);
  EXPECT_EQ(learned.report, (IcmpReport{kRouter, 3, 1}));
  EXPECT_GE(pair.clock.now() - began, std::chrono::seconds(180));
}

TEST(IcmpReports, AreNotThereForARefusal) {
  VirtualPair pair;
  Learned learned;
  pair.client.spawn(try_to_connect(pair.client, true, learned));
  pair.run();
  EXPECT_EQ(learned.error, Error::connection_refused);
  EXPECT_FALSE(learned.report);
}

}  // namespace
}  // namespace estab::host::test
