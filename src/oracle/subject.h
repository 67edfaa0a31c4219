// Subject: a host under test, seen from both sides: frames go in and come out, and an application
// makes socket calls. Law: whatever a frame or a call leads to at once has happened when the
// function returns, and waits in take_frame.
#pragma once

#include <cstdint>
#include <vector>

#include "estab/address.h"
#include "estab/octets.h"
#include "estab/posix.h"
#include "estab/segment.h"
#include "estab/state.h"
#include "estab/time.h"

namespace estab::oracle {

/// What a host announces of its buffer; the other is given the same.
struct ReceiveRoom {
  std::uint32_t window = 64240;
  std::uint8_t shift = 7;
  friend bool operator==(const ReceiveRoom&, const ReceiveRoom&) = default;
};

class Subject {
 public:
  virtual ~Subject() = default;

  /// Starts a new sequence between these ends; nothing is left of earlier ones.
  virtual void begin(const FourTuple& tuple, const ReceiveRoom& room) = 0;
  /// It is over. `reset` is a datagram that ends what may still be open.
  virtual void end(Octets reset) = 0;

  virtual void inject(Octets datagram) = 0;
  virtual void wait(Duration span) = 0;
  /// The next frame the host has sent; false if there is none.
  virtual bool take_frame(std::vector<std::uint8_t>& into) = 0;
  /// The state of the pair of endpoints; CLOSED also if there is only a listener.
  virtual State state() = 0;

  // The calls, as POSIX has them; all descriptors are non-blocking.
  virtual posix::Outcome socket(int domain) = 0;
  virtual posix::Outcome bind(int fd, const Endpoint& local) = 0;
  virtual posix::Outcome listen(int fd, int backlog) = 0;
  virtual posix::Outcome accept(int fd) = 0;
  virtual posix::Outcome connect(int fd, const Endpoint& remote) = 0;
  virtual posix::Outcome send(int fd, Octets octets, int flags) = 0;
  virtual posix::Outcome recv(int fd, MutableOctets into, int flags) = 0;
  virtual posix::Outcome shutdown(int fd, int how) = 0;
  virtual posix::Outcome close(int fd) = 0;
  virtual posix::Outcome set_option(int fd, int level, int option, Octets value) = 0;
  virtual posix::Outcome get_option(int fd, int level, int option, MutableOctets value) = 0;
  virtual posix::Outcome ioctl(int fd, unsigned long request, void* argument) = 0;
  virtual posix::Outcome poll(int fd, short events) = 0;  ///< value: revents
};

}  // namespace estab::oracle
