// How the program ends. The exit code says what kind of end it was; one line on stderr says what,
// where, why and what to do next.
#pragma once

#include <stdexcept>
#include <string>

namespace estab::tools {

enum class ExitCode : int {
  ok = 0,
  found_wrong = 1,  ///< it ran, and found something wrong: an HTTP error, a refused connection
  bad_input = 2,    ///< usage, or input that makes no sense
  missing = 3,      ///< a privilege or a feature is missing; the line has the command that gives it
  deadline = 124,   ///< as timeout(1)
  interrupted = 130,  ///< 128 + SIGINT
};

/// Ends a command. Thrown by commands only, caught in main, which prints `line` after "estab: ".
class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& line) : std::runtime_error(line), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

}  // namespace estab::tools
