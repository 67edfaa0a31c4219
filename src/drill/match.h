// Whether what the stack sent is what the script says. Both are in the script's numbers; what the
// script leaves open is not compared.
#pragma once

#include <optional>
#include <string>

#include "drill/script.h"

namespace estab::drill {

/// What is different, in words; nothing if `sent` is what `expected` asks for.
std::optional<std::string> difference(const PacketSpec& expected, const PacketSpec& sent);

/// The octets of payload that the two have in common stand in several segments of the same kind:
/// whether `next` goes on where `sent` ended, so that the two can be looked at as one (the flags
/// are those of the last, as an offload engine would leave them).
bool continues(const PacketSpec& sent, const PacketSpec& next);
void join(PacketSpec& sent, const PacketSpec& next);

}  // namespace estab::drill
