// Ctrl-C, SIGTERM and SIGHUP: the first asks the command to end in good order, the second ends it.
#pragma once

#include <functional>
#include <optional>

#include "estab/host.h"

#include "tools/exit_code.h"

namespace estab::tools {

class Interrupts {
 public:
  /// `ask` is called at the first signal, `insist` at the second, which also stops the host. Both
  /// run on the host's thread, and must be good as long as the host runs.
  Interrupts(Host& host, std::function<void()> ask, std::function<void()> insist);
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  /// The first signal that came.
  std::optional<int> signal() const { return signal_; }
  bool insisted() const { return count_ > 1; }
  /// 128 + the signal's number.
  ExitCode exit_code() const;

 private:
  Task<> watch(int number);

  Host& host_;
  std::function<void()> ask_, insist_;
  std::optional<int> signal_;
  int count_ = 0;
};

}  // namespace estab::tools
