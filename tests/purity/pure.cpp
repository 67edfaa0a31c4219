// What the core may do: memory, containers, strings, exceptions of the library passing through.
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

struct Base {
  virtual ~Base() = default;
  virtual int value() const = 0;
};
struct Derived : Base {
  int value() const override { return 1; }
};

std::unique_ptr<Base> make() {
  return std::make_unique<Derived>();
}
std::string join(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& word : words) all += word + ' ' + std::to_string(word.size());
  return all;
}
int look_up(std::map<int, int>& tree, std::unordered_map<std::string, int>& table) {
  return tree[1] + table["x"];
}
int visit(const std::variant<int, std::string>& either) {
  return std::get<int>(either);
}
void keep(std::vector<std::shared_ptr<const void>>& owners, std::shared_ptr<const void> owner) {
  owners.push_back(std::move(owner));
}
double root(double x) {
  return std::cbrt(x);
}
