#include "tools/demo_live.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "estab/capture.h"
#include "estab/tun.h"

#include "base/prng.h"
#include "tools/demo_child.h"
#include "tools/demo_conversation.h"
#include "tools/demo_namespace.h"
#include "tools/http_server.h"
#include "tools/interrupts.h"
#include "tools/live.h"
#include "tools/output.h"
#include "tools/sha256.h"
#include "tools/units.h"

namespace estab::tools {

namespace {

constexpr std::size_t kFileOctets = 64 << 20;
constexpr std::size_t kChunk = 1 << 20;
constexpr const char* kStackAddress = "10.77.0.2";
constexpr Duration kGrace = std::chrono::milliseconds(100);
constexpr std::uint16_t kHttpPort = 80, kTalkPort = 7;

// ---- files

/// A directory that goes away with this object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "estab-demo-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw Failure(
          ExitCode::found_wrong,
          fmt::format("demo: no temporary directory in {}: {}; set TMPDIR to one that "
                      "can be written",
                      std::filesystem::temp_directory_path().string(), std::strerror(errno)));
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Fills a file with octets drawn from the seed, and returns their SHA-256.
std::string write_random_file(const std::string& path, std::uint64_t seed) {
  base::Prng random(seed);
  Sha256 hash;
  std::vector<std::uint8_t> chunk(kChunk);
  auto file = Output::file(path);
  const auto require = [&](const std::expected<void, std::string>& result) {
    if (!result)
      throw Failure(ExitCode::found_wrong,
                    fmt::format("demo: cannot write {} to {}: {}; set TMPDIR to a place with more "
                                "room",
                                format_size(kFileOctets), path, result.error()));
  };
  if (!file) require(std::unexpected(file.error()));
  for (std::size_t done = 0; done < kFileOctets; done += kChunk) {
    for (std::size_t i = 0; i < kChunk; i += sizeof(std::uint64_t)) {
      const std::uint64_t word = random.next();
      std::memcpy(chunk.data() + i, &word, sizeof word);
    }
    hash.update(chunk);
    require(file->write_all(chunk));
  }
  require(file->close());
  return hash.hex();
}

std::string hash_file(const std::string& path) {
  Sha256 hash;
  std::vector<char> chunk(kChunk);
  std::ifstream file(path, std::ios::binary);
  while (file.read(chunk.data(), static_cast<std::streamsize>(kChunk)) || file.gcount() > 0)
    hash.update(as_octets({chunk.data(), static_cast<std::size_t>(file.gcount())}));
  return hash.hex();
}

// ---- the live part

struct LiveResult {
  std::string link;
  std::string sha256_sent, sha256_received;
  std::uint64_t octets = 0;
  double seconds = 0;
  ConversationOutcome conversation;
  Ladder ladder;
  LadderOptions ladder_options;
  std::vector<std::string> failures;
};

ExpectedLadder expected_ladder() {
  using enum State;
  return {.a_name = "Linux",
          .b_name = "estab",
          .a = {closed, syn_sent, established, close_wait, last_ack, closed},
          .b = {listen, syn_received, established, fin_wait_1, fin_wait_2, time_wait, closed},
          .segments = {"Linux S unknown", "estab S. open_reply", "Linux . unknown", "estab F. fin",
                       "Linux . unknown", "Linux F. unknown"}};
}

class LiveDemo {
 public:
  LiveDemo(std::unique_ptr<Device> device, const SceneOptions& options)
      : options_(options), host_(host_options()) {
    if (!options.pcap.empty()) {
      auto file = CaptureFile::open(options.pcap);
      if (!file) throw Failure(ExitCode::bad_input, "--pcap: " + file.error().what);
      capture_ = *file;
      device = capture_to(std::move(device), sink_to(capture_));
    }
    if (!options.trace.empty()) {
      trace_ = std::make_shared<TraceFile>(options.trace, "estab demo", host_.now());
      host_.stack().set_observer(&trace_->writer().add_end("estab"));
    }
    const InterfaceId link = host_.add_device(std::move(device));
    (void)host_.add_address(link, Cidr{address(), 24});
  }
  ~LiveDemo() { host_.stack().set_observer(nullptr); }

  const std::shared_ptr<CaptureFile>& capture() const { return capture_; }
  const std::shared_ptr<TraceFile>& trace() const { return trace_; }

  LiveResult run() {
    auto files = ServedFiles::open(directory_.path().string());
    if (!files) throw Failure(ExitCode::found_wrong, "demo: " + files.error());
    HttpServer server(host_, std::move(*files));
    auto listener = host_.listen(ListenOptions{.local = {address(), kHttpPort}, .tcp = {}});
    if (!listener) throw Failure(ExitCode::found_wrong, "demo: cannot listen");
    server.serve(std::move(*listener));
    Interrupts interrupts(host_, {.ask = [this] { host_.stop(); },
                                  .insist = [] {},
                                  .status = [] { return "demo: under way"; }});
    (void)host_.block_on(play());
    server.stop(kGrace);
    host_.run();  // until the server's tasks are over
    if (interrupts.signal()) throw Failure(interrupts.exit_code(), "demo: interrupted");
    return std::move(result_);
  }

 private:
  static IpAddress address() { return *IpAddress::parse(kStackAddress); }

  HostOptions host_options() const {
    HostOptions options;
    options.stack.msl = Scene::kMsl;
    options.seed = {options_.seed, 1};
    options.linger = kGrace;
    return options;
  }

  // The file is made in here, where Ctrl-C already waits for the host and leaves no file behind.
  Task<> play() {
    result_.sha256_sent = write_random_file(directory_.file("random"), options_.seed);
    co_await fetch();
    co_await draw();
  }

  Task<> fetch() {
    const std::vector<std::string> command = {"curl",
                                              "--silent",
                                              "--show-error",
                                              "--max-time",
                                              "120",
                                              "--noproxy",
                                              "*",
                                              "--output",
                                              directory_.file("received"),
                                              "--write-out",
                                              "%{size_download} %{time_total}",
                                              fmt::format("http://{}/random", kStackAddress)};
    auto child = Child::start(command);
    if (!child)
      throw Failure(
          ExitCode::missing,
          fmt::format("demo: curl did not start ({}); `apt install curl`", child.error()));
    const ChildResult ended = co_await child->wait(host_);
    if (ended.exit_code != 0)
      result_.failures.push_back(fmt::format("curl ends well (exit code {})", ended.exit_code));
    const auto blank = ended.output.find(' ');
    if (blank != std::string::npos) {
      result_.octets = std::strtoull(ended.output.c_str(), nullptr, 10);
      result_.seconds = std::strtod(ended.output.c_str() + blank, nullptr);
    }
    result_.sha256_received = hash_file(directory_.file("received"));
    if (result_.sha256_received != result_.sha256_sent)
      result_.failures.emplace_back("what curl wrote is what was served (SHA-256)");
  }

  Task<> draw() {
    host_.stack().set_observer(&recorder_.add_end("estab"));
    const Endpoint where{address(), kTalkPort};
    result_.conversation = co_await converse_with_kernel(host_, recorder_, where);
    host_.stack().set_observer(nullptr);
    if (trace_) trace_->writer().write(recorder_.recording());
    if (!result_.conversation.trouble.empty())
      result_.failures.push_back("the small connection runs to its end (" +
                                 result_.conversation.trouble + ")");
    LadderOptions& options = result_.ladder_options;
    options.unobserved_name = "Linux";
    options.msl = Scene::kMsl;
    options.msl_remark = "shortened for this demo";
    auto ladder = make_ladder(recorder_.recording(), options);
    if (!ladder) {
      result_.failures.emplace_back("the small connection is seen");
      co_return;
    }
    result_.ladder = std::move(*ladder);
    for (std::string& failure : compare(result_.ladder, expected_ladder()))
      result_.failures.push_back(std::move(failure));
  }

  SceneOptions options_;
  TemporaryDirectory directory_;
  Recorder recorder_;
  std::shared_ptr<CaptureFile> capture_;
  std::shared_ptr<TraceFile> trace_;
  Host host_;
  LiveResult result_;
};

// ---- on the screen

void print_live(const LiveResult& result, const DemoView& view) {
  const LadderOptions options = suited_to_output(result.ladder_options, view);
  const double rate =
      result.seconds > 0 ? static_cast<double>(result.octets) * 8 / result.seconds : 0;
  const bool same = result.sha256_sent == result.sha256_received;
  print_title("estab demo", "this program's TCP against this machine's kernel");
  print("  link      {}, in a network namespace of its own\n", result.link);
  print("  served    {} of random octets over HTTP; from SYN to FIN the TCP is ours\n",
        format_size(kFileOctets));
  print("  fetched   by curl through the kernel: {} octets in {:.3f} s, {}\n", result.octets,
        result.seconds, format_rate(rate));
  print("  SHA-256   {} served\n            {} received: {}\n\n", result.sha256_sent,
        result.sha256_received,
        paint(Channel::output, same ? Colour::green : Colour::red,
              same ? "the same" : "NOT the same"));
  print_paragraph(
      "And one small connection, segment by segment. The kernel opens; estab closes first, so the "
      "2 MSL wait is on its side.",
      options);
  print("\n{}\n", render_ladder(result.ladder, options));
  print_paragraph(
      fmt::format(
          "What to look at: three segments open (SYN, SYN-ACK, ACK). After estab's FIN the "
          "kernel still sends: the connection is half-closed. Four segments close it (FIN, "
          "ACK, FIN, ACK). Then estab waits 2 MSL in TIME-WAIT: here 2 x 1 s, shortened "
          "for this demo; otherwise 2 x 30 s. More: `estab demo time-wait`, `estab demo --help`."),
      options);
}

nlohmann::ordered_json live_json(const LiveResult& result) {
  return {{"schema", "estab.demo/1"},
          {"mode", "tun"},
          {"link", result.link},
          {"octets", result.octets},
          {"seconds", result.seconds},
          {"gbit_s",
           result.seconds > 0 ? static_cast<double>(result.octets) * 8e-9 / result.seconds : 0},
          {"sha256_served", result.sha256_sent},
          {"sha256_received", result.sha256_received},
          {"sha256_match", result.sha256_sent == result.sha256_received},
          {"msl_ns", Duration(Scene::kMsl).count().value()},
          {"ok", result.failures.empty()},
          {"failures", result.failures},
          {"ladder", as_json(result.ladder)}};
}

// ---- without a TUN

ExitCode demo_in_memory(const std::string& reason, const DemoView& view,
                        const SceneOptions& options) {
  log_line(fmt::format("{}; running in memory instead, with both ends ours", reason));
  auto played = nlohmann::ordered_json::array();
  ExitCode worst = ExitCode::ok;
  for (const char* name : {"handshake", "teardown"}) {
    SceneOptions scene = options;
    if (std::string_view(name) != "teardown") {  // one file, one case
      scene.pcap.clear();
      scene.trace.clear();
    }
    const Performance performance = perform(*find_demo_case(name), scene);
    ExitCode code = ExitCode::ok;
    if (view.format == ReportFormat::json) {
      played.push_back(as_json(performance));
      code = judge_files(performance, report_failures(name, performance.failures));
    } else {
      if (!played.empty() || std::string_view(name) == "teardown") print("\n");
      code = print_performance(performance, view);
    }
    if (code != ExitCode::ok) worst = code;
  }
  if (view.format == ReportFormat::json)
    print_json(Channel::output, {{"schema", "estab.demo/1"},
                                 {"mode", "memory"},
                                 {"reason", reason},
                                 {"ok", worst == ExitCode::ok},
                                 {"cases", played}});
  return worst;
}

}  // namespace

ExitCode demo_live(const DemoView& view, const SceneOptions& options) {
  if (const auto obstacle = enter_own_network_namespace())
    return demo_in_memory(*obstacle, view, options);
  auto tun = TunDevice::open({.name = "estab0", .host_addresses = {*Cidr::parse("10.77.0.1/24")}});
  if (!tun) return demo_in_memory(tun.error().what, view, options);
  std::optional<LiveDemo> demo(std::in_place, std::move(*tun), options);
  LiveResult result = demo->run();
  const auto capture = demo->capture();
  const auto trace = demo->trace();
  demo.reset();  // with which the last frames leave
  result.link = fmt::format("tun:estab0 (10.77.0.1 the kernel, {} estab)", kStackAddress);
  if (view.format == ReportFormat::json)
    print_json(Channel::output, live_json(result));
  else
    print_live(result, view);
  const ExitCode code = report_failures("demo", result.failures);
  return judge_capture(capture, trace ? trace->judge(code) : code);
}

}  // namespace estab::tools
