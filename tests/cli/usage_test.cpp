// Exit codes, which stream says what, and that bad input gets one line.
#include <algorithm>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"

namespace estab::cli_test {
namespace {

using nlohmann::json;

std::ptrdiff_t lines(const std::string& text) {
  return std::ranges::count(text, '\n');
}

// Bad input: exit code 2, nothing on stdout, and one line with all of `says` on stderr.
void expect_refusal(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& says) {
  Outcome outcome = run(arguments);
  std::string command = testing::PrintToString(arguments);
  EXPECT_EQ(outcome.exit_code, 2) << command << outcome.err;
  EXPECT_EQ(outcome.out, "") << command;
  EXPECT_EQ(lines(outcome.err), 1) << command << outcome.err;
  EXPECT_TRUE(outcome.err.starts_with("estab: ")) << command << outcome.err;
  for (const std::string& part : says)
    EXPECT_NE(outcome.err.find(part), std::string::npos) << command << outcome.err;
}

TEST(Usage, WithoutArgumentsNamesThreeCommandsThatNeedNoPrivileges) {
  Outcome outcome = run({});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const char* command : {"estab demo handshake", "estab demo loss", "estab perf memory"})
    EXPECT_NE(outcome.out.find(command), std::string::npos) << command;
}

// The picture in the README is what the program draws, octet for octet.
TEST(Usage, TheReadmeShowsWhatTheDemoDraws) {
  std::ifstream file(ESTAB_README);
  const std::string readme(std::istreambuf_iterator<char>(file), {});
  const std::string begin = "<!-- output: estab demo teardown -->\n```text\n";
  const std::size_t at = readme.find(begin);
  ASSERT_NE(at, std::string::npos);
  const std::string shown = readme.substr(at + begin.size());
  EXPECT_EQ(shown.substr(0, shown.find("```")), run({"demo", "teardown"}).out);
}

TEST(Usage, TheGatewayNeedsAGuestAndAWayOut) {
  expect_refusal({"gateway", "--direct"}, {"--tun NAME", "--netns -- COMMAND"});
  expect_refusal({"gateway", "--direct", "--tun", "t0", "--netns", "--", "true"}, {"--tun NAME"});
  expect_refusal({"gateway", "--direct", "--netns"}, {"--netns runs a command"});
  expect_refusal({"gateway", "--direct", "--tun", "t0", "--", "true"}, {"--netns runs a command"});
  expect_refusal({"gateway", "--tun", "t0"}, {"--direct", "--socks5 ADDRESS:PORT"});
  expect_refusal({"gateway", "--tun", "t0", "--direct", "--socks5", "127.0.0.1:1080"},
                 {"--direct", "--socks5"});
  for (const char* proxy :
       {"proxy:1080", "127.0.0.1", "127.0.0.1:0", "me@127.0.0.1:1", ":x@[::1]:1"})
    expect_refusal({"gateway", "--tun", "t0", "--socks5", proxy}, {"--socks5", proxy});
  expect_refusal({"gateway", "--tun", "t0", "--direct", "--max-flows", "0"}, {"--max-flows '0'"});
}

TEST(Usage, HelpGoesToStandardOutput) {
  Outcome outcome = run({"--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const char* command :
       {"serve", "get", "connect", "listen", "gateway", "doctor", "version"}) {
    EXPECT_NE(outcome.out.find(command), std::string::npos) << command;
    Outcome help = run({command, "--help"});
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_NE(help.out.find("Usage: estab " + std::string(command)), std::string::npos) << help.out;
  }
}

TEST(Usage, RefusesWhatIsNoCommandOrOption) {
  expect_refusal({"sreve"}, {"there is no command `estab sreve`; did you mean 'serve'?",
                             "(see `estab --help`)"});
  expect_refusal({"frobnicate"}, {"there is no command `estab frobnicate` (see"});
  expect_refusal({"perf", "disk"}, {"there is no command `estab perf disk`; there is `estab perf "
                                    "memory` (see `estab perf --help`)"});
  expect_refusal({"perf"}, {"a command is missing (see `estab perf --help`)"});
  expect_refusal({"--loud"}, {"`estab` has no option '--loud'", "`estab --help`"});
  expect_refusal({"version", "--jsn"}, {"`estab version` has no option '--jsn'; did you mean "
                                        "'--json'?",
                                        "`estab version --help`"});
  expect_refusal({"serve", ".", "--prot=80"}, {"no option '--prot'; did you mean '--port'?"});
  expect_refusal({"version", "extra"}, {"unexpected argument 'extra'"});
  expect_refusal({"serve"}, {"DIR is required", "`estab serve --help`"});
  expect_refusal({"serve", ".", "--port"}, {"--port needs a value"});
  expect_refusal({"demo", "handshak"}, {"there is no case 'handshak'; did you mean 'handshake'?"});
  expect_refusal({"demo", "nonsense"}, {"the cases are handshake,"});
  expect_refusal({"a\x1b[2Jb"}, {"a\\x1b[2Jb"});
}

TEST(Usage, SaysWhatIsWrongWithAValueAndWhatToWrite) {
  expect_refusal({"serve", ".", "--port", "0"}, {"--port '0'", "too small; the least is 1"});
  expect_refusal({"serve", ".", "--port", "http"}, {"--port 'http'", "not a port"});
  expect_refusal({"serve", ".", "--address", "10.0.0.1/33"}, {"--address '10.0.0.1/33'"});
  expect_refusal({"serve", ".", "--host-address", "x"}, {"--host-address 'x'", "10.77.0.2/24"});
  expect_refusal({"serve", ".", "--link", "eth0"}, {"--link 'eth0'", "tun:estab0"});
  expect_refusal({"serve", ".", "--link", "tun:a-name-that-is-too-long"}, {"1 to 15 characters"});
  expect_refusal({"serve", ".", "--mtu", "70000"},
                 {"--mtu '70000'", "too large; the most is 65535"});
  expect_refusal({"serve", ".", "--offload", "maybe"}, {"--offload 'maybe'", "on or off"});
  expect_refusal({"serve", ".", "--seed", "x"}, {"--seed 'x'", "not a whole number"});
  expect_refusal({"serve", ".", "--seed", "18446744073709551616"},
                 {"too large; the most is 18446744073709551615"});
  expect_refusal({"serve", ".", "--seed", "-1"}, {"must not be negative"});
  expect_refusal({"serve", ".", "--keep-alive-count", "300"}, {"too large; the most is 255"});
  expect_refusal({"perf", "memory", "--idle", "many"}, {"--idle 'many'", "not a whole number"});
  expect_refusal({"perf", "memory", "--time", "1"}, {"--time '1'", "no unit"});
  expect_refusal({"perf", "memory", "--mtu", "9"}, {"--mtu '9'", "too small"});
  expect_refusal({"serve", ".", "--grace", "5"}, {"--grace '5'", "no unit"});
  expect_refusal({"serve", "/no/such/directory"}, {"/no/such/directory", "No such file"});
  expect_refusal({"get", "http://example.org/"},
                 {"'http://example.org/'", "names are not resolved"});
  expect_refusal({"get", "http://10.0.0.1/", "--range", "x"}, {"--range 'x'"});
  expect_refusal({"get", "http://10.0.0.1/", "--header", "x"}, {"--header 'x'", "Name: value"});
  expect_refusal({"get", "http://10.0.0.1/", "--timeout", "soon"}, {"--timeout 'soon'"});
  expect_refusal({"connect", "localhost", "80"}, {"'localhost'", "names are not resolved"});
  expect_refusal({"connect", "10.0.0.1", "99999"}, {"'99999'", "too large; the most is 65535"});
  expect_refusal({"listen", "80", "--source", "much"}, {"--source 'much'"});
  expect_refusal({"listen", "80", "--sink", "--echo"}, {"cannot be given together"});
}

// Nothing would come through; said before a link is made, so that no privilege is needed.
TEST(Usage, RefusesAddressesThatCannotWork) {
  expect_refusal({"serve", ".", "--address", "10.5.0.2/24", "--host-address", "10.5.0.2/24"},
                 {"--host-address '10.5.0.2/24'", "the stack's address too"});
  expect_refusal({"get", "http://10.5.0.1/", "--host-address", "10.77.0.2/24"},
                 {"--host-address '10.77.0.2/24'", "the stack's address too"});
  expect_refusal({"connect", "10.5.0.1", "80", "--gateway", "10.99.0.1"},
                 {"--gateway '10.99.0.1'", "not on the link", "10.77.0.2/24"});
  expect_refusal({"listen", "80", "--address", "10.5.0.0/24"},
                 {"--address '10.5.0.0/24'", "is the network itself", "10.5.0.1/24"});
}

// One way to write each kind of quantity, whatever the command.
TEST(Usage, ReadsDurationsEverywhereInTheSameWay) {
  const std::vector<std::vector<std::string>> commands = {
      {"get", "http://10.0.0.1/", "--timeout"},
      {"connect", "10.0.0.1", "80", "--timeout"},
      {"serve", ".", "--grace"},
      {"serve", ".", "--keep-alive"},
      {"serve", ".", "--msl"},
      {"demo", "handshake", "--delay"},
      {"perf", "memory", "--time"},
      {"drill", "x.pkt", "--tolerance"}};
  for (std::vector<std::string> command : commands) {
    command.push_back("60 parsecs");
    expect_refusal(command, {"'60 parsecs': unknown unit ' parsecs'; write a duration as 250us, "
                             "60ms, 1.5s, 2m or 1h"});
  }
}

TEST(Usage, VersionIsALineOrADocument) {
  Outcome text = run({"version"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_TRUE(text.out.starts_with("estab ")) << text.out;
  EXPECT_EQ(run({"--version"}).out, text.out);
  json document = json::parse(run({"version", "--json"}).out);
  EXPECT_EQ(document["schema"], "estab.version/1");
  for (const char* key : {"version", "commit", "compiler", "build_type"})
    EXPECT_TRUE(document.contains(key)) << key;
}

TEST(Doctor, SaysWhatEachMissingThingMeansAndWhatMendsIt) {
  for (User user : {User::same, User::nobody}) {
    Outcome outcome = run({"doctor", "--json"}, user);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    json document = json::parse(outcome.out);
    EXPECT_EQ(document["schema"], "estab.doctor/1");
    EXPECT_EQ(document["works"]["memory"], "yes");
    EXPECT_GE(document["findings"].size(), 9u);
    for (const json& finding : document["findings"]) {
      EXPECT_FALSE(finding["detail"].get<std::string>().empty()) << finding;
      if (!finding["present"]) {
        EXPECT_TRUE(finding.contains("meaning")) << finding;
        EXPECT_TRUE(!finding["needed"] || finding.contains("command")) << finding;
      }
    }
  }
}

TEST(Doctor, PrintsATableWithoutColourWhereThereIsNoTerminal) {
  Outcome outcome = run({"doctor"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos);
  EXPECT_NE(outcome.out.find("/dev/net/tun"), std::string::npos);
}

TEST(Doctor, LeavesNoTrace) {
  EXPECT_EQ(run({"doctor"}).out, run({"doctor"}).out);
}

TEST(Privilege, MissingEndsWithExitCode3AndTheCommandThatGivesIt) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"serve", "/"},
                                                    {"get", "http://10.77.0.1/"},
                                                    {"connect", "10.77.0.1", "80"},
                                                    {"listen", "80"}}) {
    Outcome outcome = run(arguments, User::nobody);
    EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
    EXPECT_NE(outcome.err.find("sudo "), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace estab::cli_test
