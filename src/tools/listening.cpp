#include "tools/listening.h"

#include <CLI/CLI.hpp>

namespace estab::tools {

namespace {
/// Connections that a SYN alone has opened and no ACK yet.
constexpr std::uint32_t kPending = 256;
}  // namespace

void add_fast_open_flag(CLI::App& command, FastOpening& fast_open) {
  command.add_flag_callback(
      "--fast-open", [&fast_open] { fast_open = FastOpening::on; },
      "Take what SYNs with a good cookie carry (TCP Fast Open)");
}

ListenOptions listen_options(const Host& host, std::uint16_t port, FastOpening fast_open) {
  ListenOptions options{.local = {IpAddress(), port}, .backlog = 4096};
  if (fast_open == FastOpening::off) return options;
  options.tcp = host.stack().config().tcp;
  options.tcp->fast_open.pending = kPending;
  return options;
}

}  // namespace estab::tools
