#include "tests/cli/program.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace estab::cli_test {
namespace {

constexpr unsigned kNobody = 65534;

struct Streams {
  int in, out, err;
};

void drop_privileges() {
  if (getuid() != 0) return;
  if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(125);
}

[[noreturn]] void become_program(Arguments arguments, User user, const Streams& streams) {
  dup2(streams.in, STDIN_FILENO);
  dup2(streams.out, STDOUT_FILENO);
  dup2(streams.err, STDERR_FILENO);
  for (int number : {SIGINT, SIGTERM, SIGPIPE}) std::signal(number, SIG_DFL);
  if (user == User::nobody) drop_privileges();
  std::string path = arguments[0] == "estab" ? ESTAB_PROGRAM : arguments[0];
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  std::array<char*, 3> environment{const_cast<char*>("PATH=/usr/sbin:/usr/bin:/sbin:/bin"),
                                   const_cast<char*>("ESTAB=" ESTAB_PROGRAM), nullptr};
  execvpe(path.c_str(), pointers.data(), environment.data());
  _exit(126);
}

std::string rest_of(std::FILE* file) {
  std::string text;
  std::array<char, 4096> buffer;
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), file)) > 0;)
    text.append(buffer.data(), n);
  return text;
}

std::FILE* file_with(const std::string& text) {
  std::FILE* file = std::tmpfile();
  std::fwrite(text.data(), 1, text.size(), file);
  std::rewind(file);
  return file;
}

}  // namespace

Process::Process(const Arguments& arguments, const std::string& input, User user)
    : out_(std::tmpfile()) {
  std::array<int, 2> err{};
  if (pipe2(err.data(), O_CLOEXEC) != 0) std::abort();
  std::FILE* in = file_with(input);
  child_ = fork();
  if (child_ == 0) become_program(arguments, user, {fileno(in), fileno(out_), err[1]});
  std::fclose(in);
  close(err[1]);
  err_ = fdopen(err[0], "r");
}

Process::~Process() {
  if (child_ > 0) {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  std::fclose(out_);
  std::fclose(err_);
}

std::string Process::next_log_line() {
  std::string line;
  for (int c = 0; (c = std::fgetc(err_)) != EOF && c != '\n';) line += static_cast<char>(c);
  log_ += line + "\n";
  return line;
}

void Process::signal(int number) {
  if (child_ > 0) kill(child_, number);  // never -1, which is everybody
}

Outcome Process::wait() {
  log_ += rest_of(err_);
  int status = 0;
  waitpid(child_, &status, 0);
  child_ = -1;
  std::rewind(out_);
  Outcome outcome{rest_of(out_), log_, -1};
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.exit_code = 128 + WTERMSIG(status);
  return outcome;
}

Outcome run(Arguments arguments, User user) {
  arguments.insert(arguments.begin(), "estab");
  return Process(arguments, "", user).wait();
}

namespace {

std::string enter() {
  uid_t user = getuid();
  if (unshare(CLONE_NEWNET | (user == 0 ? 0 : CLONE_NEWUSER)) != 0)
    return std::string("no network namespace: ") + std::strerror(errno);
  if (user != 0) {
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
  }
  int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (tun < 0) return std::string("no /dev/net/tun: ") + std::strerror(errno);
  close(tun);
  return "";
}

}  // namespace

const std::string& enter_own_network() {
  static const std::string obstacle = enter();
  return obstacle;
}

}  // namespace estab::cli_test
