// Standard streams and files that cannot be written: what was asked for and cannot be given is an
// error, and what was only to be said along the way is none.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"

namespace estab::cli_test {
namespace {

namespace fs = std::filesystem;

/// Runs a line of the shell in which $ESTAB is the program.
Outcome shell(const std::string& line) {
  return Process({"/bin/sh", "-c", line}).wait();
}

class Streams : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  }
};

TEST_F(Streams, ALogThatCannotBeWrittenChangesNoExitCode) {
  for (const char* log : {"2>/dev/full", "2>&-"}) {
    EXPECT_EQ(shell(std::string("$ESTAB sreve ") + log).exit_code, 2) << log;
    EXPECT_EQ(shell(std::string("$ESTAB serve /no/such/directory ") + log).exit_code, 2) << log;
    EXPECT_EQ(shell(std::string("$ESTAB demo nonsense ") + log).exit_code, 2) << log;
    EXPECT_EQ(shell(std::string("$ESTAB drill /no/such/file ") + log).exit_code, 2) << log;
    EXPECT_EQ(shell(std::string("$ESTAB version ") + log).exit_code, 0) << log;
    EXPECT_EQ(shell(std::string("$ESTAB version >/dev/full ") + log).exit_code, 1) << log;
  }
}

TEST_F(Streams, AResultThatCannotBeWrittenIsAnErrorThatSaysWhy) {
  for (const char* command :
       {"", "--help", "serve --help", "version", "version --json", "doctor", "doctor --json",
        "demo handshake", "demo handshake --json", "perf memory --time 100ms --idle 0",
        "perf memory --time 100ms --idle 0 --json"}) {
    Outcome full = shell("$ESTAB " + std::string(command) + " >/dev/full");
    EXPECT_EQ(full.exit_code, 1) << command;
    EXPECT_EQ(full.err, "estab: cannot write to standard output: No space left on device\n")
        << command;
    Outcome closed = shell("$ESTAB " + std::string(command) + " >&-");
    EXPECT_EQ(closed.exit_code, 1) << command;
    EXPECT_EQ(closed.err, "estab: cannot write to standard output: Bad file descriptor\n")
        << command;
  }
}

TEST_F(Streams, AReaderThatHasGoneAwayIsAnErrorAndNoSignal) {
  const std::string fifo = (fs::temp_directory_path() / "estab_streams.fifo").string();
  Outcome outcome = shell("rm -f " + fifo + "; mkfifo " + fifo + "; exec 3<>" + fifo + " 4>" +
                          fifo + "; exec 3<&-; $ESTAB demo handshake >&4");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.err, "estab: cannot write to standard output: Broken pipe\n");
  fs::remove(fifo);
}

TEST_F(Streams, ACaptureThatCannotBeWrittenIsAnError) {
  Outcome outcome = run({"demo", "handshake", "--pcap", "/dev/full"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.out.find("handshake"), std::string::npos)
      << "the demonstration itself is shown";
  EXPECT_EQ(outcome.err,
            "estab: the capture is not complete: cannot write to the capture file /dev/full: No "
            "space left on device; choose another place for it\n");
}

TEST_F(Streams, ATraceThatCannotBeWrittenIsAnError) {
  const std::string script = (fs::temp_directory_path() / "estab_trace.pkt").string();
  std::ofstream(script) << "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                           "+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0\n"
                           "+0 bind(3, ..., ...) = 0\n";
  for (const Arguments& command :
       {Arguments{"demo", "handshake"}, {"sim", "--bytes", "10k"}, {"drill", script}}) {
    Arguments arguments = command;
    arguments.insert(arguments.end(), {"--trace", "/dev/full"});
    const Outcome full = run(arguments);
    EXPECT_EQ(full.exit_code, 1) << command[0];
    EXPECT_EQ(
        full.err,
        "estab: the trace is not complete: cannot write to the trace file /dev/full: No space "
        "left on device; choose another place for it\n");
    arguments.back() = "/no/such/place";
    EXPECT_EQ(run(arguments).exit_code, 2) << command[0];
  }
  fs::remove(script);
}

TEST_F(Streams, ATraceOfASimulationNamesTheRuleOfEachLoss) {
  const std::string file = (fs::temp_directory_path() / "estab_trace.qlog").string();
  const Outcome outcome = run({"sim", "--loss", "2%", "--bytes", "1M", "--json", "--trace", file});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  std::ifstream lines(file);
  std::size_t retransmitted = 0, lost = 0;
  for (std::string line; std::getline(lines, line);) {
    ASSERT_EQ(line.at(0), '\x1e');
    const auto record = nlohmann::json::parse(line.substr(1));
    const auto name = record.value("name", "");
    if (name == "tcp:segment_lost") {
      ++lost;
      EXPECT_NE(record.at("data").at("why"), "");
    }
    if (name == "tcp:segment_sent")
      retransmitted += record.at("data").at("reason").get<std::string>().starts_with("retransmit");
  }
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(retransmitted, nlohmann::json::parse(outcome.out).at("retransmits"));
  fs::remove(file);
}

TEST_F(Streams, AFileThatMayGrowNoMoreIsAnErrorAndNoSignal) {
  const std::string file = (fs::temp_directory_path() / "estab_streams.pcapng").string();
  Outcome outcome = shell("ulimit -f 1; exec $ESTAB demo loss --pcap " + file + " >/dev/null");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_NE(outcome.err.find("File too large"), std::string::npos) << outcome.err;
  fs::remove(file);
}

TEST_F(Streams, ResultsOfScriptsThatCannotBeWrittenAreAnError) {
  const fs::path script = fs::temp_directory_path() / "estab_streams.pkt";
  std::ofstream(script) << "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n";
  EXPECT_EQ(run({"drill", script.string()}).exit_code, 0);
  Outcome full = run({"drill", script.string(), "--junit", "/dev/full"});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_EQ(full.err, "estab: drill: --junit '/dev/full': No space left on device\n");
  EXPECT_EQ(run({"drill", script.string(), "--junit", "/no/such/place"}).exit_code, 2);
  EXPECT_EQ(shell("$ESTAB drill " + script.string() + " >/dev/full").exit_code, 1);
  fs::remove(script);
}

}  // namespace
}  // namespace estab::cli_test
