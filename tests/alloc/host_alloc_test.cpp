// Every request of memory that a Host makes fails once: building it, running coroutines over a
// connection, and taking it down.
#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "estab/host.h"

#include "failing_new.h"

namespace estab::test {
namespace {

constexpr IpAddress kClient = IpAddress::v4(10, 0, 0, 1), kServer = IpAddress::v4(10, 0, 0, 2);
constexpr std::size_t kOctets = 30'000;

StackConfig config(std::uint64_t seed) {
  StackConfig result;
  result.seed = {seed, 1};
  return result;
}

/// A stack at the other end of a wire without delay, with all the memory it likes.
class Client {
 public:
  Client() : stack_(config(1)), link_(stack_.add_interface({.name = "far"})) {
    EXPECT_TRUE(stack_.add_address(link_, {kClient, 24}));
  }
  void work(Instant now) {
    const ConnectOptions to{.remote = {kServer, 7}};
    if (!stream_) stream_ = *stack_.connect(now, to);
    stack_.handle_deadline(now);
    while (stack_.poll_event()) {
    }
    const std::array<std::uint8_t, 2000> text{};
    while (sent_ < kOctets) {
      const auto took =
          stack_.send(now, stream_, Octets(text).first(std::min(text.size(), kOctets - sent_)));
      if (!took) break;
      sent_ += *took;
      if (sent_ == kOctets) (void)stack_.shutdown(now, stream_);
    }
    std::array<std::uint8_t, 4000> buffer;
    while (const auto got = stack_.recv(now, stream_, buffer)) received_ += *got;
  }
  std::size_t received() const { return received_; }
  bool over() const {
    return stream_ && (stack_.at_end(stream_) || stack_.state(stream_) == State::closed);
  }
  Stack& stack() { return stack_; }
  InterfaceId link() const { return link_; }

 private:
  Stack stack_;
  InterfaceId link_;
  StreamId stream_{};
  std::size_t sent_ = 0, received_ = 0;
};

class Wire final : public Device {
 public:
  explicit Wire(Client& client) : client_(client) {}
  InterfaceConfig interface_config() const override {
    const Plenty plenty;
    return {.name = "near"};
  }
  int descriptor() const override { return -1; }
  bool ready() const override { return true; }
  bool flush() override { return true; }
  std::size_t receive(Instant now, Stack& stack, InterfaceId interface,
                      std::size_t burst) override {
    std::size_t count = 0;
    for (; count < burst && next(now); ++count)
      stack.handle_frame(now, interface, {.octets = octets_});
    return count;
  }
  void transmit(Instant now, const TransmitFrame& frame) override {
    const Plenty plenty;
    std::vector<std::uint8_t> octets(frame.size());
    frame.copy_to(octets.data());
    client_.stack().handle_frame(now, client_.link(), {.octets = octets});
  }

 private:
  bool next(Instant now) {
    const Plenty plenty;
    if (!client_.stack().poll_transmit(now, frame_)) return false;
    octets_.resize(frame_.size());
    frame_.copy_to(octets_.data());
    return true;
  }
  Client& client_;
  TransmitFrame frame_;
  std::vector<std::uint8_t> octets_;
};

Task<> echo(TcpStream stream) {
  std::array<std::uint8_t, 3000> buffer;
  while (const std::size_t n =
             (co_await stream.read(buffer).within(std::chrono::seconds(60))).value_or(0))
    if (!co_await stream.write_all(Octets(buffer).first(n))) co_return;
}

Task<> serve(Host& host, TcpListener listener) {
  while (auto stream = co_await listener.accept()) host.spawn(echo(*std::move(stream)));
}

struct Outcome {
  std::uint64_t requests = 0, failed = 0, told = 0;
  std::size_t echoed = 0;
};

/// A call while memory is scarce; false if it wanted some and got none.
template <class Call>
bool attempt(Outcome& outcome, Call&& call) {
  try {
    const Scarce scarce;
    call();
    return true;
  } catch (const std::bad_alloc&) {
    ++outcome.told;
    return false;
  }
}

void use(Host& host, Client& client, Outcome& outcome) {
  auto wire = std::make_unique<Wire>(client);
  InterfaceId link;
  if (!attempt(outcome, [&] { link = host.add_device(std::move(wire)); })) return;
  if (!attempt(outcome, [&] { (void)host.add_address(link, {kServer, 24}); })) return;
  if (!attempt(outcome, [&] { host.spawn(serve(host, host.listen(7).value())); })) return;
  for (int round = 0; round < 60 && !client.over(); ++round) {
    attempt(outcome, [&] { host.run_once(Duration::zero()); });
    client.work(host.now());
  }
  outcome.echoed = client.received();
}

Outcome session(std::uint64_t first) {
  Outcome outcome;
  {
    Client client;
    HostOptions options;
    options.stack = config(2);
    options.seed = {2, 2};
    std::optional<Host> host;
    fail_requests(first, 1);
    if (attempt(outcome, [&] { host.emplace(options); })) use(*host, client, outcome);
    const Scarce scarce;
    host.reset();
    outcome.requests = requests();
    outcome.failed = failed_requests();
  }
  fail_requests(0, 0);
  return outcome;
}

TEST(HostWithoutMemory, EchoesEverythingWithIt) {
  const Outcome outcome = session(0);
  EXPECT_EQ(outcome.echoed, kOctets);
  EXPECT_EQ(outcome.told, 0u);
}

TEST(HostWithoutMemory, ReportsAFailedRequestAndCanBeTakenDown) {
  (void)session(0);  // what the run-time library keeps for good is there now
  const std::uint64_t all = session(0).requests;
  std::uint64_t told = 0, whole = 0;
  for (std::uint64_t n = 1; n <= all; ++n) {
    const std::size_t before = live_allocations();
    const Outcome outcome = session(n);
    EXPECT_EQ(live_allocations(), before) << "request " << n << " of " << all << " failed";
    if (testing::Test::HasFailure()) break;
    told += outcome.told > 0 ? 1 : 0;
    whole += outcome.echoed == kOctets ? 1 : 0;
  }
  EXPECT_EQ(session(0).echoed, kOctets);
  std::printf("%llu requests, %llu failures told, %llu sessions whole all the same\n",
              static_cast<unsigned long long>(all), static_cast<unsigned long long>(told),
              static_cast<unsigned long long>(whole));
}

}  // namespace
}  // namespace estab::test
