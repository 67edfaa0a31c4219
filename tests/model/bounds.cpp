#include "model/bounds.h"

namespace estab::model {

namespace {
using namespace std::chrono_literals;
}

// The RTO is pinned, so that how long something took makes no new state; the window is a few octets,
// so that it has an edge worth reaching.
StackConfig plain_stack(Side side) {
  StackConfig config{.seed = {7, index_of(side)}};
  TcpConfig& tcp = config.tcp;
  tcp.receive_buffer = 64;
  tcp.send_buffer = 64;
  tcp.use_timestamps = tcp.use_window_scale = tcp.use_sack = false;
  tcp.rto_initial = tcp.rto_min = tcp.rto_max = 1s;
  tcp.slow_start_after_idle = false;
  return config;
}

namespace {

Bounds base(std::string name, std::string about) {
  Bounds bounds;
  bounds.name = std::move(name);
  bounds.about = std::move(about);
  for (const Side side : {Side::a, Side::b}) bounds.stack[index_of(side)] = plain_stack(side);
  bounds.applications[0].connects = true;
  bounds.applications[1].listens = true;
  return bounds;
}

}  // namespace

std::vector<Bounds> standard_bounds(Size size) {
  const bool full = size == Size::full;
  std::vector<Bounds> all;
  Bounds plain = base("plain", "a opens, b listens");
  plain.losses = plain.duplicates = full ? 1 : 0;
  all.push_back(plain);
  return all;
}

}  // namespace estab::model
