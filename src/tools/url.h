// The URLs `estab get` reads: http://ADDRESS[:PORT][/PATH][?QUERY], the address a literal (RFC 3986
// §3.2.2), because the stack has no name resolution.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "estab/address.h"

namespace estab::tools {

struct Url {
  Endpoint server;
  std::string authority;  ///< for the Host field: as written, without the user's part
  std::string target;     ///< path and query, at least "/"
  friend bool operator==(const Url&, const Url&) = default;
};

/// The error says what is wrong and what to write instead.
std::expected<Url, std::string> parse_url(std::string_view text);

/// The last segment of the path, percent-decoded, for naming a file; "index.html" if empty.
std::string file_name(const Url& url);

}  // namespace estab::tools
