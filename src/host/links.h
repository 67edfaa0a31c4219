// The devices of a host and the frames between them and the stack. Frames come in by bursts, so
// that a busy device does not keep the others and the application waiting. They go out while every
// device takes them, since the stack cannot be asked for the frames of one interface only.
//
// Law: between two looks at what has come no more frames are written than a look takes in. A kernel
// behind a TUN may answer each within the write, and its answers wait in a queue of 500.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "estab/device.h"
#include "estab/stack.h"

#include "host/poller.h"

namespace estab::host {

class Links {
 public:
  Links(Stack& stack, Poller& poller, std::size_t burst)
      : stack_(stack), poller_(poller), burst_(burst) {}

  InterfaceId add(std::unique_ptr<Device> device);
  Device& device(InterfaceId interface) { return *links_[interface.index].device; }
  bool is_up(InterfaceId interface) const;

  /// The link's descriptor is ready, as `events` says: a burst comes in.
  void on_ready(Instant now, std::uint32_t number, std::uint32_t events);
  /// A burst from each device without a descriptor. True if there may be more.
  bool poll_blind(Instant now);
  /// Takes from each device what has arrived by now, up to kCatchUp bursts: as much as the queue of
  /// a device holds, and a bound for one that fills as fast as it is emptied.
  void catch_up(Instant now);
  /// There was a look at every device: a burst more may be written.
  void allow_burst() { allowance_ = burst_; }
  /// Sends what the stack has, as far as is allowed and the devices take it. True if there may be
  /// more.
  bool transmit(Instant now);
  /// Sends all of it, with looks between, up to kCatchUp. True if there may be more.
  bool flush(Instant now);
  /// The last there will be: nobody reads any more.
  void transmit_all(Instant now);
  /// When a device wants to be asked again that will not wake the loop.
  Instant next_deadline(Instant now) const;

 private:
  static constexpr int kCatchUp = 64;

  struct Link {
    InterfaceId interface;
    std::unique_ptr<Device> device;
    int descriptor = -1;
    bool up = false;
    bool full = false;                    ///< holds a frame it could not send
    Instant emptied_at = Instant::min();  ///< when it last had less than a burst
  };

  std::size_t receive(Instant now, std::uint32_t number);
  void look(Instant now);
  void flush_device(std::uint32_t number);
  void on_full(std::uint32_t number);
  void lose(Link& link);

  Stack& stack_;
  Poller& poller_;
  std::size_t burst_;
  std::size_t allowance_ = burst_;  // frames that may be written before the next look
  std::vector<Link> links_;         // by the interface's index
  std::size_t full_ = 0;            // links that are
  std::size_t blind_ = 0;           // links without a descriptor
  TransmitFrame frame_;
};

}  // namespace estab::host
