// OutputQueue: who has something to send, in the order in which they said so. What is to leave by a
// paused interface is set aside until that one takes frames again, and then goes before the others:
// it has waited longer.
//
// Law: the order among those of one interface is kept, and a paused interface keeps nobody waiting
// but what goes its way. Nothing is lost if memory runs out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "estab/id.h"

#include "base/fields.h"
#include "base/public_fields.h"
#include "base/ring.h"
#include "ip/interfaces.h"

namespace estab::stack {

/// Octets that count towards a limit: none.
struct Weightless {
  std::size_t operator()(const auto&) const { return 0; }
};

template <class T, class Weight = Weightless>
class OutputQueue {
 public:
  /// How much waits in one place.
  struct Load {
    std::size_t count = 0, octets = 0;
  };

  bool empty() const { return fresh_.ring.empty() && aside_ == 0; }
  std::size_t size() const { return fresh_.ring.size() + aside_; }
  /// Of those not set aside.
  Load load() const { return fresh_.load(); }
  /// Of those set aside for an interface.
  Load load(InterfaceId interface) const {
    return holds(interface) ? held_[interface.index].load() : Load{};
  }
  std::size_t memory() const {
    std::size_t octets = fresh_.ring.memory() + held_.capacity() * sizeof(Place);
    for (const Place& place : held_) octets += place.ring.memory();
    return octets;
  }

  /// The next push needs no memory.
  void make_room() { fresh_.ring.make_room(); }
  void push_back(T value) {
    const std::size_t octets = Weight()(value);
    fresh_.ring.push_back(std::move(value));
    fresh_.octets += octets;
  }

  /// Finds whose turn it is; until the queue changes, front() and what follows are about that one.
  /// False if nobody but those who wait for a paused interface is left.
  bool next(const ip::InterfaceTable& interfaces) {
    at_ = kFresh;
    for (std::size_t i = 0; aside_ > 0 && i < held_.size() && at_ == kFresh; ++i)
      if (!held_[i].ring.empty() && !interfaces.is_paused(held_[i].interface)) at_ = i;
    return !place().ring.empty();
  }
  T& front() { return place().ring.front(); }
  void drop_front() { drop_front(Weight()(front())); }
  /// The same for one that weighed so much before it was taken to pieces.
  void drop_front(std::size_t octets) {
    Place& from = place();
    from.octets -= octets;
    from.ring.drop_front();
    if (at_ != kFresh) --aside_;
  }
  /// It waits until `interface` takes frames again.
  void set_aside(InterfaceId interface) {
    if (held_.size() <= interface.index) held_.resize(interface.index + std::size_t{1});
    Place& to = held_[interface.index];
    if (to.ring.empty()) to.interface = interface;
    to.ring.make_room();
    Place& from = place();
    const std::size_t octets = Weight()(from.ring.front());
    to.ring.push_back(from.ring.pop_front());
    from.octets -= octets;
    to.octets += octets;
    if (at_ == kFresh) ++aside_;
  }
  /// Everybody's way is looked for anew if it may lead elsewhere since the last call.
  void follow(std::uint32_t path_version) {
    if (path_version_ == path_version) return;
    for (auto from = held_.rbegin(); from != held_.rend(); ++from) take_back(*from);
    path_version_ = path_version;
  }
  /// Takes out those that are not to be kept.
  template <class Keep>
  void sweep(Keep keep) {
    sweep(fresh_, keep);
    for (Place& place : held_) aside_ -= sweep(place, keep);
  }

  /// The same wait in the same places.
  friend bool operator==(const OutputQueue& a, const OutputQueue& b) {
    static const Place none;
    if (a.fresh_.fields() != b.fresh_.fields()) return false;
    for (std::size_t i = 0; i < std::max(a.held_.size(), b.held_.size()); ++i) {
      const Place& one = i < a.held_.size() ? a.held_[i] : none;
      const Place& other = i < b.held_.size() ? b.held_[i] : none;
      if (one.ring.empty() && other.ring.empty()) continue;
      if (one.fields() != other.fields()) return false;
    }
    return true;
  }
  void hash_into(base::Hasher& hasher) const {
    hasher.add(fresh_.fields());
    for (const Place& place : held_)
      if (!place.ring.empty()) hasher.add(place.fields());
  }

 private:
  struct Place {
    InterfaceId interface{};
    base::Ring<T> ring{};
    std::size_t octets = 0;
    Load load() const { return {ring.size(), octets}; }
    auto fields() const {
      const auto& [whose, waiting, weight] = *this;
      return base::fields(whose, waiting, base::derived(weight));
    }
  };
  static constexpr std::size_t kFresh = static_cast<std::size_t>(-1);

  Place& place() { return at_ == kFresh ? fresh_ : held_[at_]; }
  bool holds(InterfaceId interface) const {
    return interface.index < held_.size() && held_[interface.index].interface == interface;
  }
  void take_back(Place& from) {
    while (!from.ring.empty()) {
      fresh_.ring.make_room();
      const std::size_t octets = Weight()(from.ring.back());
      fresh_.ring.push_front(from.ring.pop_back());
      from.octets -= octets;
      fresh_.octets += octets;
      --aside_;
    }
  }
  template <class Keep>
  static std::size_t sweep(Place& place, Keep keep) {
    const std::size_t before = place.ring.size();
    for (std::size_t left = before; left > 0; --left) {
      T value = place.ring.pop_front();
      if (keep(value))
        place.ring.push_back(std::move(value));
      else
        place.octets -= Weight()(value);
    }
    return before - place.ring.size();
  }

  Place fresh_{};
  std::vector<Place> held_{};  // by the interface's index
  std::size_t aside_ = 0;      // elements of these
  std::size_t at_ = kFresh;    // whose turn it is: a number in `held_`
  std::uint32_t path_version_ = 0;
};

}  // namespace estab::stack
