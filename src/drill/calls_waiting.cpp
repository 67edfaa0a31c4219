// Calls that wait for several descriptors: poll and epoll.
#include <poll.h>
#include <sys/epoll.h>

#include "drill/call_parts.h"

namespace estab::drill {
namespace {

using posix::Outcome;

struct NamedMaker {
  std::string_view name;
  Maker make;
};

constexpr int kMostEvents = 1024;

/// The field, or a Refusal.
const Expression& needed(const Expression& structure, std::string_view name) {
  const Expression* found = field(structure, name);
  if (found == nullptr) mistake("the structure has no field '" + std::string(name) + "'");
  return *found;
}

ReadyCall make_poll(const CallMaker& maker) {
  maker.expect_arguments(3, 3);
  const Expression& list = maker.argument(0);
  if (list.kind != Expression::Kind::array) mistake("poll takes [{fd=3, events=POLLIN}, ...]");
  auto polled = std::make_shared<std::vector<pollfd>>();
  for (const Expression& item : list.items) {
    const int number = integer_of(needed(item, "fd"));
    const auto known = maker.setting.descriptors.find(number);
    const int fd = known == maker.setting.descriptors.end() ? number : known->second;
    polled->push_back({fd, static_cast<short>(integer_of(needed(item, "events"))), 0});
  }
  const auto count = static_cast<nfds_t>(number_of(maker.argument(1)));
  if (count > polled->size()) mistake("poll is given fewer descriptors than its count says");
  const int timeout = integer_of(maker.argument(2));
  return {.attempt = [=, &sockets = maker.sockets](
                         Instant now) { return sockets.poll(now, polled->data(), count, timeout); },
          .check = [=, &list](const Outcome&) -> std::optional<std::string> {
            for (std::size_t i = 0; i < polled->size(); ++i)
              if (const Expression* expected = field(list.items[i], "revents"))
                if (auto found = compare_numbers("revents", integer_of(*expected),
                                                 int{(*polled)[i].revents}))
                  return found;
            return std::nullopt;
          }};
}

ReadyCall make_epoll_create(const CallMaker& maker) {
  maker.expect_arguments(1, 1);
  (void)integer_of(maker.argument(0));
  return {.attempt = [&sockets = maker.sockets](Instant) { return sockets.epoll_create(0); },
          .gives = ReadyCall::Gives::descriptor};
}

/// What the event carries: fd, ptr, u32 or u64. A descriptor is kept with the script's number.
std::uint64_t event_data(const Expression& event) {
  for (const std::string_view name : {"fd", "ptr", "u32", "u64"})
    if (const Expression* found = field(event, name))
      return static_cast<std::uint64_t>(number_of(*found));
  return 0;
}

ReadyCall make_epoll_ctl(const CallMaker& maker) {
  maker.expect_arguments(4, 4);
  const int epoll = maker.descriptor(0);
  const int operation = integer_of(maker.argument(1));
  const int fd = maker.descriptor(2);
  auto event = std::make_shared<epoll_event>();
  if (maker.argument(3).kind == Expression::Kind::structure) {
    event->events = static_cast<std::uint32_t>(number_of(needed(maker.argument(3), "events")));
    event->data.u64 = event_data(maker.argument(3));
  }
  return {.attempt = [=, &sockets = maker.sockets](Instant) {
    return sockets.epoll_ctl(epoll, operation, fd, event.get());
  }};
}

std::optional<std::string> compare_event(const Expression& expected, const epoll_event& got) {
  const auto events = static_cast<std::uint32_t>(number_of(needed(expected, "events")));
  if (auto found = compare_numbers("events", events, std::uint32_t{got.events})) return found;
  return compare_numbers("the event's data", event_data(expected), std::uint64_t{got.data.u64});
}

ReadyCall make_epoll_wait(const CallMaker& maker) {
  maker.expect_arguments(4, 5);
  const int epoll = maker.descriptor(0);
  const Expression& expected = maker.argument(1);
  const int room = integer_of(maker.argument(2));
  const int timeout = integer_of(maker.argument(3));
  auto events = std::make_shared<std::vector<epoll_event>>(
      static_cast<std::size_t>(std::clamp(room, 1, kMostEvents)));
  return {.attempt =
              [=, &sockets = maker.sockets](Instant now) {
                return sockets.epoll_wait(now, epoll, events->data(), room, timeout);
              },
          .check = [=, &expected](const Outcome& outcome) -> std::optional<std::string> {
            if (expected.is_ellipsis()) return std::nullopt;
            const bool is_list = expected.kind == Expression::Kind::array;
            for (std::size_t i = 0; static_cast<std::int64_t>(i) < outcome.value; ++i) {
              if (i >= (is_list ? expected.items.size() : 1)) break;
              if (auto found = compare_event(is_list ? expected.items[i] : expected, (*events)[i]))
                return found;
            }
            return std::nullopt;
          }};
}

constexpr NamedMaker kCalls[] = {
    {"poll", make_poll},
    {"epoll_create", make_epoll_create},
    {"epoll_create1", make_epoll_create},
    {"epoll_ctl", make_epoll_ctl},
    {"epoll_wait", make_epoll_wait},
    {"epoll_pwait", make_epoll_wait},
};

}  // namespace

Maker find_waiting_call(std::string_view name) {
  for (const NamedMaker& entry : kCalls)
    if (entry.name == name) return entry.make;
  return nullptr;
}

}  // namespace estab::drill
