// What any client may send to `estab serve`, over a whole Host and TCP in memory. The first octet
// says in how large pieces the rest is sent. Laws: the server answers with HTTP or not at all, ends
// the connection, and keeps nothing of it.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "estab/host.h"

#include "tools/http_server.h"

namespace {

using namespace estab;
using namespace std::chrono_literals;

constexpr IpAddress kClient = IpAddress::v4(10, 0, 0, 1), kServer = IpAddress::v4(10, 0, 0, 2);

void require(bool holds) {
  if (!holds) std::abort();
}

/// The wire: what one end sends is at the other in the same moment.
class Wire final : public Device {
 public:
  Wire(Stack& client, InterfaceId interface) : client_(client), interface_(interface) {}
  InterfaceConfig interface_config() const override { return {.name = "fuzz"}; }
  int descriptor() const override { return -1; }
  bool ready() const override { return true; }
  bool flush() override { return true; }
  std::size_t receive(Instant now, Stack& stack, InterfaceId interface,
                      std::size_t burst) override {
    std::size_t count = 0;
    for (; count < burst && client_.poll_transmit(now, frame_); ++count) {
      octets_.resize(frame_.size());
      frame_.copy_to(octets_.data());
      stack.handle_frame(now, interface, {.octets = octets_});
    }
    return count;
  }
  void transmit(Instant now, const TransmitFrame& frame) override {
    octets_.resize(frame.size());
    frame.copy_to(octets_.data());
    client_.handle_frame(now, interface_, {.octets = octets_});
  }

 private:
  Stack& client_;
  InterfaceId interface_;
  TransmitFrame frame_;
  std::vector<std::uint8_t> octets_;
};

/// A folder with a file and a folder in it, for as long as the program runs.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "estab_fuzz_XXXXXX").string();
    require(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
    std::ofstream(path_ / "a.txt", std::ios::binary) << std::string(3000, 'a');
    std::filesystem::create_directory(path_ / "d");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

HostOptions host_options() {
  HostOptions options;
  options.seed = {1, 2};
  return options;
}

struct Session {
  Session() : client(client_config()), host(host_options()) {
    const InterfaceId own = client.add_interface({.name = "fuzz"});
    require(client.add_address(own, {kClient, 24}).has_value());
    const InterfaceId link = host.add_device(std::make_unique<Wire>(client, own));
    require(host.add_address(link, {kServer, 24}).has_value());
    static const Folder folder;
    tools::HttpServerOptions options;
    options.request = {.line = 300, .head = 1000, .fields = 10};
    server = std::make_unique<tools::HttpServer>(host, *tools::ServedFiles::open(folder.path()),
                                                 std::move(options));
    server->serve(*host.listen(80));
    const ConnectOptions to{.remote = {kServer, 80}};
    stream = *client.connect(host.now(), to);
  }
  static StackConfig client_config() {
    StackConfig config;
    config.seed = {3, 4};
    return config;
  }
  void round() {
    host.run_once(Duration::zero());
    client.handle_deadline(host.now());
    while (client.poll_event()) {
    }
    std::array<std::uint8_t, 4096> buffer;
    while (const auto got = client.recv(host.now(), stream, buffer))
      answer += as_text(Octets(buffer).first(*got));
  }
  bool over() const { return client.at_end(stream) || client.state(stream) == State::closed; }

  Stack client;
  Host host;
  std::unique_ptr<tools::HttpServer> server;
  StreamId stream;
  std::string answer;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Octets rest(data + 1, size - 1);
  const std::size_t piece = data[0] == 0 ? rest.size() : data[0];
  Session session;
  for (int i = 0; i < 4; ++i) session.round();
  while (!rest.empty() && !session.over()) {
    const auto sent = session.client.send(session.host.now(), session.stream,
                                          rest.first(std::min(piece, rest.size())));
    if (!sent) break;
    rest = rest.subspan(*sent);
    session.round();
  }
  (void)session.client.shutdown(session.host.now(), session.stream);
  for (int i = 0; i < 100 && !session.over(); ++i) session.round();
  for (int i = 0; i < 10; ++i) session.round();
  require(session.over());
  require(session.answer.empty() || session.answer.starts_with("HTTP/1.1 "));
  require(session.server->connections() == 0);
  session.server->abort();
  return 0;
}
