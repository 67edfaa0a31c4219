// The epoll set of a loop. Each descriptor carries a tag: what it is, and its number among those.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <sys/epoll.h>

#include "estab/time.h"

#include "host/descriptor.h"

namespace estab::host {

struct PollTag {
  enum class Kind : std::uint32_t { inbox, signals, link, descriptor };
  Kind kind;
  std::uint32_t number;
};

class Poller {
 public:
  /// Throws std::system_error.
  Poller();

  /// Watches a descriptor, or changes what is watched for. Returns 0 or errno.
  int watch(int descriptor, std::uint32_t events, PollTag tag);
  void forget(int descriptor);
  /// Waits for something to happen, at most `timeout` (zero: only looks). A signal ends it early.
  std::span<const epoll_event> wait(Duration timeout);

  static PollTag tag(const epoll_event& event);

 private:
  int wait_for(Duration timeout);

  OwnedDescriptor epoll_;
  std::array<epoll_event, 64> events_;
};

}  // namespace estab::host
