// The devices of a host and the frames between them and the stack. Frames come in by bursts, so
// that a busy device does not keep the others and the application waiting. A full device has its
// interface paused until it takes frames again, and the others go on; one that is gone has it
// removed, and whoever waits for that is told why.
//
// Law: between two looks at what has come no more frames are written than a look takes in. A kernel
// behind a TUN may answer each within the write, and its answers wait in a queue of 500.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "estab/device.h"
#include "estab/operation.h"
#include "estab/stack.h"

#include "host/poller.h"

namespace estab::host {

class Links {
 public:
  struct Link {
    InterfaceId interface;
    std::unique_ptr<Device> device;
    int descriptor = -1;
    bool up = false;
    bool full = false;                    ///< holds a frame it could not send
    Instant emptied_at = Instant::min();  ///< when it last had less than a burst
    std::optional<DeviceError> failure;   ///< why it is not up
    Wait* watcher = nullptr;              ///< who waits for that
  };
  using Wake = std::function<void(Wait&)>;

  Links(Stack& stack, Poller& poller, std::size_t burst, Wake wake)
      : stack_(stack), poller_(poller), burst_(burst), wake_(std::move(wake)) {}

  InterfaceId add(std::unique_ptr<Device> device);
  /// Error::no_such_id.
  Result<std::unique_ptr<Device>> remove(Instant now, InterfaceId interface);
  /// Also one that is gone. Null if the id names none.
  const Link* find(InterfaceId interface) const;
  Link* find(InterfaceId interface) {
    return const_cast<Link*>(std::as_const(*this).find(interface));
  }
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

  std::size_t receive(Instant now, Link& link);
  void look(Instant now);
  void flush_device(Instant now, Link& link);
  void on_full(Instant now, Link& link);
  void lose(Instant now, Link& link, DeviceError why);
  bool lose_if_failed(Instant now, Link& link);
  void stop_watching(Link& link);

  Stack& stack_;
  Poller& poller_;
  std::size_t burst_;
  std::size_t allowance_ = burst_;  // frames that may be written before the next look
  Wake wake_;
  std::deque<Link> links_;  // by the interface's index; who waits points into them
  TransmitFrame frame_;
};

}  // namespace estab::host
