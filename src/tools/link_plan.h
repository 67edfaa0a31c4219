// The addresses of a link's two ends, and the router behind it, judged before anything is made of
// them. Law: what cannot work whatever the rest of the machine does is refused with the reason.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "estab/address.h"

namespace estab::tools {

struct LinkPlan {
  std::vector<Cidr> stack;   ///< --address
  std::vector<Cidr> kernel;  ///< --host-address
  std::optional<IpAddress> gateway{};
};

/// What is wrong with it, beginning with the option; nothing if it can work.
std::optional<std::string> find_fault(const LinkPlan& plan);

/// The first address of the stack's that lies on no network of the kernel's end, if none does:
/// only a route of the administrator's leads there.
std::optional<IpAddress> unreachable_address(const std::vector<Cidr>& stack,
                                             const std::vector<Cidr>& kernel);

}  // namespace estab::tools
