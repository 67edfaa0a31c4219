// What a path does to packets, as one writes it on a command line: words of the form key=value,
// between spaces or commas.
//
//   rate=50M delay=30ms loss=1% reorder=0.5%/5ms queue=250 codel
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/sim/link.h"

#include "tools/units.h"

namespace estab::tools {

/// One direction of a path. Its queue may be given in bandwidth-delay products, which need the
/// whole round trip to be known.
struct PathSpec {
  sim::LinkConfig link{};
  std::optional<double> queue_bdps{};

  /// The settings; `rtt` is the path's, both ways, without queueing.
  sim::LinkConfig resolved(Duration rtt) const;
};

/// Sets what one word says. The error is about the value, or says which words there are.
Read<void> set_path_word(PathSpec& path, std::string_view word);
Read<PathSpec> parse_path(std::string_view text);
/// The words there are, each with an example and what it means: for help.
struct PathWord {
  const char* example;
  const char* meaning;
};
const std::vector<PathWord>& path_words();

/// `250` (packets), `64K` (octets, with a unit), `1bdp`, `none`.
Read<void> set_queue(PathSpec& path, std::string_view text);

}  // namespace estab::tools
