// estab doctor: says what works on this machine, and for what does not, the command that mends it.
#include "tools/doctor.h"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/commands.h"
#include "tools/report.h"

namespace estab::tools {
namespace {

bool is_present(const std::vector<Finding>& findings, std::string_view key) {
  auto found = std::ranges::find(findings, key, &Finding::key);
  return found != findings.end() && found->present;
}

// What can be done with the commands that need a link.
struct Verdict {
  const char* live;  // as in the JSON document
  const char* text;
};

Verdict judge(const std::vector<Finding>& findings) {
  if (!is_present(findings, "tun_device"))
    return {"no", "not until there is a /dev/net/tun that can be opened"};
  if (is_present(findings, "cap_net_admin")) return {"yes", "yes"};
  if (is_present(findings, "namespaces"))
    return {
        "in_namespace",
        "as root, on a link an administrator made, or within `unshare -Urn`; plain `estab demo` "
        "makes its own namespace"};
  return {"as_root", "as root, or on a link an administrator made"};
}

void print_table(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    Colour colour = finding.present                 ? Colour::green
                    : finding.need == Need::nothing ? Colour::yellow
                                                    : Colour::red;
    print("{}  {:<28}  {}\n",
          paint(Channel::output, colour, finding.present ? "ok     " : "missing"), finding.what,
          finding.detail);
    if (!finding.meaning.empty()) print("         {}\n", finding.meaning);
    if (!finding.command.empty()) print("         fix it with: {}\n", finding.command);
  }
  print("\nestab demo CASE, perf memory (in memory)   yes\n");
  print("estab serve, get, connect, listen (TUN)    {}\n", judge(findings).text);
}

void print_document(const std::vector<Finding>& findings) {
  nlohmann::ordered_json document{{"schema", "estab.doctor/1"}};
  for (const Finding& finding : findings) {
    nlohmann::ordered_json entry{{"name", finding.key},
                                 {"present", finding.present},
                                 {"needed", finding.need != Need::nothing},
                                 {"detail", finding.detail}};
    if (!finding.meaning.empty()) entry["meaning"] = finding.meaning;
    if (!finding.command.empty()) entry["command"] = finding.command;
    document["findings"].push_back(entry);
  }
  document["works"] = {{"memory", "yes"}, {"live", judge(findings).live}};
  print_json(Channel::output, document);
}

void add_doctor(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand(
      "doctor", "Report what works on this machine, and how to fix the rest");
  auto format = std::make_shared<ReportFormat>(ReportFormat::text);
  add_json_flag(*command, *format);
  command->callback([format] {
    std::vector<Finding> findings = examine_machine();
    *format == ReportFormat::json ? print_document(findings) : print_table(findings);
  });
}

const Registration kDoctor{{"doctor", Order::about, add_doctor}};

}  // namespace
}  // namespace estab::tools
