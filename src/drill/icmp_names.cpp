#include "drill/icmp_names.h"

#include <span>

#include "wire/icmp.h"

namespace estab::drill {
namespace {

struct TypeName {
  std::uint8_t type;
  std::string_view name;
};
struct CodeName {
  std::uint8_t type, code;
  std::string_view name;
};

// Where a number has several names, the first one is used in messages.
constexpr TypeName kTypesV4[] = {
    {0, "echo_reply"},          {3, "unreachable"},
    {4, "source_quench"},       {5, "redirect"},
    {8, "echo_request"},        {11, "time_exceeded"},
    {12, "parameter_problem"},  {13, "timestamp_request"},
    {14, "timestamp_reply"},    {15, "info_request"},
    {16, "info_reply"},         {17, "address_mask_request"},
    {18, "address_mask_reply"}, {4, "sourcequench"},
    {12, "parameterprob"},
};
constexpr TypeName kTypesV6[] = {
    {1, "unreachable"},       {2, "packet_too_big"}, {3, "time_exceeded"},
    {4, "parameter_problem"}, {128, "echo_request"}, {129, "echo_reply"},
};
constexpr CodeName kCodesV4[] = {
    {3, 0, "net_unreachable"},
    {3, 1, "host_unreachable"},
    {3, 2, "protocol_unreachable"},
    {3, 3, "port_unreachable"},
    {3, 4, "frag_needed"},
    {3, 5, "source_route_failed"},
    {3, 6, "net_unknown"},
    {3, 7, "host_unknown"},
    {3, 8, "source_host_isolated"},
    {3, 9, "net_prohibited"},
    {3, 10, "host_prohibited"},
    {3, 11, "net_unreachable_for_tos"},
    {3, 12, "host_unreachable_for_tos"},
    {3, 13, "packet_filtered"},
    {3, 14, "precedence_violation"},
    {3, 15, "precedence_cutoff"},
    {3, 2, "proto_unreachable"},
    {3, 13, "comm_prohibited"},
    {11, 0, "ttl_exceeded"},
    {11, 1, "reassembly_exceeded"},
    {11, 0, "exceeded_in_transit"},
    {11, 1, "reassembly_time_exceeded"},
    {11, 0, "ttl_exceeded_in_transit"},
    {11, 1, "ttl_exceeded_in_reassembly"},
};
constexpr CodeName kCodesV6[] = {
    {1, 0, "no_route"},
    {1, 1, "admin_prohibited"},
    {1, 2, "beyond_scope"},
    {1, 3, "address_unreachable"},
    {1, 4, "port_unreachable"},
    {1, 0, "noroute"},
    {1, 1, "adm_prohibited"},
    {1, 3, "addr_unreachable"},
    {1, 2, "not_neighbour"},
    {3, 0, "hop_limit_exceeded"},
    {3, 1, "reassembly_exceeded"},
    {4, 0, "erroneous_header"},
    {4, 1, "unknown_next_header"},
    {4, 2, "unknown_option"},
    {3, 0, "ttl_exceeded"},
    {4, 1, "proto_unreachable"},
};

std::span<const TypeName> types(Family family) {
  if (family == Family::ipv4) return kTypesV4;
  return kTypesV6;
}
std::span<const CodeName> codes(Family family) {
  if (family == Family::ipv4) return kCodesV4;
  return kCodesV6;
}

}  // namespace

std::optional<std::uint8_t> icmp_type(Family family, std::string_view name) {
  for (const TypeName& entry : types(family))
    if (entry.name == name) return entry.type;
  return std::nullopt;
}

std::optional<std::uint8_t> icmp_code(Family family, std::uint8_t type, std::string_view name) {
  for (const CodeName& entry : codes(family))
    if (entry.type == type && entry.name == name) return entry.code;
  return std::nullopt;
}

std::string icmp_type_name(Family family, std::uint8_t type) {
  for (const TypeName& entry : types(family))
    if (entry.type == type) return std::string(entry.name);
  return {};
}

std::string icmp_code_name(Family family, std::uint8_t type, std::uint8_t code) {
  for (const CodeName& entry : codes(family))
    if (entry.type == type && entry.code == code) return std::string(entry.name);
  return {};
}

}  // namespace estab::drill
