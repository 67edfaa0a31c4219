// Runs a packetdrill script against a stack of its own, in this process and in virtual time. The
// same script and options give the same result, to the octet. The language is that of the public
// suites of scripts; docs/drill.md says what of it is understood.
//
//   const DrillResult result = drill("handshake.pkt", text, {});
//   if (result.verdict != DrillVerdict::passed) std::cerr << result.detail;
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/posix.h"
#include "estab/recorder.h"

#include "drill/arguments.h"
#include "drill/script.h"

namespace estab::drill {

struct DrillOptions {
  /// Without: as the script's settings suggest, FreeBSD's or Linux's.
  std::optional<posix::Profile> profile{};
  std::optional<std::uint32_t> isn{};       ///< ours, of every connection
  std::optional<std::uint32_t> peer_isn{};  ///< added to all numbers of the peer's
  std::optional<IpVersion> ip_version{};    ///< where the script does not say
  std::optional<std::uint16_t> mtu{};       ///< the same
  std::optional<Duration> tolerance{};      ///< the same
  Defines defines{};
  enum class Log : std::uint8_t { off, on } log = Log::off;  ///< fill DrillResult::log
  /// Handed all that the stack saw and decided, when the script is over.
  std::function<void(const Recording&)> recorded{};
};

enum class DrillVerdict : std::uint8_t { passed, failed, skipped };
std::string_view name(DrillVerdict verdict);

struct DrillResult {
  DrillVerdict verdict = DrillVerdict::passed;
  int line = 0;                      ///< where it ended; 0 if it passed
  std::string reason{};              ///< in one line; empty if it passed
  std::string detail{};              ///< what was expected, what happened, and the ladder so far
  std::vector<std::string> notes{};  ///< what was asked for and has no meaning here
  std::vector<std::string> log{};    ///< each event, with its time
};

/// `file` is what messages call the script.
DrillResult drill(std::string_view file, std::string_view text, const DrillOptions& options = {});

}  // namespace estab::drill
