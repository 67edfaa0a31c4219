#include "tools/pipe_session.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

#include "tools/units.h"

namespace estab::tools {
namespace {

constexpr std::size_t kInputBuffer = 64 << 10;

}  // namespace

std::expected<PipeTotals, std::string> PipeSession::run() {
  host_.spawn(receive());
  // Standard input may never say a word more: whoever ends the session stops the host, which ends
  // this call.
  static_cast<void>(host_.block_on(send_input()));
  while (!received_all_ && !interrupted_) host_.run_once();
  if (!received_all_) {
    static_cast<void>(host_.block_on(fall_quiet()));
    stream_.abort();
  }
  while (!received_all_) host_.run_once();
  stream_.close();
  if (failure_ && !interrupted_) return std::unexpected(*failure_);
  return totals_;
}

void PipeSession::fail(std::string why) {
  if (!failure_) failure_ = std::move(why);
  stream_.abort();
  host_.stop();
}

Task<> PipeSession::send_input() {
  std::array<std::uint8_t, kInputBuffer> buffer;
  while (true) {
    static_cast<void>(co_await host_.readable(STDIN_FILENO));
    ssize_t n = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n < 0) fail(std::string("cannot read standard input: ") + std::strerror(errno));
    if (n <= 0) break;
    auto octets = Octets(buffer).first(static_cast<std::size_t>(n));
    auto sent = co_await stream_.write_all(octets, SendMode::push);
    if (!sent) co_return;  // receive() sees the same, and says so
    totals_.sent_octets += octets.size();
  }
  static_cast<void>(stream_.shutdown());
}

// The peer says no more: where standard output is a socket, as under inetd, its reader is told now,
// and not when this program ends. Of a file or a pipe the call thinks nothing.
void PipeSession::end_output() {
  static_cast<void>(::shutdown(output_.descriptor(), SHUT_WR));
}

Task<> PipeSession::receive() {
  while (true) {
    auto views = co_await stream_.peek();
    if (!views && views.error() == Error::end_of_stream) end_output();
    if (!views && views.error() != Error::end_of_stream) fail(std::string(message(views.error())));
    if (!views) break;
    auto written = output_.try_write(*views);
    if (!written) fail("cannot write to standard output: " + written.error());
    if (!written) break;
    totals_.received_octets += *written;
    static_cast<void>(stream_.consume(*written));
    if (*written == 0) static_cast<void>(co_await host_.writable(output_.descriptor()));
  }
  received_all_ = true;
  if (interrupted_) host_.stop();
}

void PipeSession::stop() {
  interrupted_ = true;
  static_cast<void>(stream_.shutdown());
  host_.stop();
}

// receive() ends this wait when the peer's FIN has come.
Task<> PipeSession::fall_quiet() {
  co_await wait_while_moving(host_, kGrace, [this] {
    Movement movement;
    movement.add(stream_);
    return movement;
  });
}

void PipeSession::abort() {
  interrupted_ = true;
  stream_.abort();
}

std::string PipeSession::status() const {
  return "received " + format_size(totals_.received_octets) + ", sent " +
         format_size(totals_.sent_octets);
}

}  // namespace estab::tools
