#include "drill/calls.h"

#include <cstring>

#include "drill/call_parts.h"

namespace estab::drill {

const Expression& CallMaker::argument(std::size_t index) const {
  if (index >= call.arguments.size())
    mistake(call.name + " has " + std::to_string(call.arguments.size()) + " arguments, too few");
  return call.arguments[index];
}

void CallMaker::expect_arguments(std::size_t least, std::size_t most) const {
  const std::size_t count = call.arguments.size();
  if (count < least || count > most)
    mistake(call.name + " takes " + std::to_string(most) + " arguments, not " +
            std::to_string(count));
}

int CallMaker::descriptor(std::size_t index) const {
  const int number = integer_of(argument(index));
  const auto known = setting.descriptors.find(number);
  return known == setting.descriptors.end() ? number : known->second;
}

std::shared_ptr<Vectors> make_vectors(const Expression& expression) {
  if (expression.kind != Expression::Kind::array)
    mistake("an array of buffers is written as [{..., 100}]");
  auto made = std::make_shared<Vectors>();
  for (const Expression& item : expression.items) {
    if (item.kind != Expression::Kind::structure || item.items.size() != 2)
      mistake("a buffer in an array is written as {..., 100}");
    made->buffers.push_back(octets_of(item.items[0], size_of(item.items[1])));
    made->texts.push_back(&item.items[0]);
  }
  for (auto& buffer : made->buffers) made->vectors.push_back({buffer.data(), buffer.size()});
  return made;
}

std::optional<std::string> compare_text(const Expression& expected,
                                        const std::vector<std::uint8_t>& octets,
                                        std::int64_t count) {
  if (expected.kind != Expression::Kind::text || count <= 0) return std::nullopt;
  const std::string text = unescaped(expected.text);
  const std::size_t common = std::min(text.size(), static_cast<std::size_t>(count));
  const std::string_view got(reinterpret_cast<const char*>(octets.data()), common);
  if (got == std::string_view(text).substr(0, common)) return std::nullopt;
  return "it read \"" + std::string(got) + "\", expected \"" + text + "\"";
}

ReadyCall make_ready(const SystemCall& call, posix::Sockets& sockets, CallSetting& setting) {
  const CallMaker maker{call, sockets, setting};
  for (const auto find : {find_naming_call, find_reading_call, find_writing_call, find_option_call,
                          find_waiting_call})
    if (const Maker make = find(call.name)) return make(maker);
  refuse("the system call '" + call.name + "' is not among those the stack has");
}

}  // namespace estab::drill
