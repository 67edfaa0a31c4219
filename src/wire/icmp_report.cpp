#include "estab/icmp_report.h"

#include <span>

#include "wire/icmp.h"

namespace estab {
namespace {

struct Row {
  std::uint8_t type, code;
  std::string_view meaning;
};

// RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1.
constexpr Row kV4[] = {
    {wire::icmp_v4::kUnreachable, 0, "network unreachable"},
    {wire::icmp_v4::kUnreachable, 1, "host unreachable"},
    {wire::icmp_v4::kUnreachable, 2, "protocol unreachable"},
    {wire::icmp_v4::kUnreachable, 3, "port unreachable"},
    {wire::icmp_v4::kUnreachable, 4, "fragmentation needed"},
    {wire::icmp_v4::kUnreachable, 5, "source route failed"},
    {wire::icmp_v4::kUnreachable, 6, "destination network unknown"},
    {wire::icmp_v4::kUnreachable, 7, "destination host unknown"},
    {wire::icmp_v4::kUnreachable, 8, "source host isolated"},
    {wire::icmp_v4::kUnreachable, 9, "network administratively prohibited"},
    {wire::icmp_v4::kUnreachable, 10, "host administratively prohibited"},
    {wire::icmp_v4::kUnreachable, 11, "network unreachable for this type of service"},
    {wire::icmp_v4::kUnreachable, 12, "host unreachable for this type of service"},
    {wire::icmp_v4::kUnreachable, 13, "communication administratively prohibited"},
    {wire::icmp_v4::kUnreachable, 14, "host precedence violation"},
    {wire::icmp_v4::kUnreachable, 15, "precedence cutoff in effect"},
    {wire::icmp_v4::kTimeExceeded, wire::kTtlExceeded, "time to live exceeded in transit"},
    {wire::icmp_v4::kTimeExceeded, wire::kReassemblyExceeded, "reassembly time exceeded"},
    {wire::icmp_v4::kParameterProblem, 0, "parameter problem"},
    {wire::icmp_v4::kParameterProblem, 1, "a required option is missing"},
    {wire::icmp_v4::kParameterProblem, 2, "bad length"},
};

// RFC 4443 §3, RFC 6554 §3.1, RFC 7112 §6.
constexpr Row kV6[] = {
    {wire::icmp_v6::kUnreachable, 0, "no route to destination"},
    {wire::icmp_v6::kUnreachable, 1, "communication administratively prohibited"},
    {wire::icmp_v6::kUnreachable, 2, "beyond scope of source address"},
    {wire::icmp_v6::kUnreachable, 3, "address unreachable"},
    {wire::icmp_v6::kUnreachable, 4, "port unreachable"},
    {wire::icmp_v6::kUnreachable, 5, "source address failed ingress/egress policy"},
    {wire::icmp_v6::kUnreachable, 6, "reject route to destination"},
    {wire::icmp_v6::kUnreachable, 7, "error in source routing header"},
    {wire::icmp_v6::kPacketTooBig, 0, "packet too big"},
    {wire::icmp_v6::kTimeExceeded, wire::kTtlExceeded, "hop limit exceeded in transit"},
    {wire::icmp_v6::kTimeExceeded, wire::kReassemblyExceeded, "fragment reassembly time exceeded"},
    {wire::icmp_v6::kParameterProblem, 0, "erroneous header field"},
    {wire::icmp_v6::kParameterProblem, 1, "unrecognized next header"},
    {wire::icmp_v6::kParameterProblem, 2, "unrecognized IPv6 option"},
    {wire::icmp_v6::kParameterProblem, 3, "incomplete header chain"},
};

}  // namespace

std::string_view meaning(const IcmpReport& report) {
  const std::span<const Row> rows =
      report.from.is_v4() ? std::span<const Row>(kV4) : std::span<const Row>(kV6);
  for (const Row& row : rows)
    if (row.type == report.type && row.code == report.code) return row.meaning;
  return "an unknown error";
}

std::string to_string(const IcmpReport& report) {
  return to_string(report.from) + " says: " + std::string(meaning(report));
}

}  // namespace estab
