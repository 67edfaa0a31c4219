// Hosts whose clock is not the machine's: the same coroutines, and hours in no time.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/connected_pair.h"
#include "host/test_wire.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using namespace host::test;

Task<> sleep_and_note(Host& host, Duration duration, std::vector<Duration>& log) {
  const Instant before = host.now();
  co_await host.sleep(duration);
  log.push_back(host.now() - before);
}

TEST(VirtualTime, ADayOfSleepIsOverAtOnceAndToTheNanosecond) {
  HandClock clock;
  Host host(virtual_options(clock));
  std::vector<Duration> log;
  host.spawn(sleep_and_note(host, 24h, log));
  host.spawn(sleep_and_note(host, 1ns, log));
  host.run();
  EXPECT_EQ(log, (std::vector<Duration>{1ns, 24h}));
}

TEST(VirtualTime, SaysWhenAHostIsDueNext) {
  HandClock clock;
  Host host(virtual_options(clock));
  EXPECT_EQ(host.next_deadline(), kNever);
  std::vector<Duration> log;
  host.spawn(sleep_and_note(host, 5s, log));
  EXPECT_LE(host.next_deadline(), clock.now());
  host.run_once(0s);
  EXPECT_EQ(host.next_deadline(), clock.now() + 5s);
  host.post([] {});
  EXPECT_LE(host.next_deadline(), clock.now());
}

TEST(VirtualTime, AClockThatKnowsNothingIsToComeCanEndTheWait) {
  HandClock clock;
  Host host(virtual_options(clock));
  EXPECT_THROW(static_cast<void>(block_on(host.signal(SIGUSR1))), std::logic_error);
}

struct Transfer {
  Duration took{};
  std::string got;
  std::uint64_t retransmitted = 0;
  friend bool operator==(const Transfer&, const Transfer&) = default;
};

/// The client asks; its first segment of data is lost.
Transfer transfer_with_a_loss() {
  VirtualPair pair;
  Transfer result;
  auto ask = [&](Host& host) -> Task<> {
    TcpStream stream = (co_await host.connect(kServer)).value();
    EXPECT_TRUE(co_await stream.write_all(as_octets("how are you?")));
    EXPECT_TRUE(stream.shutdown());
    co_await host.sleep(0s);
    result.got = co_await read_all(stream);
  };
  bool lost = false;
  pair.wire->loses = [&](const Wire::Frame& frame) {
    if (lost || !as_text(Octets(frame)).ends_with("you?")) return false;
    return lost = true;
  };
  const Instant before = pair.clock.now();
  pair.server.spawn(serve_echo(pair.server, 1));
  pair.client.spawn(ask(pair.client));
  pair.run();
  result.took = pair.clock.now() - before;
  result.retransmitted = pair.client.stack().counters().retransmitted_segments;
  return result;
}

TEST(VirtualTime, CarriesAConnectionOverALossByItsTimersAlone) {
  const Transfer transfer = transfer_with_a_loss();
  EXPECT_EQ(transfer.got, "how are you?");
  EXPECT_GE(transfer.retransmitted, 1u);
  EXPECT_GE(transfer.took, 200ms);
}

TEST(VirtualTime, HappensTheSameWayAgain) {
  EXPECT_EQ(transfer_with_a_loss(), transfer_with_a_loss());
}

// ---- a process that stood still

/// Connected, with the server's user timeout at a minute.
struct Standing : VirtualPair {
  Standing() {
    TcpConfig config;
    config.user_timeout = 60s;
    const ListenOptions options{.local = kServer, .tcp = config};
    auto accepts = [&](Host& host) -> Task<> {
      auto listener = host.listen(options).value();
      ends.server = (co_await listener.accept()).value();
    };
    server.spawn(accepts(server));
    client.spawn(open_client(client, ends));
    run();
  }
  Ends ends;
};

TEST(Standstill, ReadsWhatHasArrivedBeforeAnyDeadlineFires) {
  Standing pair;
  EXPECT_EQ(block_on(pair.ends.server.write(as_octets("an answer"))), 9u);
  pair.server.run_once(0s);
  // More than a burst waits before the ACK.
  const Wire::Frame noise(100, 0xee);
  pair.wire->queues[0].assign(3 * HostOptions{}.burst, noise);
  pair.client.run_once(0s);
  ASSERT_GT(pair.wire->queues[0].size(), 3 * HostOptions{}.burst);

  pair.clock.advance(61'500ms);  // the server's process is stopped
  pair.server.run_once(0s);
  EXPECT_EQ(pair.ends.server.state(), State::established);
  EXPECT_EQ(pair.server.stack().counters().retransmitted_segments, 0u);
  EXPECT_EQ(pair.ends.server.info()->unacked_bytes, 0u);
}

TEST(Standstill, ALimitGivesWayToWhatCameBeforeIt) {
  Standing pair;
  std::array<std::uint8_t, 100> buffer;
  Result<std::size_t> got = std::unexpected(Error::invalid_argument);
  auto reads = [&]() -> Task<> { got = co_await pair.ends.server.read(buffer).within(5s); };
  pair.server.spawn(reads());
  pair.server.run_once(0s);
  const Wire::Frame noise(100, 0xee);
  pair.wire->queues[0].assign(3 * HostOptions{}.burst, noise);
  EXPECT_EQ(block_on(pair.ends.client.write(as_octets("in time"))), 7u);
  pair.client.run_once(0s);

  pair.clock.advance(1min);
  pair.server.run_once(0s);
  EXPECT_EQ(got, 7u);
}

/// A device that always has a burst more.
class Torrent final : public Device {
 public:
  explicit Torrent(int& calls) : calls_(calls) {}
  InterfaceConfig interface_config() const override { return {.name = "torrent"}; }
  int descriptor() const override { return -1; }
  std::size_t receive(Instant, Stack&, InterfaceId, std::size_t burst) override {
    ++calls_;
    return burst;
  }
  bool ready() const override { return true; }
  bool flush() override { return true; }
  void transmit(Instant, const TransmitFrame&) override {}

 private:
  int& calls_;
};

TEST(Standstill, ADeviceThatIsNeverEmptyHoldsNoDeadlineUpForEver) {
  HandClock clock;
  Host host(virtual_options(clock));
  int calls = 0;
  host.add_device(std::make_unique<Torrent>(calls));
  std::vector<Duration> log;
  host.spawn(sleep_and_note(host, 1s, log));
  host.run_once(0s);
  calls = 0;
  clock.advance(2s);
  host.run_once(0s);
  EXPECT_EQ(log.size(), 1u);
  EXPECT_GT(calls, 10);
  EXPECT_LT(calls, 100);
}

}  // namespace
}  // namespace estab
