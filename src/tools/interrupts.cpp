#include "tools/interrupts.h"

#include <algorithm>
#include <csignal>

#include "tools/console.h"

namespace estab::tools {

Interrupts::Interrupts(Host& host, SignalActions actions)
    : host_(host), actions_(std::move(actions)) {
  for (int number : {SIGINT, SIGTERM, SIGHUP}) host_.spawn(watch(number), TaskKind::background);
  host_.spawn(tell_status(), TaskKind::background);
}

Task<> Interrupts::watch(int number) {
  while (true) {
    // Not in the loop's condition: g++ 12 leaves out a co_await there.
    auto came = co_await host_.signal(number);
    if (!came) co_return;
    if (!signal_) signal_ = number;
    if (++count_ == 1) {
      actions_.ask();
      continue;
    }
    actions_.insist();
    host_.stop();
    co_return;
  }
}

Task<> Interrupts::tell_status() {
  while (true) {
    auto came = co_await host_.signal(SIGUSR1);
    if (!came) co_return;
    log_line(actions_.status());
  }
}

ExitCode Interrupts::exit_code() const {
  return static_cast<ExitCode>(128 + signal_.value_or(0));
}

void Movement::add(const TcpStream& stream) {
  const auto info = stream.info();
  if (!info) return;
  octets += info->bytes_received + info->bytes_acked;
  has_under_way = has_under_way || info->unacked_bytes + info->notsent_bytes > 0;
  longest_rtt = std::max(longest_rtt, info->rtt);
}

Task<> wait_while_moving(Host& host, Duration limit, std::function<Movement()> look) {
  constexpr Duration kAtLeast = std::chrono::milliseconds(250);
  Movement before = look();
  while (limit > Duration::zero()) {
    const Duration turn = std::min(limit, std::max(kAtLeast, 2 * before.longest_rtt));
    co_await host.sleep(turn);
    if (limit != kForever) limit -= turn;
    const Movement now = look();
    if (now.octets == before.octets && !now.has_under_way) co_return;
    before = now;
  }
}

}  // namespace estab::tools
