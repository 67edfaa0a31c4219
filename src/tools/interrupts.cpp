#include "tools/interrupts.h"

#include <csignal>

namespace estab::tools {

Interrupts::Interrupts(Host& host, std::function<void()> ask, std::function<void()> insist)
    : host_(host), ask_(std::move(ask)), insist_(std::move(insist)) {
  for (int number : {SIGINT, SIGTERM, SIGHUP}) host_.spawn(watch(number), TaskKind::background);
}

Task<> Interrupts::watch(int number) {
  while (true) {
    // Not in the loop's condition: g++ 12 leaves out a co_await there.
    auto came = co_await host_.signal(number);
    if (!came) co_return;
    if (!signal_) signal_ = number;
    if (++count_ == 1) {
      ask_();
      continue;
    }
    insist_();
    host_.stop();
    co_return;
  }
}

ExitCode Interrupts::exit_code() const {
  return static_cast<ExitCode>(128 + signal_.value_or(0));
}

}  // namespace estab::tools
