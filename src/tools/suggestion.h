// What somebody may have meant by a word that is not known.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estab::tools {

/// The candidate that takes the fewest letters left out, put in, exchanged or swapped with a
/// neighbour; nothing if even that one takes more than a third of the word's.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

/// `; did you mean 'serve'?`, or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace estab::tools
