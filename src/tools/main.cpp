// The program: finds the subcommand, lets it run, and turns every way it can end into an exit code
// and at most one line on stderr (src/tools/exit_code.h).
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/commands.h"
#include "tools/exit_code.h"
#include "tools/http_text.h"
#include "tools/report.h"

namespace estab::tools {
namespace {

constexpr std::string_view kWelcome =
    "estab: TCP in user space, from SYN to FIN. Try, without any privileges:\n"
    "\n"
    "  estab demo handshake   three segments open a connection: each one, and why it was sent\n"
    "  estab demo loss        what becomes of a segment that gets lost\n"
    "  estab perf memory      how fast it is: both ends in one process, contents verified\n"
    "\n"
    "`estab doctor` tells what else works here, `estab --help` lists the commands.\n";

// Which command the user was at, for the hint that ends a usage error.
std::string command_named(const CLI::App& program) {
  auto chosen = program.get_subcommands();
  return chosen.empty() ? "estab" : "estab " + chosen.front()->get_name();
}

ExitCode report_usage(const CLI::App& program, const CLI::ParseError& error) {
  std::string text = escape_control(error.what());
  while (!text.empty() && text.ends_with('.')) text.pop_back();
  log_line(fmt::format("{} (see `{} --help`)", text, command_named(program)));
  return ExitCode::bad_input;
}

ExitCode refuse_command(std::string_view name) {
  log_line(fmt::format("'{}' is no command (see `estab --help`)", escape_control(name)));
  return ExitCode::bad_input;
}

bool is_command(const CLI::App& program, std::string_view name) {
  auto has_name = [=](const CLI::App* command) { return command->check_name(std::string(name)); };
  return !program.get_subcommands(has_name).empty();
}

ExitCode run(int argc, char** argv) {
  CLI::App program("TCP in user space: a stack, and programs on it", "estab");
  program.require_subcommand(0, 1);
  program.get_formatter()->column_width(34);
  ExitCode exit_code = ExitCode::ok;
  for (const Command& command : commands()) command.add(program, exit_code);

  if (argc <= 1) {
    fmt::print("{}", kWelcome);
    return ExitCode::ok;
  }
  std::string_view first = argv[1];
  if (first == "--version") argv[1] = const_cast<char*>("version");
  if (!first.starts_with('-') && !is_command(program, first)) return refuse_command(first);
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    program.exit(help);
  } catch (const CLI::ParseError& error) {
    return report_usage(program, error);
  }
  return exit_code;
}

}  // namespace
}  // namespace estab::tools

int main(int argc, char** argv) {
  using estab::tools::ExitCode;
  // A reader of our output that goes away is an error of write(), not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
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
  if (std::fflush(stdout) != 0 && code == ExitCode::ok) code = ExitCode::found_wrong;
  return static_cast<int>(code);
}
