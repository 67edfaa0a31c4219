#include <chrono>
#include <iostream>
#include <string_view>
#include "estab/notation.h"
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
      if (w == "-S") b.most_states = n * 1000000ull;
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
      std::cout << "VIOLATION " << r.violation->what << "\n";
      Physics& p = e.physics();
      World w = p.first();
      auto show = [&](const World& x) {
        for (int i = 0; i < 2; ++i) {
          auto& f = p.hosts().facts(x.host[i]);
          std::cout << (i ? " | " : "      ") << name(f.state());
          if (f.flow) std::cout << " una " << f.flow->una << " max " << f.flow->max << " rcv " << f.flow->rcv_nxt << (f.flow->released ? " rel" : "") << " dl " << f.flow->deadline.time_since_epoch().count();
          std::cout << " out:";
          for (size_t k = 0; k < x.bags[i].size(); ++k) {
            auto o = p.hosts().segments().octets(x.bags[i][k].segment, estab::Instant{});
            std::cout << " {" << estab::to_string(segment_of(o)) << "}";
          }
        }
        std::cout << "\n";
      };
      for (auto m : r.violation->way) {
        std::cout << "  " << int(m.kind) << " " << (m.side == estab::Side::a ? 'a' : 'b') << " " << (m.kind == Move::Kind::act ? name(m.act) : "segment") << " " << int(m.place) << "\n";
        p.make(w, m);
        show(w);
      }
      if (r.violation->at_fair_end) {
        FairEnd f(p);
        FairEnd::Stage st{.world = w};
        for (int i = 0; i < 40; ++i) {
          std::vector<FairEnd::Event> told;
          auto x = f.step(st, &told);
          for (auto& t : told) std::cout << "  fair " << (t.side == estab::Side::a ? 'a' : 'b') << " " << name(t.input.act) << " at " << st.elapsed_ms << "\n";
          show(st.world);
          if (x != FairEnd::Step::went_on) break;
        }
      }
    }
    if (false && r.violation) {
      std::cout << "VIOLATION " << r.violation->what << (r.violation->at_fair_end ? " FAIR" : "") << "\n";
      for (auto m : r.violation->way) std::cout << "  " << int(m.kind) << " " << (m.side == estab::Side::a ? 'a' : 'b') << " " << (m.kind == Move::Kind::act ? name(m.act) : "segment") << " " << int(m.place) << "\n";
    }
  }
}
