// Shell commands of a script. None is ever run: settings of the kernel become settings of the
// stack, a look at the socket table is answered from the stack's, and the rest is reported.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "estab/time.h"

namespace estab::drill {

/// One simple command or pipeline, understood.
struct ShellStep {
  enum class Kind : std::uint8_t {
    setting,       ///< name, value
    socket_table,  ///< a pipeline that begins with a list of sockets
    profile,       ///< `profile rfc`, which no shell knows: `value` is whose manners are meant
    sleep,         ///< for `time`
    nothing,       ///< known, and without a meaning here
    unknown,
  };
  Kind kind = Kind::unknown;
  std::string text{};
  std::string name{}, value{};
  Duration time{};
};

/// Settings have the form that sysctl uses, `net.ipv4.tcp_sack`.
std::vector<ShellStep> read_shell(std::string_view command);

/// Runs the filters of the pipeline over the table (Sockets::table); whether the last one let
/// anything through, as its exit code would say. Nothing if a filter is not known.
enum class Answer : std::uint8_t { no, yes, unknown };
Answer ask_table(std::string_view pipeline, std::string_view table);

}  // namespace estab::drill
