// The kinds of calls, each in a file of its own; and what they have in common.
#pragma once

#include <memory>

#include "drill/calls.h"
#include "drill/refusal.h"

namespace estab::drill {

/// What a maker of calls has before it.
struct CallMaker {
  const SystemCall& call;
  posix::Sockets& sockets;
  CallSetting& setting;

  /// The argument, or a Refusal.
  const Expression& argument(std::size_t index) const;
  void expect_arguments(std::size_t least, std::size_t most) const;
  /// The real descriptor that the argument names; one nobody has opened stands for itself.
  int descriptor(std::size_t index) const;
};

using Maker = ReadyCall (*)(const CallMaker&);

/// Null if there is no such call among them.
Maker find_naming_call(std::string_view name);
Maker find_reading_call(std::string_view name);
Maker find_writing_call(std::string_view name);
Maker find_option_call(std::string_view name);
Maker find_waiting_call(std::string_view name);

/// `[{..., 100}, {"text", 4}]`, with the buffers.
struct Vectors {
  std::vector<std::vector<std::uint8_t>> buffers;
  std::vector<iovec> vectors;
  std::vector<const Expression*> texts;  ///< what each is expected to hold, if it says so
};
std::shared_ptr<Vectors> make_vectors(const Expression& expression);
/// Whether `octets` begin as the text says, as far as both go.
std::optional<std::string> compare_text(const Expression& expected,
                                        const std::vector<std::uint8_t>& octets,
                                        std::int64_t count);

template <class Number>
std::optional<std::string> compare_numbers(const std::string& what, Number expected, Number got) {
  if (expected == got) return std::nullopt;
  return what + " is " + std::to_string(got) + ", expected " + std::to_string(expected);
}

}  // namespace estab::drill
