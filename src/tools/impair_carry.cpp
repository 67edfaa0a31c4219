// The loop of `estab impair`, and the only place of it that knows the time.
#include <cerrno>
#include <ctime>
#include <vector>

#include <poll.h>

#include "tools/impair.h"

namespace estab::tools {

namespace {

Instant machine_time() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

/// Everything that waits in the interface goes on the path. False: the interface is gone.
bool take_in(ImpairedWay& way, std::vector<std::uint8_t>& room) {
  for (;;) {
    const auto reading = way.from.read(room);
    if (reading.outcome == device::TunQueue::ReadOutcome::none_waits) return true;
    if (reading.outcome == device::TunQueue::ReadOutcome::interface_gone) return false;
    const auto end = room.begin() + static_cast<std::ptrdiff_t>(reading.length);
    way.pipe.enter(machine_time(), std::vector<std::uint8_t>(room.begin(), end));
  }
}

void let_out(ImpairedWay& way) {
  while (auto packet = way.pipe.take(machine_time())) {
    const auto outcome = way.to.write(device::VirtioHeader{}, *packet);
    way.refused += outcome != device::TunQueue::WriteOutcome::sent;
  }
}

/// Nothing: for ever.
const timespec* wait_until(Instant next, timespec& left) {
  if (next == kNever) return nullptr;
  const Duration wait = std::max(next - machine_time(), Duration{0});
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
  left = {.tv_sec = seconds.count(),
          .tv_nsec = static_cast<long>((wait - seconds).count().value())};
  return &left;
}

}  // namespace

ImpairEnd carry(std::array<ImpairedWay, 2>& ways, int signals) {
  std::vector<std::uint8_t> room(65536 + 64);
  std::array<pollfd, 3> waiting{{{.fd = ways[0].from.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = ways[1].from.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = signals, .events = POLLIN, .revents = 0}}};
  for (;;) {
    for (ImpairedWay& way : ways) {
      if (!take_in(way, room)) return ImpairEnd::interface_gone;
      let_out(way);
    }
    timespec left{};
    const Instant next = std::min(ways[0].pipe.next_deadline(), ways[1].pipe.next_deadline());
    const int ready = ::ppoll(waiting.data(), waiting.size(), wait_until(next, left), nullptr);
    if (ready < 0 && errno != EINTR) return ImpairEnd::interface_gone;
    if (ready > 0 && waiting[2].revents != 0) return ImpairEnd::signal;
  }
}

}  // namespace estab::tools
