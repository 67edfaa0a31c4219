// Calls that look at and change settings of a socket.
#include <cstring>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "drill/call_parts.h"

namespace estab::drill {
namespace {

using posix::Outcome;
using Buffer = std::vector<std::uint8_t>;

struct NamedMaker {
  std::string_view name;
  Maker make;
};

constexpr std::size_t kOptionRoom = 1024;

template <class Value>
Buffer as_buffer(const Value& value) {
  Buffer buffer(sizeof value);
  std::memcpy(buffer.data(), &value, sizeof value);
  return buffer;
}

template <class Value>
Value from_buffer(const Buffer& buffer) {
  Value value{};
  std::memcpy(&value, buffer.data(), std::min(sizeof value, buffer.size()));
  return value;
}

int field_number(const Expression& structure, std::string_view name) {
  const Expression* found = field(structure, name);
  if (found == nullptr) mistake("the structure has no field '" + std::string(name) + "'");
  return integer_of(*found);
}

/// The octets of an option's value, as the option has them.
Buffer option_value(const Expression& expression) {
  if (expression.kind == Expression::Kind::text) {
    const std::string text = unescaped(expression.text);
    return {text.begin(), text.end()};
  }
  if (expression.kind == Expression::Kind::structure && field(expression, "onoff") != nullptr)
    return as_buffer(linger{field_number(expression, "onoff"), field_number(expression, "linger")});
  if (expression.kind == Expression::Kind::structure && field(expression, "tv_sec") != nullptr)
    return as_buffer(
        timeval{field_number(expression, "tv_sec"), field_number(expression, "tv_usec")});
  if (expression.kind == Expression::Kind::structure)
    refuse("an option with a value of that kind is not among those the stack has");
  if (expression.kind == Expression::Kind::array && expression.items.size() == 1)
    return option_value(expression.items[0]);
  return as_buffer(static_cast<int>(element_of(expression)));
}

std::string value_text(const Buffer& expected, const Buffer& value) {
  if (expected.size() == sizeof(int)) return std::to_string(from_buffer<int>(value));
  std::string text;
  for (const std::uint8_t octet : value) text += (text.empty() ? "" : " ") + std::to_string(octet);
  return text;
}

/// Text ends where it ends; the room behind it does not count.
std::optional<std::string> compare_value(const Buffer& expected, Buffer got) {
  const std::size_t length = got.size();
  got.resize(std::min(expected.size(), got.size()));
  if (got == expected) return std::nullopt;
  if (length < expected.size())  // a value of one octet stands for the number
    if (std::equal(got.begin(), got.end(), expected.begin())) return std::nullopt;
  return "the value is [" + value_text(expected, got) + "], expected [" +
         value_text(expected, expected) + "]";
}

ReadyCall make_getsockopt(const CallMaker& maker) {
  maker.expect_arguments(5, 5);
  const int fd = maker.descriptor(0);
  const int level = integer_of(maker.argument(1));
  const int option = integer_of(maker.argument(2));
  std::optional<Buffer> expected;
  if (!maker.argument(3).is_ellipsis()) expected = option_value(maker.argument(3));
  std::optional<std::size_t> room;
  if (!maker.argument(4).is_ellipsis())
    room = static_cast<std::size_t>(element_of(maker.argument(4)));
  auto value = std::make_shared<Buffer>(kOptionRoom);
  return {.attempt =
              [=, &sockets = maker.sockets](Instant now) {
                auto length =
                    static_cast<socklen_t>(std::min(room.value_or(kOptionRoom), kOptionRoom));
                value->assign(kOptionRoom, 0);
                const Outcome outcome =
                    sockets.getsockopt(now, fd, level, option, value->data(), &length);
                if (!outcome.waits && outcome.value >= 0) value->resize(length);
                return outcome;
              },
          .check = [=](const Outcome& outcome) -> std::optional<std::string> {
            if (outcome.value < 0 || !expected) return std::nullopt;
            return compare_value(*expected, *value);
          }};
}

ReadyCall make_setsockopt(const CallMaker& maker) {
  maker.expect_arguments(5, 5);
  const int fd = maker.descriptor(0);
  const int level = integer_of(maker.argument(1));
  const int option = integer_of(maker.argument(2));
  auto value = std::make_shared<Buffer>(
      maker.argument(3).is_ellipsis() ? Buffer{} : option_value(maker.argument(3)));
  std::size_t length = value->size();
  if (!maker.argument(4).is_ellipsis()) length = size_of(maker.argument(4));
  value->resize(std::max(value->size(), length));
  return {.attempt = [=, &sockets = maker.sockets](Instant now) {
    return sockets.setsockopt(now, fd, level, option, value->data(),
                              static_cast<socklen_t>(length));
  }};
}

ReadyCall make_fcntl(const CallMaker& maker) {
  maker.expect_arguments(2, 3);
  const int fd = maker.descriptor(0);
  const int command = integer_of(maker.argument(1));
  const std::int64_t argument = maker.call.arguments.size() == 3 ? number_of(maker.argument(2)) : 0;
  return {.attempt = [=, &sockets = maker.sockets](Instant) {
    return sockets.fcntl(fd, command, argument);
  }};
}

ReadyCall make_ioctl(const CallMaker& maker) {
  maker.expect_arguments(3, 3);
  const int fd = maker.descriptor(0);
  const auto request = static_cast<unsigned long>(number_of(maker.argument(1)));
  std::optional<int> expected;
  if (!maker.argument(2).is_ellipsis()) expected = static_cast<int>(element_of(maker.argument(2)));
  auto value = std::make_shared<int>(expected.value_or(0));
  const bool is_input = request == FIONBIO;
  return {.attempt = [=, &sockets = maker.sockets](
                         Instant now) { return sockets.ioctl(now, fd, request, value.get()); },
          .check = [=](const Outcome& outcome) -> std::optional<std::string> {
            if (is_input || outcome.value < 0 || !expected) return std::nullopt;
            return compare_numbers("the value", *expected, *value);
          }};
}

constexpr NamedMaker kCalls[] = {
    {"getsockopt", make_getsockopt},
    {"setsockopt", make_setsockopt},
    {"fcntl", make_fcntl},
    {"ioctl", make_ioctl},
};

}  // namespace

Maker find_option_call(std::string_view name) {
  for (const NamedMaker& entry : kCalls)
    if (entry.name == name) return entry.make;
  return nullptr;
}

}  // namespace estab::drill
