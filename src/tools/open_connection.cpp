#include "tools/open_connection.h"

#include <utility>

namespace estab::tools {

namespace {

Task<std::expected<TcpStream, std::string>> complete(ConnectOperation& opening) {
  Result<TcpStream> stream = co_await std::move(opening);
  if (stream) co_return std::move(*stream);
  // Only its result has been moved out of it.
  // NOLINTNEXTLINE(bugprone-use-after-move)
  if (const auto& report = opening.icmp_report()) co_return std::unexpected(to_string(*report));
  co_return std::unexpected(std::string(message(stream.error())));
}

}  // namespace

Task<std::expected<TcpStream, std::string>> open_connection(Host& host, Endpoint remote,
                                                            Duration limit) {
  ConnectOperation opening = host.connect(remote, limit);
  co_return co_await complete(opening);
}

Task<std::expected<TcpStream, std::string>> open_connection(Host& host, ConnectOptions options) {
  ConnectOperation opening = host.connect(options);
  co_return co_await complete(opening);
}

}  // namespace estab::tools
