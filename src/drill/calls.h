// System calls of a script, made ready to be tried: a call on a blocking descriptor is tried again
// until it no longer waits. The buffers it writes to belong to it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "estab/posix.h"

#include "drill/arguments.h"
#include "drill/script.h"

namespace estab::drill {

struct ReadyCall {
  enum class Gives : std::uint8_t { number, descriptor };

  std::function<posix::Outcome(Instant)> attempt;
  /// After it has ended: what is different, in its buffers, from what the script says.
  std::function<std::optional<std::string>(const posix::Outcome&)> check{};
  Gives gives = Gives::number;
  /// What it does to the descriptor in its first argument, for who keeps account of connections.
  enum class Effect : std::uint8_t { none, opens, listens, connects, accepts, closes };
  Effect effect = Effect::none;
  int descriptor = -1;  ///< the real one
  Endpoint remote{};    ///< of connect, and of sendto with an address
};

/// Throws a Refusal.
ReadyCall make_ready(const SystemCall& call, posix::Sockets& sockets, CallSetting& setting);

}  // namespace estab::drill
