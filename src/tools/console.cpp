#include "tools/console.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device/file_descriptor.h"
#include "tools/exit_code.h"

namespace estab::tools {
namespace {

// What poll() calls writable takes this much without blocking, and takes it in one piece.
constexpr std::size_t kLongestLine = PIPE_BUF;
// How long a log line waits for room. The first one that waited in vain was the last that waits,
// until somebody reads again: a reader that has stopped must not stop the connections.
constexpr int kPatienceMs = 1000;

struct Log {
  std::uint64_t dropped = 0;
  std::uint64_t untold = 0;  // of these, not yet mentioned
  bool stuck = false;
};
Log the_log;

int descriptor_of(Channel channel) {
  return channel == Channel::output ? STDOUT_FILENO : STDERR_FILENO;
}

// False if there was no room, or nobody to read it.
bool write_now(std::string_view text, int patience_ms) {
  pollfd room{STDERR_FILENO, POLLOUT, 0};
  if (poll(&room, 1, the_log.stuck ? 0 : patience_ms) <= 0) {
    the_log.stuck = the_log.stuck || patience_ms > 0;
    return false;
  }
  ssize_t written = 0;
  do {
    written = write(STDERR_FILENO, text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  the_log.stuck = false;
  return written == static_cast<ssize_t>(text.size());
}

void log(std::string text, int patience_ms) {
  if (text.size() > kLongestLine) text.replace(kLongestLine - 4, text.npos, "...\n");
  if (the_log.untold > 0) {
    const std::string loss =
        fmt::format("estab: {} log lines before this one could not be written\n", the_log.untold);
    if (write_now(loss, patience_ms)) the_log.untold = 0;
  }
  if (the_log.untold == 0 && write_now(text, patience_ms)) return;
  ++the_log.dropped;
  ++the_log.untold;
}

}  // namespace

// Opened the wrong way round, so that a use fails as it would on a closed descriptor.
void reserve_standard_streams() {
  for (const auto& [number, flags] :
       {std::pair(STDIN_FILENO, O_WRONLY), {STDOUT_FILENO, O_RDONLY}, {STDERR_FILENO, O_RDONLY}})
    if (fcntl(number, F_GETFD) < 0 && errno == EBADF) static_cast<void>(open("/dev/null", flags));
}

void write_result(Channel channel, std::string_view text) {
  const int error = device::write_all(descriptor_of(channel), as_octets(text));
  if (error != 0)
    throw Failure(
        ExitCode::found_wrong,
        fmt::format("cannot write to standard {}: {}",
                    channel == Channel::output ? "output" : "error", std::strerror(error)));
}

// Without memory for the text, it is one that could not be written.
void log_line(std::string_view text) noexcept try {
  log(fmt::format("estab: {}\n", text), kPatienceMs);
} catch (const std::bad_alloc&) {
  ++the_log.dropped;
}

void log_text(std::string_view text) noexcept try {
  log(std::string(text), 0);
} catch (const std::bad_alloc&) {
  ++the_log.dropped;
}

void draw_progress(std::string_view picture) noexcept {
  static_cast<void>(write_now(picture, 0));
}

std::uint64_t log_lines_dropped() {
  return the_log.dropped;
}

int terminal_width(Channel channel) {
  const int descriptor = descriptor_of(channel);
  if (isatty(descriptor) == 0) return 0;
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

bool wants_colour(Channel channel) {
  // https://no-color.org: set and not empty.
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(descriptor_of(channel)) != 0 && (no_color == nullptr || *no_color == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

std::string paint(Channel channel, Colour colour, std::string_view text) {
  if (!wants_colour(channel)) return std::string(text);
  switch (colour) {
    case Colour::plain:
      break;
    case Colour::green:
      return fmt::format("\x1b[32m{}\x1b[0m", text);
    case Colour::yellow:
      return fmt::format("\x1b[33m{}\x1b[0m", text);
    case Colour::red:
      return fmt::format("\x1b[31m{}\x1b[0m", text);
    case Colour::bold:
      return fmt::format("\x1b[1m{}\x1b[0m", text);
  }
  return std::string(text);
}

}  // namespace estab::tools
