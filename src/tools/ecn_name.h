// Which feedback of marks a connection uses, by the name one types: off, classic, accurate.
#pragma once

#include <string_view>

#include "estab/config.h"

#include "tools/units.h"

namespace estab::tools {

enum class EcnChoice : std::uint8_t {
  unsaid,    ///< as the settings have it: AccECN (RFC 9768) if the peer asks for it
  off,       ///< not even then
  classic,   ///< asked for, as RFC 3168 has it
  accurate,  ///< asked for, with RFC 3168 for peers that know no better
};

inline Read<EcnChoice> parse_ecn(std::string_view text) {
  if (text == "off") return EcnChoice::off;
  if (text == "classic") return EcnChoice::classic;
  if (text == "accurate") return EcnChoice::accurate;
  return std::unexpected("write off, classic or accurate");
}

inline std::string_view name_of(EcnChoice choice) {
  switch (choice) {
    case EcnChoice::unsaid:
      return "default";
    case EcnChoice::off:
      return "off";
    case EcnChoice::classic:
      return "classic";
    case EcnChoice::accurate:
      return "accurate";
  }
  return {};
}

inline void set_ecn(TcpConfig& config, EcnChoice choice) {
  if (choice == EcnChoice::unsaid) return;
  config.ecn = choice == EcnChoice::off ? Ecn::off : Ecn::request;
  config.accurate_ecn = choice == EcnChoice::accurate ? Ecn::request : Ecn::off;
}

}  // namespace estab::tools
