#include "model/options.h"

#include <charconv>
#include <map>
#include <string_view>

namespace estab::model {

namespace {

using Number = std::uint64_t;
using Setting = void (*)(Bounds&, Number);

std::uint8_t small(Number number) {
  return static_cast<std::uint8_t>(number);
}

struct Described {
  Setting set;
  Number most;
  const char* about;
};

const std::map<std::string_view, Described>& settings() {
  static const std::map<std::string_view, Described> kSettings = {
      {"--octets-a",
       {[](Bounds& b, Number n) { b.applications[0].octets = small(n); }, 15, "a may send"}},
      {"--octets-b",
       {[](Bounds& b, Number n) { b.applications[1].octets = small(n); }, 15, "b may send"}},
      {"--opens",
       {[](Bounds& b, Number n) { b.applications[0].opens = small(n); }, 2, "connections a opens"}},
      {"--capacity",
       {[](Bounds& b, Number n) { b.capacity = small(n); }, 4, "segments under way, each way"}},
      {"--losses", {[](Bounds& b, Number n) { b.losses = small(n); }, 100, "segments lost"}},
      {"--duplicates",
       {[](Bounds& b, Number n) { b.duplicates = small(n); }, 100, "segments copied"}},
      {"--bursts",
       {[](Bounds& b, Number n) { b.bursts = small(n); }, 100, "arrivals not answered at once"}},
      {"--firings", {[](Bounds& b, Number n) { b.firings = small(n); }, 100, "of timers"}},
      {"--states",
       {[](Bounds& b, Number n) { b.most_states = n; }, 4'000'000'000, "stop after so many"}},
      {"--fair-every",
       {[](Bounds& b, Number n) { b.fair_every = static_cast<std::uint32_t>(n); }, 1'000'000'000,
        "look at the fair end of one state in so many"}},
      {"--fault",
       {[](Bounds& b, Number n) { b.fault = static_cast<Fault>(n); }, 4,
        "1 FIN not counted, 2 text taken twice, 3 any RST believed, 4 timers silent"}},
  };
  return kSettings;
}

std::optional<Number> number(std::string_view word) {
  Number value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Options> read_options(int argc, char** argv, std::string& wrong) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--small") {
      options.size = Size::small;
    } else if (word == "--list") {
      options.only_lists = true;
    } else if (!word.starts_with("--")) {
      options.names.emplace_back(word);
    } else {
      const auto value = i + 1 < argc ? number(argv[++i]) : std::nullopt;
      const auto found = settings().find(word);
      const bool known = word == "--jobs" || found != settings().end();
      const Number most = known && word != "--jobs" ? found->second.most : 64;
      if (!known || !value || *value > most) {
        wrong = std::string(word) +
                (known ? " takes a number up to " + std::to_string(most) : " is no option");
        return std::nullopt;
      }
      if (word == "--jobs") {
        options.jobs = static_cast<unsigned>(std::max<Number>(*value, 1));
      } else {
        options.changes.emplace_back(
            [set = found->second.set, n = *value](Bounds& bounds) { set(bounds, n); });
      }
    }
  }
  return options;
}

std::string usage() {
  std::string text =
      "usage: estab_model [NAME...] [--small] [--list] [--jobs N] [OPTION N]...\n"
      "Explores the real stack breadth first; NAMEs as --list gives them, without: all of them.\n";
  for (const auto& [name, described] : settings()) {
    std::string line = "  " + std::string(name) + " N";
    line.resize(20, ' ');
    text += line + described.about + "\n";
  }
  return text;
}

}  // namespace estab::model
