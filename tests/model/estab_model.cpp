// estab_model: explores to the bounds asked for and says what it found. Exit code 1: a law is
// broken, and the shortest way to where it is has been told; or an exploration within its standard
// bounds has far fewer states than it is known to have.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <time.h>

#include "model/options.h"
#include "model/story.h"

namespace {

using namespace estab::model;

struct Done {
  Bounds bounds;
  Result result{};
  double seconds = 0, cpu_seconds = 0;
  std::string story{};
};

std::string story_of(Explorer& explorer, const Bounds& bounds, const Violation& violation) {
  const Telling telling = tell(explorer, bounds, violation);
  std::string text = "\n" + bounds.name + ": " + violation.what + "\n\n" + telling.steps + "\n" +
                     telling.ladder + "\nAs a packetdrill script for a:\n\n" + telling.scripts[0] +
                     "\nand for b:\n\n" + telling.scripts[1] + "\n";
  if (!telling.difference.empty()) text += telling.difference + "\n";
  return text;
}

/// Of this thread: other programs do not count.
double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void explore(Done& done) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu_start = cpu_seconds();
  Explorer explorer(done.bounds);
  done.result = explorer.run();
  done.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  done.cpu_seconds = cpu_seconds() - cpu_start;
  if (done.result.violation) done.story = story_of(explorer, done.bounds, *done.result.violation);
}

bool collapsed(const Done& done) {
  return done.result.complete && done.result.states < done.bounds.at_least;
}

const char* outcome(const Done& done) {
  if (done.result.violation) return "a law is broken";
  if (collapsed(done)) return "complete, but collapsed";
  return done.result.complete ? "complete" : "stopped";
}

void print_row(const Done& done) {
  const Result& r = done.result;
  std::printf("%-11s %10llu %6u %8.1f %8.1f %9.0f %11llu %12llu %10.1f  %s\n",
              done.bounds.name.c_str(), static_cast<unsigned long long>(r.states), r.depth,
              done.seconds, done.cpu_seconds, static_cast<double>(r.states) / done.cpu_seconds,
              static_cast<unsigned long long>(r.host_states),
              static_cast<unsigned long long>(r.host_steps),
              static_cast<double>(r.longest_fair_end_ms) / 1000, outcome(done));
  std::fflush(stdout);
}

long peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

std::vector<Done> plan(const Options& options) {
  std::vector<Done> all;
  for (Bounds& bounds : standard_bounds(options.size)) {
    const auto& names = options.names;
    const bool wanted =
        names.empty() || std::find(names.begin(), names.end(), bounds.name) != names.end();
    if (!wanted) continue;
    if (!options.changes.empty()) bounds.at_least = 0;
    for (const auto& change : options.changes) change(bounds);
    all.push_back({std::move(bounds)});
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  std::string wrong;
  const auto options = read_options(argc, argv, wrong);
  if (!options) {
    std::fprintf(stderr, "estab_model: %s\n%s", wrong.c_str(), usage().c_str());
    return 2;
  }
  std::vector<Done> all = plan(*options);
  if (options->only_lists) {
    for (const Done& done : all)
      std::printf("%-11s %s\n", done.bounds.name.c_str(), done.bounds.about.c_str());
    return 0;
  }
  std::printf("%-11s %10s %6s %8s %8s %9s %11s %12s %10s\n", "exploration", "states", "depth",
              "seconds", "cpu s", "per cpu s", "end states", "end steps", "fair end s");
  std::atomic<std::size_t> next{0};
  std::mutex printing;
  const auto work = [&] {
    for (std::size_t i = next++; i < all.size(); i = next++) {
      explore(all[i]);
      const std::lock_guard lock(printing);
      print_row(all[i]);
    }
  };
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i < options->jobs; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  std::uint64_t states = 0;
  bool good = true;
  for (const Done& done : all) {
    states += done.result.states;
    good = good && !done.result.violation && !collapsed(done);
    std::fputs(done.story.c_str(), stdout);
  }
  std::printf("%llu states in %.1f s with %u threads, %ld MB\n",
              static_cast<unsigned long long>(states),
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
              options->jobs, peak_mb());
  return good ? 0 : 1;
}
