#include "oracle/player.h"

#include <cerrno>
#include <optional>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "oracle/kernel_namespace.h"

namespace estab::oracle {

namespace {

constexpr std::uint16_t kListenPort = 8080, kConnectPort = 9090, kPeerPort = 40000;
constexpr int kBacklog = 16;

bool connects(const Sequence& sequence) {
  for (const Step& step : sequence.steps)
    if (const auto* call = std::get_if<CallStep>(&step); call != nullptr)
      if (call->call == CallStep::Call::connect) return true;
  return false;
}

FourTuple tuple_for(const Sequence& sequence, std::uint32_t number) {
  FourTuple tuple;
  tuple.local_address = kernel_address(sequence.family);
  tuple.remote_address = peer_address(sequence.family, number);
  tuple.local_port = connects(sequence) ? kConnectPort : kListenPort;
  tuple.remote_port = kPeerPort;
  return tuple;
}

Octets octets_of(const auto& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

// The application: one listener, one stream.
class Application {
 public:
  /// What a call upon no stream gives: none is made.
  static constexpr std::int64_t kNoStream = -2;

  Application(Subject& subject, const FourTuple& tuple) : subject_(subject), tuple_(tuple) {}

  CallResult make(const CallStep& step);
  void let_go();

 private:
  int domain() const { return tuple_.family() == Family::ipv4 ? AF_INET : AF_INET6; }
  std::optional<int> bound_socket();
  CallResult listen();
  CallResult accept();
  CallResult connect();
  CallResult write(std::uint32_t amount, int flags);
  CallResult read(std::uint32_t amount, int flags);
  CallResult close();
  CallResult abort();
  CallResult close_listener();
  CallResult number_of(unsigned long request);
  CallResult socket_error();
  CallResult poll();

  static CallResult result(const posix::Outcome& outcome) { return {outcome.value, outcome.error}; }

  Subject& subject_;
  FourTuple tuple_;
  int listener_ = -1, stream_ = -1;
  std::uint32_t written_ = 0;
};

std::optional<int> Application::bound_socket() {
  const posix::Outcome made = subject_.socket(domain());
  if (made.value < 0) return std::nullopt;
  const int fd = static_cast<int>(made.value), on = 1;
  (void)subject_.set_option(fd, SOL_SOCKET, SO_REUSEADDR, octets_of(on));
  if (subject_.bind(fd, tuple_.local()).value == 0) return fd;
  (void)subject_.close(fd);
  return std::nullopt;
}

CallResult Application::listen() {
  if (listener_ >= 0) return {};
  const auto fd = bound_socket();
  if (!fd) return {-1, EADDRINUSE};
  listener_ = *fd;
  return result(subject_.listen(listener_, kBacklog));
}

CallResult Application::accept() {
  if (stream_ >= 0) return {};
  const posix::Outcome outcome = subject_.accept(listener_);
  if (outcome.value < 0) return result(outcome);
  stream_ = static_cast<int>(outcome.value);
  written_ = 0;
  return {};  // the number of the descriptor means nothing
}

CallResult Application::connect() {
  if (stream_ < 0) {
    const auto fd = bound_socket();
    if (!fd) return {-1, EADDRINUSE};
    stream_ = *fd;
    written_ = 0;
  }
  return result(subject_.connect(stream_, tuple_.remote()));
}

CallResult Application::write(std::uint32_t amount, int flags) {
  OctetVector octets(amount);
  for (std::uint32_t i = 0; i < amount; ++i)
    octets[i] = pattern(Direction::from_host, 1 + written_ + i);
  const posix::Outcome outcome = subject_.send(stream_, octets, flags);
  if (outcome.value > 0) written_ += static_cast<std::uint32_t>(outcome.value);
  return result(outcome);
}

CallResult Application::read(std::uint32_t amount, int flags) {
  OctetVector octets(amount);
  const posix::Outcome outcome = subject_.recv(stream_, octets, flags);
  CallResult read = result(outcome);
  if (outcome.value <= 0) return read;
  for (std::int64_t i = 0; i < outcome.value; ++i)  // FNV-1a
    read.digest = (read.digest ^ octets[static_cast<std::size_t>(i)]) * 16777619u;
  return read;
}

CallResult Application::abort() {
  const linger now{1, 0};
  (void)subject_.set_option(stream_, SOL_SOCKET, SO_LINGER, octets_of(now));
  return close();
}

CallResult Application::close() {
  const CallResult closed = result(subject_.close(stream_));
  stream_ = -1;
  return closed;
}

CallResult Application::close_listener() {
  const CallResult closed = result(subject_.close(listener_));
  listener_ = -1;
  return closed;
}

CallResult Application::number_of(unsigned long request) {
  int number = 0;
  const CallResult asked = result(subject_.ioctl(stream_, request, &number));
  return asked.value < 0 ? asked : CallResult{number, 0};
}

CallResult Application::socket_error() {
  int error = 0;
  const CallResult asked = result(subject_.get_option(
      stream_, SOL_SOCKET, SO_ERROR, {reinterpret_cast<std::uint8_t*>(&error), sizeof error}));
  return asked.value < 0 ? asked : CallResult{0, error};
}

CallResult Application::poll() {
  const int fd = stream_ >= 0 ? stream_ : listener_;
  return result(subject_.poll(fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP));
}

CallResult Application::make(const CallStep& step) {
  using Call = CallStep::Call;
  const int on = 1;
  switch (step.call) {
    case Call::listen:
      return listen();
    case Call::accept:
      return accept();
    case Call::connect:
      return connect();
    case Call::close_listener:
      return listener_ < 0 ? CallResult{} : close_listener();
    case Call::poll:
      return stream_ < 0 && listener_ < 0 ? CallResult{} : poll();
    default:
      break;
  }
  if (stream_ < 0) return {kNoStream};
  switch (step.call) {
    case Call::write:
      return write(step.amount, 0);
    case Call::write_urgent:
      return write(step.amount, MSG_OOB);
    case Call::read:
      return read(step.amount, 0);
    case Call::peek:
      return read(step.amount, MSG_PEEK);
    case Call::read_urgent:
      return read(1, MSG_OOB);
    case Call::shutdown_read:
      return result(subject_.shutdown(stream_, SHUT_RD));
    case Call::shutdown_write:
      return result(subject_.shutdown(stream_, SHUT_WR));
    case Call::shutdown_both:
      return result(subject_.shutdown(stream_, SHUT_RDWR));
    case Call::close:
      return close();
    case Call::abort:
      return abort();
    case Call::no_delay:
      return result(subject_.set_option(stream_, IPPROTO_TCP, TCP_NODELAY, octets_of(on)));
    case Call::socket_error:
      return socket_error();
    case Call::unread:
      return number_of(FIONREAD);
    default:
      return {};
  }
}

void Application::let_go() {
  if (stream_ >= 0) (void)abort();
  if (listener_ >= 0) (void)close_listener();
}

}  // namespace

Played play(Subject& subject, const Sequence& sequence, const ReceiveRoom& room,
            std::uint32_t number) {
  Conversation conversation(tuple_for(sequence, number), sequence.isn);
  subject.begin(conversation.tuple(), room);
  Application application(subject, conversation.tuple());
  Played played{.answers = {}, .room = room, .resolved = {}};
  OctetVector frame;
  for (const Step& step : sequence.steps) {
    Answer answer;
    Conversation::Resolved resolved{};
    if (const auto* call = std::get_if<CallStep>(&step)) {
      answer.call = application.make(*call);
    } else if (const auto* segment = std::get_if<SegmentStep>(&step)) {
      resolved = conversation.resolve(*segment);
      subject.inject(conversation.make(*segment));
    } else if (const auto* icmp = std::get_if<IcmpStep>(&step)) {
      resolved = conversation.resolve(*icmp);
      subject.inject(conversation.make(*icmp));
    } else {
      subject.wait(std::get<WaitStep>(step).span);
    }
    while (subject.take_frame(frame)) conversation.read(frame, answer);
    answer.state = subject.state();
    played.answers.push_back(std::move(answer));
    played.resolved.push_back(resolved);
  }
  if (conversation.first_window() > 0)
    played.room = {conversation.first_window(), conversation.host_shift().value_or(room.shift)};
  application.let_go();
  subject.end(conversation.make_reset());
  return played;
}

}  // namespace estab::oracle
