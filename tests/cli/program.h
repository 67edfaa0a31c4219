// Runs programs as a person would, and keeps all that came of it.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <sys/types.h>

namespace estab::cli_test {

using Arguments = std::vector<std::string>;

struct Outcome {
  std::string out, err;
  int exit_code = -1;  ///< 128 + the signal's number if one ended it
};

enum class User { same, nobody };

/// A program that has been started; it sees no terminal, and nothing of our environment but PATH.
class Process {
 public:
  /// `arguments` begin with the program: a path, or "estab" for ours, which $ESTAB names too.
  explicit Process(const Arguments& arguments, const std::string& input = "",
                   User user = User::same);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  /// Kills it if nobody waited for it.
  ~Process();

  /// Blocks until it has written a whole line to stderr (or has ended), and gives back the line.
  std::string next_log_line();
  void signal(int number);
  /// Blocks until it has ended.
  Outcome wait();

 private:
  pid_t child_ = -1;
  std::FILE* out_;
  std::FILE* err_;
  std::string log_;
};

/// Starts `estab` with these arguments and waits for it.
Outcome run(Arguments arguments, User user = User::same);

/// Puts this process, once, into a network namespace of its own, as root of it. Empty, or why not.
const std::string& enter_own_network();

}  // namespace estab::cli_test
