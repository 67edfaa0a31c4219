#include "tools/commands.h"

#include <algorithm>
#include <string_view>
#include <tuple>

namespace estab::tools {
namespace {

// Registrations run before main, in no order: the list is made by whoever comes first.
std::vector<Command>& registered() {
  static std::vector<Command> list;
  return list;
}

}  // namespace

Registration::Registration(const Command& command) {
  registered().push_back(command);
}

std::vector<Command> commands() {
  std::vector<Command> sorted = registered();
  std::ranges::sort(sorted, {}, [](const Command& command) {
    return std::tuple(command.order, std::string_view(command.name));
  });
  return sorted;
}

}  // namespace estab::tools
