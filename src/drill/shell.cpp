#include "drill/shell.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace estab::drill {
namespace {

using Words = std::vector<std::string>;

/// Cuts at characters of `separators` that do not stand in quotes.
Words split(std::string_view text, std::string_view separators) {
  Words parts(1);
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size() && text[i + 1] == '\n') {
      ++i;  // the command goes on in the next line
      continue;
    }
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (separators.find(c) != separators.npos) {
      parts.emplace_back();
      continue;
    }
    parts.back() += c;
  }
  return parts;
}

std::string without_quotes(std::string text) {
  std::erase_if(text, [](char c) { return c == '"' || c == '\''; });
  return text;
}

Words words_of(std::string_view command) {
  Words words;
  for (const std::string& word : split(command, " \t\r"))
    if (!word.empty()) words.push_back(without_quotes(word));
  return words;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

constexpr std::string_view kProcSys = "/proc/sys/";

/// `/proc/sys/net/ipv4/tcp_sack` is the setting `net.ipv4.tcp_sack`.
std::string setting_name(std::string name) {
  if (name.starts_with(kProcSys)) name.erase(0, kProcSys.size());
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

ShellStep step(ShellStep::Kind kind, const std::string& text) {
  ShellStep made;
  made.kind = kind;
  made.text = text;
  return made;
}

/// Every word of the form name=value.
void read_assignments(const Words& words, const std::string& text, std::vector<ShellStep>& steps) {
  bool any = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t sign = words[i].find('=');
    if (sign == std::string::npos || words[i][0] == '-') continue;
    ShellStep setting = step(ShellStep::Kind::setting, text);
    setting.name = setting_name(words[i].substr(0, sign));
    setting.value = words[i].substr(sign + 1);
    steps.push_back(setting);
    any = true;
  }
  if (!any) steps.push_back(step(ShellStep::Kind::nothing, text));  // only shows a setting
}

/// `echo 1 > /proc/sys/...`.
bool read_echo(const Words& words, const std::string& text, std::vector<ShellStep>& steps) {
  const auto arrow = std::find_if(words.begin(), words.end(),
                                  [](const std::string& word) { return word.starts_with('>'); });
  if (arrow == words.end()) return false;
  std::string path = arrow->substr(1);
  if (path.empty() && arrow + 1 != words.end()) path = arrow[1];
  if (!path.starts_with(kProcSys)) return false;
  ShellStep setting = step(ShellStep::Kind::setting, text);
  setting.name = setting_name(path);
  for (auto word = words.begin() + 1; word != arrow; ++word)
    setting.value += (setting.value.empty() ? "" : " ") + *word;
  steps.push_back(setting);
  return true;
}

bool is_without_meaning(const std::string& program) {
  static constexpr std::string_view kPrograms[] = {"defaults.sh", "true",    ":",        "sync",
                                                   "ethtool",     "kldload", "kldunload"};
  return std::find(std::begin(kPrograms), std::end(kPrograms), program) != std::end(kPrograms) ||
         program.starts_with("sysctl_restore_");
}

void read_command(const std::string& text, std::vector<ShellStep>& steps) {
  const Words words = words_of(text);
  if (words.empty() || words[0].starts_with('#')) return;
  const std::string program = last_part(words[0]);
  if (program == "sockstat" || program == "ss" || program == "netstat") {
    steps.push_back(step(ShellStep::Kind::socket_table, text));
  } else if (program == "sysctl" || program == "set_sysctls.py") {
    read_assignments(words, text, steps);
  } else if (program == "echo" && read_echo(words, text, steps)) {
    return;
  } else if (program == "profile" && words.size() == 2) {
    steps.push_back(step(ShellStep::Kind::profile, text));
    steps.back().value = words[1];
  } else if (program == "sleep" && words.size() == 2) {
    steps.push_back(step(ShellStep::Kind::sleep, text));
    steps.back().time =
        Duration(static_cast<std::int64_t>(std::strtod(words[1].c_str(), nullptr) * 1e9));
  } else {
    steps.push_back(step(
        is_without_meaning(program) ? ShellStep::Kind::nothing : ShellStep::Kind::unknown, text));
  }
}

// ---- the socket table

/// Under what other names ss, netstat and sockstat know the state, besides '_' for '-'.
std::string_view other_names(const std::string& line) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"SYN-RECEIVED", " SYN-RECV SYN_RECV SYN_RCVD"},
      {"FIN-WAIT-1", " FIN_WAIT1"},
      {"FIN-WAIT-2", " FIN_WAIT2"}};
  for (const auto& [state, others] : kNames)
    if (line.find(state) != std::string::npos) return others;
  return {};
}

/// Which families a list is asked for: sockstat, ss and netstat take -4 and -6, alone or among
/// other letters, and mean both by both.
struct Families {
  bool v4 = false, v6 = false;

  bool have(const std::string& line) const {
    return v4 == v6 || v6 == line.starts_with('[');  // an IPv6 address stands in brackets
  }
};

Families read_families(const Words& words) {
  Families families;
  for (const std::string& word : words) {
    const bool is_letters = word.size() > 1 && word[0] == '-' && word[1] != '-';
    families.v4 |= word == "--ipv4" || (is_letters && word.find('4') != word.npos);
    families.v6 |= word == "--ipv6" || (is_letters && word.find('6') != word.npos);
  }
  return families;
}

Words table_lines(std::string_view table, const Families& families) {
  Words lines;
  for (const std::string& line : split(table, "\n")) {
    if (line.empty() || !families.have(line)) continue;
    std::string underscored = line;  // FreeBSD writes TIME_WAIT where others write TIME-WAIT
    std::replace(underscored.begin(), underscored.end(), '-', '_');
    underscored += other_names(line);
    // Every socket here is the script's own, as a column with the program's name would say.
    lines.push_back(fmt::format("packetdrill {} {}", line, underscored));
  }
  return lines;
}

struct Grep {
  std::string pattern;
  bool counts = false, inverted = false, known = true, ignores_case = false;
};

Grep read_grep(const Words& words) {
  Grep grep;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i][0] != '-') {
      grep.pattern = words[i];
      continue;
    }
    for (const char flag : words[i].substr(1)) {
      grep.counts |= flag == 'c';
      grep.inverted |= flag == 'v';
      grep.ignores_case |= flag == 'i';
      grep.known &= std::string_view("cvqiwEF").find(flag) != std::string_view::npos;
    }
  }
  return grep;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool lets_through(const Grep& grep, const std::string& line) {
  const bool has = grep.ignores_case ? lower(line).find(lower(grep.pattern)) != std::string::npos
                                     : line.find(grep.pattern) != std::string::npos;
  return has != grep.inverted;
}

}  // namespace

std::vector<ShellStep> read_shell(std::string_view command) {
  std::vector<ShellStep> steps;
  for (const std::string& line : split(command, "\n;"))
    for (const std::string& part : split(line, "&"))  // `&&` leaves an empty part between
      if (const std::string text = trimmed(part); !text.empty()) read_command(text, steps);
  return steps;
}

Answer ask_table(std::string_view pipeline, std::string_view table) {
  const Words stages = split(pipeline, "|");
  Words lines = table_lines(table, read_families(words_of(stages[0])));
  bool any = !lines.empty();
  for (std::size_t i = 1; i < stages.size(); ++i) {
    const Words words = words_of(stages[i]);
    if (words.empty() || last_part(words[0]) != "grep") return Answer::unknown;
    const Grep grep = read_grep(words);
    if (!grep.known) return Answer::unknown;
    std::erase_if(lines, [&](const std::string& line) { return !lets_through(grep, line); });
    any = !lines.empty();
    if (grep.counts) lines = {std::to_string(lines.size())};
  }
  return any ? Answer::yes : Answer::no;
}

}  // namespace estab::drill
