// The program: finds the subcommand, lets it run, and turns every way it can end into an exit code
// and at most one line on stderr (src/tools/exit_code.h).
#include <csignal>
#include <exception>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/commands.h"
#include "tools/console.h"
#include "tools/exit_code.h"
#include "tools/usage.h"

namespace estab::tools {
namespace {

constexpr std::string_view kWelcome =
    "estab: TCP in user space, from SYN to FIN. Try, without any privileges:\n"
    "\n"
    "  estab demo handshake   three segments open a connection: each one, and why it was sent\n"
    "  estab demo loss        what happens when a segment is lost\n"
    "  estab perf memory      how fast it is: both ends in one process, contents verified\n"
    "\n"
    "`estab doctor` reports what else works here, `estab --help` lists the commands.\n";

ExitCode refuse(const std::string& why) {
  log_line(why);
  return ExitCode::bad_input;
}

bool is_command(const CLI::App& program, std::string_view name) {
  auto has_name = [=](const CLI::App* command) { return command->check_name(std::string(name)); };
  return !program.get_subcommands(has_name).empty();
}

ExitCode run(int argc, char** argv) {
  CLI::App program("TCP in user space: a stack, and tools built on it", "estab");
  program.require_subcommand(0, 1);
  program.get_formatter()->column_width(34);
  ExitCode exit_code = ExitCode::ok;
  for (const Command& command : commands()) command.add(program, exit_code);

  if (argc <= 1) {
    print("{}", kWelcome);
    return ExitCode::ok;
  }
  std::string_view first = argv[1];
  if (first == "--version") argv[1] = const_cast<char*>("version");
  if (!first.starts_with('-') && !is_command(program, first))
    return refuse(explain_unknown_command(program, first));
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    write_result(Channel::output, program.help());
  } catch (const CLI::ParseError& error) {
    return refuse(explain_usage_error(program, error));
  }
  return exit_code;
}

}  // namespace
}  // namespace estab::tools

int main(int argc, char** argv) {
  using estab::tools::ExitCode;
  estab::tools::reserve_standard_streams();
  // A reader of our output that goes away, or a file that may grow no more, is an error of write(),
  // not the end of the program.
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
  ExitCode code = ExitCode::ok;
  try {
    code = estab::tools::run(argc, argv);
  } catch (const estab::tools::Failure& failure) {
    estab::tools::log_line(failure.what());
    code = failure.code();
  } catch (const std::exception& error) {
    estab::tools::log_line(fmt::format("stopped by an unexpected error: {}", error.what()));
    code = ExitCode::found_wrong;
  }
  return static_cast<int>(code);
}
