// Standard output and standard error; nothing else in the program writes to them. Two laws:
//
// - What a command was asked for (a text, a table, a JSON document) is written whole, or the
//   command fails with exit code 1 and says why.
// - What is merely said along the way (log lines, the access log, progress) ends nothing and holds
//   nothing up. A line that finds no room is dropped and counted, and the next one that gets
//   through says how many were lost.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace estab::tools {

enum class Channel { output, error };

/// Takes the numbers 0, 1 and 2 if the program was started without them, so that no link and no
/// file gets one and, with it, octets meant for a standard stream. Using one still fails (EBADF).
void reserve_standard_streams();

/// Writes all of a result. Throws Failure(ExitCode::found_wrong).
void write_result(Channel channel, std::string_view text);
template <class... Arguments>
void print(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_result(Channel::output, fmt::format(format, std::forward<Arguments>(arguments)...));
}

/// One line on standard error, after "estab: ". Waits a moment for room.
void log_line(std::string_view text) noexcept;
/// A line as it is, with its line end, if there is room now.
void log_text(std::string_view text) noexcept;
/// A picture of how far something is, if there is room now; the next one takes its place, so that
/// one that is lost does not count.
void draw_progress(std::string_view picture) noexcept;
/// Log lines that could not be written so far.
std::uint64_t log_lines_dropped();

/// Columns of the terminal, or 0 if the stream is none.
int terminal_width(Channel channel);
/// The stream is a terminal of somebody who has not asked for no colour (NO_COLOR, TERM=dumb).
bool wants_colour(Channel channel);
enum class Colour { plain, green, yellow, red, bold };
/// The text in that colour, where colour is wanted.
std::string paint(Channel channel, Colour colour, std::string_view text);

}  // namespace estab::tools
