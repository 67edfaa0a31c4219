// Why a script cannot go on, before anything was found wrong with the stack: it asks for something
// the runner has not got (it is skipped), or it makes no sense (it fails). Thrown inside the
// runner.
#pragma once

#include <stdexcept>
#include <string>

namespace estab::drill {

class Refusal : public std::runtime_error {
 public:
  enum class Kind { unsupported, mistake };
  Refusal(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

[[noreturn]] inline void refuse(const std::string& what) {
  throw Refusal(Refusal::Kind::unsupported, what);
}
[[noreturn]] inline void mistake(const std::string& what) {
  throw Refusal(Refusal::Kind::mistake, what);
}

}  // namespace estab::drill
