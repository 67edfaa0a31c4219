// How `serve` and `listen` listen.
#pragma once

#include <cstdint>

#include "estab/host.h"

namespace CLI {
class App;
}

namespace estab::tools {

/// TCP Fast Open (RFC 7413) where it is listened.
enum class FastOpening : std::uint8_t { off, on };

/// Adds `--fast-open`.
void add_fast_open_flag(CLI::App& command, FastOpening& fast_open);

/// At any address.
ListenOptions listen_options(const Host& host, std::uint16_t port, FastOpening fast_open);

}  // namespace estab::tools
