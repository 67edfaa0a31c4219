// estab sim: a bulk transfer over a simulated path, in virtual time.
#include <memory>

#include <fmt/format.h>

#include "estab/capture.h"
#include "estab/pcap_writer.h"

#include "tools/commands.h"
#include "tools/console.h"
#include "tools/options.h"
#include "tools/report.h"
#include "tools/sim_campaign.h"
#include "tools/sim_scenario.h"
#include "tools/trace_file.h"

namespace estab::tools {
namespace {

struct SimOptions {
  SimScenario scenario{};
  std::string matrix, pcap, trace;
  std::optional<SeedRange> seeds{};
  Shard shard{};
  bool csv = false;
  ReportFormat format = ReportFormat::text;
  std::vector<std::string> files;  // of `merge`
};

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "0 %"
                    : fmt::format("{:.2f} %",
                                  100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

void print_text(const SimScenario& scenario, const sim::BulkReport& report) {
  const sim::BulkConfig config = scenario.config();
  print("{} x {} over {}, {} round trip, {}, seed {}\n\n", scenario.flows,
        scenario.octets == 0 ? "as much as fits" : format_size(scenario.octets),
        config.path.rate_bits_per_second == 0
            ? "no limit of rate"
            : format_rate(static_cast<double>(config.path.rate_bits_per_second)),
        format_duration(config.path.delay + config.back->delay), name_of(scenario.cc),
        scenario.seed);
  print("goodput               {}\n", format_rate(report.goodput_bit_s));
  print("took                  {}\n", format_duration(report.duration));
  print("packets               {} sent, {} lost by the path, {} by its queue ({} waited at most)\n",
        report.path.entered, report.path.lost, report.path.queue_dropped, report.path.most_waiting);
  print("retransmitted         {} segments, {}; {} needlessly\n", report.retransmits,
        format_size(report.retransmitted_octets), report.spurious_retransmits);
  print("recoveries, timeouts  {}, {}\n", report.recoveries, report.timeouts);
  if (report.flows.size() > 1) {
    print("fairness              {:.3f}\n\n", report.fairness);
    for (std::size_t i = 0; i < report.flows.size(); ++i)
      print("  flow {:<4} {:>14}  {:>7} of all\n", i + 1,
            format_rate(report.flows[i].goodput_bit_s),
            percent(static_cast<std::uint64_t>(report.flows[i].goodput_bit_s),
                    static_cast<std::uint64_t>(report.goodput_bit_s)));
  }
}

/// Octets arrived changed, or the transfer did not come to its end.
void judge(const SimScenario& scenario, const sim::BulkReport& report, ExitCode& exit_code) {
  if (report.complete || scenario.octets == 0) return;
  log_line(
      fmt::format("sim: not all octets had arrived after {}", format_duration(scenario.limit)));
  exit_code = ExitCode::found_wrong;
}

void run_one(const SimOptions& options, ExitCode& exit_code) {
  sim::BulkConfig config = options.scenario.config();
  std::shared_ptr<CaptureFile> file;
  std::optional<PcapWriter> writer;
  std::optional<PcapTap> tap;
  if (!options.pcap.empty()) {
    auto opened = CaptureFile::open(options.pcap);
    if (!opened) throw Failure(ExitCode::bad_input, opened.error().what);
    file = *opened;
    writer.emplace(sink_to(file), "estab sim");
    tap.emplace(*writer, "sender");
    config.tap = &*tap;
  }
  std::optional<TraceFile> trace;
  if (!options.trace.empty()) {
    trace.emplace(options.trace, "estab sim");
    config.observer = [&](std::string end) -> Observer& {
      return trace->writer().add_end(std::move(end));
    };
  }
  const sim::BulkReport report = sim::run_bulk(config);
  options.format == ReportFormat::json
      ? print_json(Channel::output, describe_report(options.scenario, report))
      : print_text(options.scenario, report);
  judge(options.scenario, report, exit_code);
  if (trace) exit_code = trace->judge(exit_code);
  if (file && file->failure()) throw Failure(ExitCode::found_wrong, file->failure()->what);
}

void run_seeds(const SimOptions& options) {
  const auto document = run_campaign(options.scenario, *options.seeds, options.shard);
  if (options.format == ReportFormat::json) return print_json(Channel::output, document);
  const auto& summary = document.at("summary");
  print("{} runs, {} incomplete\n", summary.at("runs").dump(),
        summary.value("incomplete", std::uint64_t{0}));
  if (!summary.contains("goodput_bit_s")) return;
  const auto& goodput = summary.at("goodput_bit_s");
  print("goodput: geometric mean {}, median {}, from {} to {}\n",
        format_rate(goodput.at("geometric_mean")), format_rate(goodput.at("median")),
        format_rate(goodput.at("least")), format_rate(goodput.at("most")));
  print("retransmitted {} segments, {} needlessly; {} timeouts\n", summary.at("retransmits").dump(),
        summary.at("spurious_retransmits").dump(), summary.at("timeouts").dump());
}

void run_matrix(const SimOptions& options) {
  const auto cells = expand_matrix(options.scenario, options.matrix);
  if (!cells) throw Failure(ExitCode::bad_input, "sim: --matrix " + cells.error());
  nlohmann::ordered_json document = nlohmann::ordered_json::array();
  if (options.csv) print("{}", "cell,goodput_bit_s,duration_s,retransmits,spurious,timeouts\n");
  for (const SimCell& cell : *cells) {
    const sim::BulkReport report = sim::run_bulk(cell.scenario.config());
    std::string name;
    for (const std::string& word : cell.words) name += (name.empty() ? "" : " ") + word;
    const double seconds = static_cast<double>(report.duration.count().value()) / 1e9;
    if (options.format == ReportFormat::json) {
      auto described = describe_report(cell.scenario, report);
      described["cell"] = cell.words;
      document.push_back(std::move(described));
    } else if (options.csv) {
      print("{},{:.0f},{:.6f},{},{},{}\n", name, report.goodput_bit_s, seconds, report.retransmits,
            report.spurious_retransmits, report.timeouts);
    } else {
      print("{:<48} {:>14} {:>10.3f} s {:>7} again {:>6} needlessly {:>4} timeouts\n", name,
            format_rate(report.goodput_bit_s), seconds, report.retransmits,
            report.spurious_retransmits, report.timeouts);
    }
  }
  if (options.format == ReportFormat::json)
    print_json(Channel::output, {{"schema", "estab.sim.matrix/1"}, {"cells", document}});
}

void run_sim(const SimOptions& options, ExitCode& exit_code) {
  if (!options.seeds && options.shard.parts > 1)
    throw Failure(ExitCode::bad_input, "sim: --shard is a part of --seeds A..B, which is missing");
  if (options.seeds || !options.matrix.empty()) {
    if (!options.pcap.empty())
      throw Failure(ExitCode::bad_input, "sim: --pcap captures one run, not --seeds or --matrix");
    if (!options.trace.empty())
      throw Failure(ExitCode::bad_input, "sim: --trace follows one run, not --seeds or --matrix");
  }
  if (!options.matrix.empty()) return run_matrix(options);
  if (options.seeds) return run_seeds(options);
  run_one(options, exit_code);
}

Read<PathSpec> parse_path_option(std::string_view text) {
  return parse_path(text);
}

/// `--loss 1%`: a word of the path by itself.
void add_word(CLI::App& app, const std::string& key, const std::string& type, SimScenario& scenario,
              const std::string& help) {
  app.add_option_function<std::string>(
         "--" + key,
         [key, &scenario](const std::string& value) {
           if (auto set = set_scenario_word(scenario, key + "=" + value); !set)
             refuse_option("--" + key, value, set.error().substr(key.size() + value.size() + 3));
         },
         help)
      ->type_name(type);
}

void add_path_help(CLI::App& app) {
  std::string words = "Words of a path (--path, --back):\n";
  for (const PathWord& word : path_words())
    words += fmt::format("  {:<26} {}\n", word.example, word.meaning);
  app.footer(words);
}

void add_merge(CLI::App& sim, const std::shared_ptr<SimOptions>& options) {
  auto* merge = sim.add_subcommand("merge", "Put the JSON documents of several shards together");
  merge
      ->add_option("FILE", options->files, "Outputs of `estab sim --seeds A..B --shard K/N --json`")
      ->required();
  merge->callback([options] {
    const auto merged = merge_campaigns(options->files);
    if (!merged) throw Failure(ExitCode::bad_input, "sim merge: " + merged.error());
    print_json(Channel::output, *merged);
  });
}

void add_sim(CLI::App& program, ExitCode& exit_code) {
  auto* sim = program.add_subcommand(
      "sim", "Send in bulk over a simulated path, in virtual time: hours in seconds");
  auto options = std::make_shared<SimOptions>();
  SimScenario& scenario = options->scenario;
  (void)set_scenario_word(scenario, "queue=1bdp");
  add_word(*sim, "rtt", "DURATION", scenario, "Round trip without queueing (default: 60ms)");
  add_word(*sim, "rate", "RATE", scenario, "Bits a second of the path (default: no limit)");
  add_word(*sim, "queue", "SIZE", scenario, "250 (packets), 64K, 1bdp, none (default: 1bdp)");
  add_word(*sim, "loss", "SHARE", scenario, "Packets lost, each by itself: 1%");
  add_word(*sim, "reorder", "SHARE", scenario, "Packets that others overtake: 0.5%");
  add_word(*sim, "duplicate", "SHARE", scenario, "Packets that come twice");
  add_word(*sim, "bytes", "SIZE", scenario,
           "Octets of each flow; 0: until --limit (default: 10MB)");
  add_word(*sim, "flows", "NUMBER", scenario, "Flows that share the path (default: 1)");
  add_word(*sim, "cc", "NAME", scenario, "reno, cubic, bbr or dctcp (default: cubic)");
  add_word(*sim, "ecn", "KIND", scenario,
           "off, classic (RFC 3168) or accurate (RFC 9768); the path marks with 'codel=ecn'");
  add_word(*sim, "seed", "NUMBER", scenario,
           "Everything that happens follows from it (default: 1)");
  add_value(*sim, "--path", "WORDS", parse_path_option, scenario.path,
            "The path in words, instead of the options above: 'rate=50M loss=1% codel'");
  add_value(*sim, "--back", "WORDS", parse_path_option, scenario.back,
            "The way back (default: as the path, unharmed)");
  add_value(*sim, "--limit", "DURATION", parse_duration, scenario.limit,
            "Virtual time after which a run ends (default: 1h)");
  add_value(*sim, "--apart", "DURATION", parse_duration, scenario.apart,
            "Each flow begins so much after the one before");
  sim->add_option("--matrix", options->matrix,
                  "Every combination: 'rtt=10ms,60ms loss=0,1% cc=cubic,bbr'");
  sim->add_flag("--csv", options->csv, "The matrix as comma-separated values");
  add_value(*sim, "--seeds", "A..B", parse_seeds, options->seeds, "The run once for each seed");
  add_value(*sim, "--shard", "K/N", parse_shard, options->shard,
            "Only the K-th of N parts of them");
  sim->add_option("--pcap", options->pcap,
                  "Capture what the senders send and get, in virtual time");
  add_trace_option(*sim, options->trace);
  add_json_flag(*sim, options->format);
  add_path_help(*sim);
  add_merge(*sim, options);
  sim->callback([sim, options, &exit_code] {
    if (sim->get_subcommands().empty()) run_sim(*options, exit_code);
  });
}

const Registration kSim{{"sim", Order::measure, add_sim}};

}  // namespace
}  // namespace estab::tools
