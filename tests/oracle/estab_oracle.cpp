// estab_oracle: random sequences to the kernel and to the stack, as many as one likes.
//
//   estab_oracle [--seed S] [--first N] [--count N] [--show N] [--one N]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "oracle/differences/known.h"
#include "oracle/estab_subject.h"
#include "oracle/generator.h"
#include "oracle/kernel_subject.h"

namespace {

using namespace estab::oracle;

struct Options {
  std::uint64_t seed = 1, first = 0, count = 1000, show = 10;
};

Options read(int argc, char** argv) {
  Options options;
  const std::map<std::string, std::uint64_t*> names = {{"--seed", &options.seed},
                                                       {"--first", &options.first},
                                                       {"--count", &options.count},
                                                       {"--show", &options.show}};
  for (int i = 1; i + 1 < argc; i += 2)
    if (const auto it = names.find(argv[i]); it != names.end())
      *it->second = std::strtoull(argv[i + 1], nullptr, 0);
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read(argc, argv);
  auto in = enter_kernel_namespace();
  if (!in) {
    std::fprintf(stderr, "%s\n", in.error().c_str());
    return 3;
  }
  KernelSubject kernel(std::move(*in));
  EstabSubject estab;
  Oracle oracle(kernel, estab, known_differences());
  std::map<std::string_view, std::uint64_t> settled;
  std::uint64_t agreed = 0, cut = 0;
  std::map<std::string, std::pair<std::uint64_t, std::string>> shown;
  std::uint64_t unexplained = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t n = options.first; n < options.first + options.count; ++n) {
    Comparison comparison = oracle.compare(generate(options.seed, n));
    for (const KnownDifference* known : comparison.known) ++settled[known->name];
    if (!comparison.unexplained) {
      ++agreed;
      if (!comparison.known.empty() && comparison.known.back()->then == KnownDifference::Then::ends)
        ++cut;
      continue;
    }
    if (shown.size() >= options.show) {
      ++unexplained;
      continue;
    }
    const auto small = oracle.shrink(std::move(*comparison.unexplained));
    if (!small) continue;  // it did not come again
    ++unexplained;
    auto& [count, text] = shown[describe(*small)];
    if (count++ == 0) text = "number " + std::to_string(n);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  for (const auto& [text, what] : shown)
    std::printf("---- %llu times, first %s\n%s", static_cast<unsigned long long>(what.first),
                what.second.c_str(), text.c_str());
  for (const auto& [name, count] : settled)
    std::printf("%8llu %s\n", static_cast<unsigned long long>(count), std::string(name).c_str());
  std::printf("%llu sequences, %llu to their end, %llu unexplained, %.1f s\n",
              static_cast<unsigned long long>(options.count),
              static_cast<unsigned long long>(agreed - cut),
              static_cast<unsigned long long>(unexplained), took.count());
  return unexplained == 0 ? 0 : 1;
}
