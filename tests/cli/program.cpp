#include "tests/cli/program.h"

#include <array>
#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

namespace estab::cli_test {
namespace {

constexpr unsigned kNobody = 65534;

[[noreturn]] void become_program(std::vector<std::string> arguments, User user, int out, int err) {
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  if (user == User::nobody && getuid() == 0) {
    if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(125);
  }
  arguments.insert(arguments.begin(), "estab");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  std::array<char*, 2> environment{const_cast<char*>("PATH=/usr/bin:/bin"), nullptr};
  execve(ESTAB_PROGRAM, pointers.data(), environment.data());
  _exit(126);
}

std::string contents(std::FILE* file) {
  std::string text;
  std::rewind(file);
  std::array<char, 4096> buffer;
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), file)) > 0;)
    text.append(buffer.data(), n);
  std::fclose(file);
  return text;
}

}  // namespace

Outcome run(const std::vector<std::string>& arguments, User user) {
  std::FILE* out = std::tmpfile();
  std::FILE* err = std::tmpfile();
  pid_t child = fork();
  if (child == 0) become_program(arguments, user, fileno(out), fileno(err));
  int status = 0;
  waitpid(child, &status, 0);
  Outcome outcome{contents(out), contents(err), -1};
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.exit_code = 128 + WTERMSIG(status);
  return outcome;
}

}  // namespace estab::cli_test
