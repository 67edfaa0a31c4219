// The opening of a connection, as every command does it: a failure is one line that names who said
// so. Where a router has reported something, the peer is not to blame.
#pragma once

#include <expected>
#include <string>

#include "estab/host.h"

namespace estab::tools {

/// The connection; or why there is none: "192.0.2.1 says: host unreachable" if it was ICMP, else
/// the sentence of the error.
Task<std::expected<TcpStream, std::string>> open_connection(Host& host, Endpoint remote,
                                                            Duration limit = kForever);
/// The same, to be opened as it is said there.
Task<std::expected<TcpStream, std::string>> open_connection(Host& host, ConnectOptions options);

}  // namespace estab::tools
