#include "tools/demo_conversation.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device/file_descriptor.h"

namespace estab::tools {

namespace {

using namespace std::chrono_literals;

// Longer than any delayed ACK, so that an acknowledgement does not wait for company.
constexpr Duration kPause = 100ms;
constexpr std::string_view kGreeting = "hello from the kernel\n";
constexpr std::string_view kAnswer = "hello from estab\n";
constexpr std::string_view kLastWord = "still talking after your FIN\n";

sockaddr_in socket_address(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  address.sin_addr.s_addr = htonl(endpoint.address.v4_number());
  return address;
}

class Conversation {
 public:
  Conversation(Host& host, Recorder& recorder) : host_(host), recorder_(recorder) {}

  Task<ConversationOutcome> play(const Endpoint& server) {
    auto listener = host_.listen(ListenOptions{.local = server, .tcp = {}});
    if (!listener) {
      outcome_.trouble = message(listener.error());
      co_return outcome_;
    }
    co_await open(server);
    if (outcome_.trouble.empty()) {
      auto accepted = co_await listener->accept();
      if (accepted) {
        stream_ = std::move(*accepted);
        co_await talk();
      } else {
        outcome_.trouble = message(accepted.error());
      }
    }
    socket_ = {};
    stream_ = {};
    for (int i = 0; i < 100 && host_.stack().census().time_wait > 0; ++i)
      co_await host_.sleep(kPause);
    co_return outcome_;
  }

 private:
  void remark(const std::string& text) { recorder_.note(host_.now(), 0, text); }

  void complain(const char* what) {
    if (outcome_.trouble.empty())
      outcome_.trouble = std::string(what) + ": " + std::strerror(errno);
  }

  Task<> open(Endpoint server) {
    socket_ =
        device::FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const sockaddr_in address = socket_address(server);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(socket_.number(), generic, sizeof address) != 0 && errno != EINPROGRESS) {
      complain("connect");
      co_return;
    }
    (void)co_await host_.writable(socket_.number());
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &length);
    errno = error;
    if (error != 0) complain("connect");
    co_await host_.sleep(kPause);
  }

  void kernel_says(std::string_view text) {
    if (::send(socket_.number(), text.data(), text.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(text.size()))
      complain("send");
  }

  Task<> stack_reads(std::size_t at_least) {
    std::array<std::uint8_t, 512> buffer;
    while (outcome_.heard_by_stack.size() < at_least) {
      const auto count = co_await stream_.read(buffer);
      if (!count) co_return;
      outcome_.heard_by_stack += as_text(Octets(buffer).first(*count));
    }
  }

  Task<> kernel_reads_to_end() {
    std::array<char, 512> buffer;
    while (true) {
      (void)co_await host_.readable(socket_.number());
      const ssize_t count = ::recv(socket_.number(), buffer.data(), buffer.size(), 0);
      if (count < 0 && errno == EAGAIN) continue;
      if (count < 0) complain("recv");
      if (count <= 0) co_return;
      outcome_.heard_by_kernel.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  Task<> talk() {
    kernel_says(kGreeting);
    co_await stack_reads(kGreeting.size());
    co_await host_.sleep(kPause);
    const Octets answer = as_octets(kAnswer);
    if (!co_await stream_.write_all(answer)) outcome_.trouble = "the answer could not be sent";
    co_await host_.sleep(kPause);
    remark("estab's application closes its direction.");
    (void)stream_.shutdown();
    co_await kernel_reads_to_end();
    co_await host_.sleep(kPause);
    kernel_says(kLastWord);
    co_await host_.sleep(kPause);
    ::shutdown(socket_.number(), SHUT_WR);
    co_await stack_reads(std::string::npos);
  }

  Host& host_;
  Recorder& recorder_;
  device::FileDescriptor socket_;
  TcpStream stream_;
  ConversationOutcome outcome_;
};

}  // namespace

Task<ConversationOutcome> converse_with_kernel(Host& host, Recorder& recorder,
                                               const Endpoint& server) {
  Conversation conversation(host, recorder);
  const Endpoint where = server;
  auto outcome = co_await conversation.play(where);
  co_return outcome;
}

}  // namespace estab::tools
