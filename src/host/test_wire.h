// For tests: a wire in memory that wakes nobody, a clock that the test turns, and two hosts in
// virtual time that have both.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "estab/clock.h"

#include "host/test_pair.h"

namespace estab::host::test {

class HandClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  void wait(Instant until) override {
    if (until == kNever) throw std::logic_error("the test waits for what will never come");
    now_ = std::max(now_, until);
  }
  void advance(Duration by) { now_ += by; }

 private:
  Instant now_{std::chrono::seconds(1)};
};

/// A wire of which each direction holds `room` frames.
struct Wire {
  explicit Wire(std::size_t frames = 1'000'000) : room(frames) {}
  using Frame = std::vector<std::uint8_t>;
  std::array<std::deque<Frame>, 2> queues;  ///< by the side that sends
  std::size_t room;
  int times_full = 0;
  std::size_t largest_burst = 0;
  std::size_t most_sent = 0;                  ///< by one side, without a look at what has come
  std::function<bool(const Frame&)> loses{};  ///< asked of each frame that is sent
  bool cut = false;                           ///< the device at either end says that it is gone
};

class WireEnd final : public Device {
 public:
  WireEnd(std::shared_ptr<Wire> wire, std::size_t side) : wire_(std::move(wire)), side_(side) {}

  InterfaceConfig interface_config() const override { return {.name = "wire"}; }
  int descriptor() const override { return -1; }
  std::size_t receive(Instant now, Stack& stack, InterfaceId interface,
                      std::size_t burst) override {
    auto& arriving = wire_->queues[1 - side_];
    sent_since_ = 0;
    std::size_t count = 0;
    for (; count < burst && !arriving.empty() && !wire_->cut; ++count) {
      stack.handle_frame(now, interface, {.octets = arriving.front()});
      arriving.pop_front();
    }
    wire_->largest_burst = std::max(wire_->largest_burst, count);
    return count;
  }
  Instant next_deadline() const override {
    return wire_->queues[1 - side_].empty() || wire_->cut ? kNever : Instant::min();
  }
  bool ready() const override { return kept_.empty(); }
  bool flush() override {
    if (!kept_.empty() && put(kept_)) kept_.clear();
    return kept_.empty();
  }
  void transmit(Instant, const TransmitFrame& frame) override {
    EXPECT_TRUE(ready()) << "a frame for a device that is full";
    wire_->most_sent = std::max(wire_->most_sent, ++sent_since_);
    Wire::Frame octets(frame.size());
    frame.copy_to(octets.data());
    if (put(octets)) return;
    kept_ = octets;
    ++wire_->times_full;
  }
  std::optional<DeviceError> failure() const override {
    if (!wire_->cut) return std::nullopt;
    return DeviceError{DeviceError::Kind::link_gone, 0, "the wire was cut"};
  }

 private:
  bool put(const Wire::Frame& octets) {
    auto& leaving = wire_->queues[side_];
    if (wire_->loses && wire_->loses(octets)) return true;
    if (leaving.size() >= wire_->room) return false;
    leaving.push_back(octets);
    return true;
  }

  std::shared_ptr<Wire> wire_;
  std::size_t side_;
  std::size_t sent_since_ = 0;
  Wire::Frame kept_;
};

inline HostOptions virtual_options(Clock& clock) {
  HostOptions options = test_options();
  options.clock = &clock;
  return options;
}

struct OwnClock {
  HandClock clock;
};

/// A client and a server on a wire, in virtual time.
struct VirtualPair : OwnClock, Hosts {
  explicit VirtualPair(std::size_t room = 1'000'000)
      : Hosts(virtual_options(clock)), wire(std::make_shared<Wire>(room)) {
    client_link = client.add_device(std::make_unique<WireEnd>(wire, 0));
    server_link = server.add_device(std::make_unique<WireEnd>(wire, 1));
    EXPECT_TRUE(client.add_address(client_link, {kClientAddress, 24}));
    EXPECT_TRUE(server.add_address(server_link, {kServerAddress, 24}));
  }

  /// Both have their turns until `done()`; time goes on when neither has anything to do.
  template <class Done>
  void run_until(Done done) {
    while (!done()) {
      round();
      const Instant next = std::min(client.next_deadline(), server.next_deadline());
      if (next > clock.now() && !done()) clock.wait(next);
    }
  }
  void run() {
    run_until([this] { return client.tasks() == 0 && server.tasks() == 0; });
  }

  std::shared_ptr<Wire> wire;
  InterfaceId client_link, server_link;
};

}  // namespace estab::host::test
