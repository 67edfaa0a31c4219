// PluggedDevice: the end of a simulated link as a Device, for a stack that is not the network's
// own.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "estab/device.h"
#include "estab/stack.h"

#include "sim/network_nodes.h"

namespace estab::sim {

class PluggedDevice final : public Device {
 public:
  PluggedDevice(std::string name, std::uint16_t mtu, Plug& plug, std::function<void(Packet)> send)
      : name_(std::move(name)), mtu_(mtu), plug_(plug), send_(std::move(send)) {}
  ~PluggedDevice() override { plug_.taken = false; }

  InterfaceConfig interface_config() const override { return {.name = name_, .mtu = mtu_}; }
  int descriptor() const override { return -1; }
  bool ready() const override { return true; }
  bool flush() override { return true; }

  std::size_t receive(Instant now, Stack& stack, InterfaceId interface,
                      std::size_t burst) override {
    std::size_t count = 0;
    for (; count < burst && !plug_.arrived.empty(); ++count) {
      const Packet packet = std::move(plug_.arrived.front());
      plug_.arrived.pop_front();
      if (tap()) show_to_tap(now, FrameDirection::received, packet);
      stack.handle_frame(now, interface, {.octets = packet});
    }
    return count;
  }

  void transmit(Instant now, const TransmitFrame& frame) override {
    Packet packet(frame.size());
    frame.copy_to(packet.data());
    if (tap()) show_to_tap(now, FrameDirection::sent, packet);
    send_(std::move(packet));
  }

  /// Whatever has arrived is there at once.
  Instant next_deadline() const override { return plug_.arrived.empty() ? kNever : Instant{}; }

 private:
  void show_to_tap(Instant now, FrameDirection direction, const Packet& packet) {
    const Octets octets(packet);
    tap()->on_frame(now, {.direction = direction, .pieces = std::span(&octets, 1)});
  }

  std::string name_;
  std::uint16_t mtu_;
  Plug& plug_;
  std::function<void(Packet)> send_;
};

}  // namespace estab::sim
