// Runs the program as a person would, and keeps all that came of it.
#pragma once

#include <string>
#include <vector>

namespace estab::cli_test {

struct Outcome {
  std::string out, err;
  int exit_code = -1;  ///< 128 + the signal's number if one ended it
};

enum class User { same, nobody };

/// With standard input at its end, no terminal, and nothing of our environment but PATH.
Outcome run(const std::vector<std::string>& arguments, User user = User::same);

}  // namespace estab::cli_test
