#include <chrono>
#include <iostream>
#include <string_view>
#include "model/explorer.h"
using namespace estab::model;
int main(int argc, char** argv) {
  for (Bounds b : standard_bounds(Size::full)) {
    for (int i = 1; i + 1 < argc; i += 2) {
      std::string_view w = argv[i];
      auto n = std::atoi(argv[i + 1]);
      if (w == "-a") b.applications[0].octets = n;
      if (w == "-b") b.applications[1].octets = n;
      if (w == "-c") b.capacity = n;
      if (w == "-l") b.losses = n;
      if (w == "-d") b.duplicates = n;
      if (w == "-f") b.firings = n;
      if (w == "-F") b.fair_every = n;
      if (w == "-r") for (auto& x : b.applications) x.reading = Reading::at_any_time;
    }
    auto t0 = std::chrono::steady_clock::now();
    Explorer e(b);
    Result r = e.run();
    double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - t0).count();
    std::cout << b.name << ": " << r.states << " states, depth " << r.depth << ", " << s << " s, moves " << r.moves
              << ", hosts " << r.host_states << ", steps " << r.host_steps << ", segs " << r.segments << ", fair " << r.fair_ends << " longest " << r.longest_fair_end_ms << " of " << r.fair_limit_ms
              << " mem " << r.memory / 1e6 << " MB\n";
    if (r.violation) {
      std::cout << "VIOLATION " << r.violation->what << (r.violation->at_fair_end ? " FAIR" : "") << "\n";
      for (auto m : r.violation->way) std::cout << "  " << int(m.kind) << " " << (m.side == estab::Side::a ? 'a' : 'b') << " " << (m.kind == Move::Kind::act ? name(m.act) : "segment") << " " << int(m.place) << "\n";
    }
  }
}
