// The live commands against the kernel and its programs, in a network namespace of the test's own.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "tests/cli/program.h"

namespace estab::cli_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kLarge = 20'000'000;

std::string pattern(std::size_t octets) {
  std::string text(octets, '\0');
  for (std::size_t i = 0; i < octets; ++i)
    text[i] = static_cast<char>(i * 31 + i / 1009 + i / 70001);
  return text;
}

class Live : public testing::Test {
 protected:
  void SetUp() override {
    if (!enter_own_network().empty()) GTEST_SKIP() << enter_own_network();
    for (const char* program : {"/usr/bin/curl", "/usr/bin/nc"})
      if (access(program, X_OK) != 0) GTEST_SKIP() << "no " << program;
    std::string name = (fs::temp_directory_path() / "estab_live_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    write("small", "hello");
    write("large", pattern(kLarge));
  }
  void TearDown() override {
    if (!root_.empty()) fs::remove_all(root_);
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(root_ / name, std::ios::binary) << text;
  }
  /// A server that is ready.
  void serve(Arguments more = {}) {
    Arguments arguments{"estab", "serve", root_.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    server_.emplace(arguments);
    std::string line = server_->next_log_line();
    ASSERT_NE(line.find("serving"), std::string::npos) << line;
  }
  static Outcome curl(Arguments arguments) {
    arguments.insert(arguments.begin(), {"curl", "-sS", "--max-time", "60"});
    return Process(arguments).wait();
  }
  /// A link that is there before the program is, so that a program of the kernel's can listen.
  static void make_link() {
    Process({"sh", "-c",
             "ip tuntap add dev estab0 mode tun && ip addr add 10.77.0.1/24 dev estab0 && "
             "ip link set estab0 up"})
        .wait();
  }
  /// `nc` listening on the kernel's end, which gives `input` to whoever connects.
  void listen_with_nc(const std::string& input) {
    make_link();
    nc_.emplace(Arguments{"nc", "-n", "-v", "-N", "-l", "10.77.0.1", "8000"}, input);
    std::string line = nc_->next_log_line();
    ASSERT_NE(line.find("istening"), std::string::npos) << line;
  }

  fs::path root_;
  std::optional<Process> server_, nc_;
};

TEST_F(Live, CurlFetchesFilesOverBothFamiliesAndCtrlCEndsTheServerInGoodOrder) {
  serve({"--pcap", (root_ / "capture").string()});
  EXPECT_EQ(curl({"http://10.77.0.2/small"}).out, "hello");
  EXPECT_TRUE(curl({"http://10.77.0.2/large"}).out == pattern(kLarge));
  EXPECT_TRUE(curl({"-g", "http://[fd77::2]/large"}).out == pattern(kLarge));
  EXPECT_EQ(curl({"-r", "1000-1999", "http://10.77.0.2/large"}).out,
            pattern(kLarge).substr(1000, 1000));
  Outcome head = curl({"-I", "http://10.77.0.2/large"});
  EXPECT_NE(head.out.find("Content-Length: 20000000"), std::string::npos) << head.out;
  server_->signal(SIGINT);
  Outcome ended = server_->wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.err.find("\"GET /small HTTP/1.1\" 200 5"), std::string::npos) << ended.err;
  EXPECT_GT(fs::file_size(root_ / "capture"), kLarge);
}

TEST_F(Live, WorksWithoutOffloadsAndWithOtherMtus) {
  for (const char* mtu : {"576", "1280", "9000", "65535"}) {
    serve({"--offload", "off", "--mtu", mtu, "--address", "10.77.0.2/24", "--host-address",
           "10.77.0.1/24"});
    EXPECT_TRUE(curl({"http://10.77.0.2/large"}).out == pattern(kLarge)) << mtu;
    server_->signal(SIGTERM);
    EXPECT_EQ(server_->wait().exit_code, 0) << mtu;
  }
}

TEST_F(Live, CurlUsesOneConnectionForSeveralRequests) {
  serve();
  Outcome outcome = curl({"-o", "/dev/null", "-w", "%{num_connects} ", "http://10.77.0.2/small",
                          "-o", "/dev/null", "http://10.77.0.2/large"});
  EXPECT_EQ(outcome.out, "1 0 ");
}

TEST_F(Live, AClientThatHalfClosesGetsTheWholeAnswer) {
  serve();
  Outcome answer =
      Process({"nc", "-N", "10.77.0.2", "80"}, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n").wait();
  EXPECT_TRUE(answer.out.ends_with(pattern(kLarge)));
  EXPECT_EQ(answer.exit_code, 0);
}

TEST_F(Live, ASecondCtrlCAborts) {
  serve({"--quiet", "--grace", "1h"});
  Process slow({"curl", "-sS", "--limit-rate", "100k", "http://10.77.0.2/large", "-o",
                (root_ / "slow").string()});
  while (!fs::exists(root_ / "slow") || fs::file_size(root_ / "slow") == 0) usleep(10'000);
  server_->signal(SIGINT);
  EXPECT_NE(server_->next_log_line().find("ending"), std::string::npos);
  server_->signal(SIGINT);
  EXPECT_EQ(server_->wait().exit_code, 130);
  EXPECT_EQ(slow.wait().exit_code, 56);  // curl's "connection reset"
}

TEST_F(Live, GetWritesTheBodyAndReports) {
  listen_with_nc("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kLarge) + "\r\n\r\n" +
                 pattern(kLarge));
  std::string file = (root_ / "got").string();
  Outcome outcome = run({"get", "http://10.77.0.1:8000/x", "-o", file, "--json", "--sha256",
                         "--header", "X-Test: 1", "--range", "0-"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  json document = json::parse(outcome.out);
  EXPECT_EQ(document["schema"], "estab.get/1");
  EXPECT_EQ(document["octets"], kLarge);
  EXPECT_EQ(document["sha256"].get<std::string>().size(), 64u);
  std::ifstream got(file, std::ios::binary);
  EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(got), {}) == pattern(kLarge));
  EXPECT_EQ(nc_->wait().out,
            "GET /x HTTP/1.1\r\nHost: 10.77.0.1:8000\r\nUser-Agent: estab\r\nAccept: */*\r\n"
            "Connection: close\r\nRange: bytes=0-\r\nX-Test: 1\r\n\r\n");
}

TEST_F(Live, GetPrintsTheBodyOnStandardOutput) {
  listen_with_nc(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
  Outcome outcome = run({"get", "http://10.77.0.1:8000/", "--json"});
  EXPECT_EQ(outcome.out, "hello!");
  EXPECT_EQ(json::parse(outcome.err)["octets"], 6);
}

TEST_F(Live, GetEndsWith1WhenTheServerErrsOrStopsShort) {
  listen_with_nc("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  Outcome missing = run({"get", "http://10.77.0.1:8000/"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_EQ(missing.out, "");
  EXPECT_EQ(missing.err, "estab: http://10.77.0.1:8000/: 404 Not Found\n");
  nc_.reset();
  listen_with_nc("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  Outcome shorter = run({"get", "http://10.77.0.1:8000/"});
  EXPECT_EQ(shorter.exit_code, 1);
  EXPECT_NE(shorter.err.find("before the end of the body"), std::string::npos) << shorter.err;
  nc_.reset();
  Outcome refused = run({"get", "http://10.77.0.1:8000/"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("refused"), std::string::npos) << refused.err;
}

TEST_F(Live, GetEndsWith124AtItsDeadline) {
  Outcome outcome = run({"get", "http://10.77.0.99/", "--timeout", "50ms"});
  EXPECT_EQ(outcome.exit_code, 124);
  EXPECT_NE(outcome.err.find("not finished within 50.0 ms"), std::string::npos) << outcome.err;
}

TEST_F(Live, ConnectAndListenCarryBothDirectionsToTheirEnds) {
  std::string ours = pattern(3'000'000), theirs = pattern(5'000'000);
  std::ranges::reverse(theirs);
  listen_with_nc(theirs);
  Process connect({"estab", "connect", "10.77.0.1", "8000"}, ours);
  Outcome outcome = connect.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  // A listening nc ends as soon as its peer's direction has ended, whatever it still had to send.
  EXPECT_TRUE(theirs.starts_with(outcome.out));
  EXPECT_TRUE(nc_->wait().out == ours);

  Process listen({"estab", "listen", "7"}, ours);
  ASSERT_NE(listen.next_log_line().find("listening"), std::string::npos);
  Outcome client = Process({"nc", "-N", "10.77.0.2", "7"}, theirs).wait();
  EXPECT_TRUE(client.out == ours);
  Outcome listened = listen.wait();
  EXPECT_EQ(listened.exit_code, 0) << listened.err;
  EXPECT_TRUE(listened.out == theirs);
}

TEST_F(Live, ListenKeepsTakingConnections) {
  Process listen({"estab", "listen", "7", "--keep"});
  ASSERT_NE(listen.next_log_line().find("listening"), std::string::npos);
  for (const char* text : {"one", "two", "three"})
    EXPECT_EQ(Process({"nc", "-N", "10.77.0.2", "7"}, text).wait().exit_code, 0);
  listen.signal(SIGTERM);
  Outcome outcome = listen.wait();
  EXPECT_EQ(outcome.exit_code, 128 + SIGTERM);
  EXPECT_EQ(outcome.out, "onetwothree");
}

TEST_F(Live, ASinkCountsWhatItTakes) {
  Process sink({"estab", "listen", "7", "--sink", "--json"});
  ASSERT_NE(sink.next_log_line().find("listening"), std::string::npos);
  Process first({"nc", "-N", "10.77.0.2", "7"}, pattern(1'000'000));
  Process second({"nc", "-N", "10.77.0.2", "7"}, pattern(2'000'000));
  EXPECT_EQ(first.wait().exit_code + second.wait().exit_code, 0);
  sink.signal(SIGINT);
  json document = json::parse(sink.wait().out);
  EXPECT_EQ(document["connections"], 2);
  EXPECT_EQ(document["received_octets"], 3'000'000);
  EXPECT_EQ(document["connections_failed"], 0);
}

TEST_F(Live, ALinkThatSomebodyElseHoldsIsNotTaken) {
  serve();
  Outcome second = run({"serve", root_.string()});
  EXPECT_NE(second.exit_code, 0);
  EXPECT_NE(second.err.find("estab0"), std::string::npos) << second.err;
}

// RFC 5461 §4.1: whoever waits is told at once, and by whom.
TEST_F(Live, GetAndConnectSayWhichRouterCallsTheHostUnreachable) {
  Process({"sh", "-c",
           "echo 1 > /proc/sys/net/ipv4/ip_forward; "
           "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; "
           "ip route add unreachable 10.88.0.0/24; ip route add prohibit 10.89.0.0/24; "
           "ip -6 route add unreachable fd88::/64; ip -6 route add prohibit fd89::/64"})
      .wait();
  struct Case {
    std::string host, says;
  };
  for (const Case& c :
       {Case{"10.88.0.1", "10.77.0.1 says: host unreachable"},
        Case{"10.89.0.1", "10.77.0.1 says: communication administratively prohibited"},
        Case{"10.90.0.1", "10.77.0.1 says: network unreachable"},
        Case{"fd88::1", "fd77::1 says: no route to destination"},
        Case{"fd89::1", "fd77::1 says: communication administratively prohibited"}}) {
    const bool v4 = c.host.find(':') == std::string::npos;
    const std::string in_url = v4 ? c.host : "[" + c.host + "]";
    const Outcome connected = run({"connect", c.host, "80"});
    EXPECT_EQ(connected.exit_code, 1);
    EXPECT_EQ(connected.err, "estab: " + in_url + ":80: " + c.says + "\n");
    const Outcome got = run({"get", "http://" + in_url + "/"});
    EXPECT_EQ(got.exit_code, 1);
    EXPECT_EQ(got.err, "estab: http://" + in_url + "/: " + c.says + "\n");
  }
}

}  // namespace
}  // namespace estab::cli_test
