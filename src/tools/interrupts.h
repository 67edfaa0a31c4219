// Ctrl-C, SIGTERM and SIGHUP: the first asks the command to end in good order, the second ends it.
// SIGUSR1 asks how far it is.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "estab/host.h"

#include "tools/exit_code.h"

namespace estab::tools {

/// What signals mean, for the help.
inline constexpr const char* kSignalHelp =
    "Signals: Ctrl-C, SIGTERM and SIGHUP end the command in good order, a second one at once;\n"
    "SIGUSR1 logs how far it is.";

/// What a command does at a signal. All run on the host's thread.
struct SignalActions {
  std::function<void()> ask;            ///< at the first signal to end
  std::function<void()> insist;         ///< at the second, which also stops the host
  std::function<std::string()> status;  ///< at SIGUSR1: one line for the log
};

class Interrupts {
 public:
  /// What the actions refer to must be good as long as the host runs.
  Interrupts(Host& host, SignalActions actions);
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  /// The first signal to end that came.
  std::optional<int> signal() const { return signal_; }
  bool insisted() const { return count_ > 1; }
  /// 128 + the signal's number.
  ExitCode exit_code() const;

 private:
  Task<> watch(int number);
  Task<> tell_status();

  Host& host_;
  SignalActions actions_;
  std::optional<int> signal_;
  int count_ = 0;
};

/// How much a command's connections have to say.
struct Movement {
  std::uint64_t octets = 0;    ///< received, and acknowledged by the peers
  bool has_under_way = false;  ///< there are octets the peers have not acknowledged
  Duration longest_rtt{};

  void add(const TcpStream& stream);
};

/// For a command that has been told to end, and has sent its FINs: lets the connections go on as
/// long as something moves on them, at most `limit`. One that is idle is not waited for.
Task<> wait_while_moving(Host& host, Duration limit, std::function<Movement()> look);

}  // namespace estab::tools
