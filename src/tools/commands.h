// The subcommands register themselves: a file that has
//
//   const Registration kServe{{"serve", Order::live, add_serve}};
//
// adds a command, and main needs no list. `add` makes the CLI11 subcommand and gives it a callback;
// the callback returns normally for exit code 0, sets `exit_code` or throws Failure otherwise.
#pragma once

#include <vector>

#include "tools/exit_code.h"

namespace CLI {
class App;
}

namespace estab::tools {

/// Where a command stands in the help.
enum class Order { show, measure, live, about };

struct Command {
  const char* name;
  Order order;
  void (*add)(CLI::App& program, ExitCode& exit_code);
};

/// Every command registered, by order, then name.
std::vector<Command> commands();

class Registration {
 public:
  explicit Registration(const Command& command);
};

}  // namespace estab::tools
