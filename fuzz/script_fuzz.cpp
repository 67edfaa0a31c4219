// Any text as a packetdrill script. Laws: reading ends, with a script or with a line that exists
// and words for what is wrong there; the same text says the same again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "estab/octets.h"

#include "drill/parser.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = estab::as_text({data, size});
  const estab::drill::Defines defines = {{"MSS", "1460"}, {"EMPTY", ""}};
  const auto script = estab::drill::parse_script(text, defines);
  if (!script) {
    require(!script.error().what.empty());
    require(script.error().line >= 0 && script.error().line <= std::ranges::count(text, '\n') + 1);
  }
  const auto again = estab::drill::parse_script(text, defines);
  require(again.has_value() == script.has_value());
  if (!script)
    require(again.error().line == script.error().line && again.error().what == script.error().what);
  return 0;
}
