// `estab drill --against-kernel`: scripts, or random sequences, to the kernel's TCP and to the
// stack; what they answer differently is shown unless it is settled (docs/differences.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "estab/address.h"

#include "drill/script.h"
#include "tools/exit_code.h"
#include "tools/report.h"

namespace estab::tools {

struct OracleCommand {
  std::vector<std::string> paths;
  drill::Defines defines;
  Family family = Family::ipv4;
  std::uint64_t random = 0;  ///< sequences; 0: the scripts
  std::uint64_t seed = 1, first = 0;
  ReportFormat format = ReportFormat::text;
};

ExitCode drill_against_kernel(const OracleCommand& command);

}  // namespace estab::tools
