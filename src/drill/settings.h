// Settings of Linux's and FreeBSD's kernels, by the names sysctl has for them, and what each means
// for this stack.
#pragma once

#include <string>
#include <string_view>

#include "estab/config.h"

namespace estab::drill {

enum class Applied : std::uint8_t {
  yes,
  harmless,  ///< known; nothing here depends on it, or it asks for what is so anyway
  refused,   ///< known, and the stack cannot be made to do that
  unknown,
};

Applied apply_setting(StackConfig& config, std::string_view name, std::string_view value);

/// Whether a setting is one of FreeBSD's.
bool is_freebsd_setting(std::string_view name);

}  // namespace estab::drill
