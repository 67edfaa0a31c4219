// A network namespace of one's own: interfaces made in it are seen by nobody else and go away with
// the process. Needs no right where user namespaces are allowed.
#pragma once

#include <optional>
#include <string>

namespace estab::tools {

/// Moves this process (it must have one thread) into a new network namespace; without root, into a
/// new user namespace as well, in which it is root. Says why if that is not possible here.
std::optional<std::string> enter_own_network_namespace();

}  // namespace estab::tools
