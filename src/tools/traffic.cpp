#include "tools/traffic.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "tools/interrupts.h"
#include "tools/units.h"

namespace estab::tools {
namespace {

constexpr std::size_t kSourceBlock = 1 << 20;
constexpr std::size_t kEchoBuffer = 64 << 10;

// What a source sends, over and over: sent in place, so that it costs no copy.
std::shared_ptr<const std::vector<std::uint8_t>> source_block() {
  static const auto block = [] {
    auto made = std::make_shared<std::vector<std::uint8_t>>(kSourceBlock);
    for (std::size_t i = 0; i < kSourceBlock; ++i)
      (*made)[i] = static_cast<std::uint8_t>(i * 131 + (i >> 8));
    return made;
  }();
  return block;
}

}  // namespace

Traffic::Traffic(Host& host, TrafficKind kind, std::optional<std::uint64_t> source_octets)
    : host_(host), kind_(kind), source_octets_(source_octets) {}

void Traffic::serve(TcpListener listener) {
  listener_ = std::move(listener);
  host_.spawn(accept_all());
}

Task<> Traffic::accept_all() {
  while (auto stream = co_await listener_.accept()) take(*std::move(stream));
}

void Traffic::take(TcpStream stream) {
  if (totals_.connections++ == 0) totals_.first_began = host_.now();
  flows_.push_back({.stream = std::move(stream)});
  Place place = std::prev(flows_.end());
  switch (kind_) {
    case TrafficKind::sink:
      return spawn(place, discard(place));
    case TrafficKind::echo:
      return spawn(place, echo(place));
    case TrafficKind::source:
      spawn(place, discard(place));
      return spawn(place, produce(place));
  }
}

void Traffic::spawn(Place place, Task<> task) {
  ++place->tasks;
  host_.spawn(std::move(task));
}

// A flow is over when its last task is.
void Traffic::leave(Place place, Result<void> outcome) {
  // A source without an end can only be ended by an error, and so can one that is told to stop.
  bool is_failure = !outcome && !stopping_ && (kind_ != TrafficKind::source || source_octets_);
  if (is_failure && !place->failed) {
    place->failed = true;
    totals_.last_error = outcome.error();
    ++totals_.failed;
  }
  if (!outcome) place->stream.abort();
  if (--place->tasks > 0) return;
  totals_.last_ended = host_.now();
  flows_.erase(place);
}

Task<> Traffic::discard(Place place) {
  TcpStream& stream = place->stream;
  Result<void> outcome{};
  while (true) {
    auto views = co_await stream.peek();
    if (!views && views.error() != Error::end_of_stream) outcome = std::unexpected(views.error());
    if (!views) break;
    std::size_t octets = 0;
    for (Octets view : *views) octets += view.size();
    totals_.received_octets += octets;
    static_cast<void>(stream.consume(octets));
  }
  if (kind_ == TrafficKind::sink) static_cast<void>(stream.shutdown());
  leave(place, outcome);
}

Task<> Traffic::produce(Place place) {
  TcpStream& stream = place->stream;
  auto block = source_block();
  std::uint64_t left = source_octets_.value_or(0);
  Result<void> outcome{};
  while (outcome && !stopping_ && (!source_octets_ || left > 0)) {
    Octets piece(*block);
    if (source_octets_) piece = piece.first(std::min<std::uint64_t>(piece.size(), left));
    outcome = co_await stream.write_owned(piece, block);
    if (!outcome && stopping_) outcome = {};  // stop() has shut this direction down
    if (!outcome || stopping_) break;
    totals_.sent_octets += piece.size();
    left -= source_octets_ ? piece.size() : 0;
  }
  static_cast<void>(stream.shutdown());
  leave(place, outcome);
}

Task<> Traffic::echo(Place place) {
  TcpStream& stream = place->stream;
  std::array<std::uint8_t, kEchoBuffer> buffer;
  Result<void> outcome{};
  while (outcome) {
    auto n = co_await stream.read(buffer);
    if (!n && n.error() != Error::end_of_stream) outcome = std::unexpected(n.error());
    if (!n) break;
    totals_.received_octets += *n;
    outcome = co_await stream.write_all(Octets(buffer).first(*n));
    if (outcome) totals_.sent_octets += *n;
  }
  static_cast<void>(stream.shutdown());
  leave(place, outcome);
}

void Traffic::stop(Duration limit) {
  stopping_ = true;
  listener_.close();
  for (Flow& flow : flows_) static_cast<void>(flow.stream.shutdown());
  host_.spawn(abort_when_quiet(limit), TaskKind::background);
}

std::string Traffic::status() const {
  return fmt::format("{} connections open of {}, received {}, sent {}", flows_.size(),
                     totals_.connections, format_size(totals_.received_octets),
                     format_size(totals_.sent_octets));
}

void Traffic::abort() {
  for (Flow& flow : flows_) flow.stream.abort();
}

Task<> Traffic::abort_when_quiet(Duration limit) {
  co_await wait_while_moving(host_, limit, [this] {
    Movement movement;
    for (const Flow& flow : flows_) movement.add(flow.stream);
    return movement;
  });
  abort();
}

}  // namespace estab::tools
