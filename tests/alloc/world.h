// Two stacks on a wire of the test's own and an application at each end, which together go through
// everything that asks for memory: opening, transfer with losses, datagrams and fragments, closing.
//
// Law: a call that ends in std::bad_alloc is made again, once memory is to be had; a frame whose
// handling ended so is gone, as if the wire had lost it. In spite of that everything has to arrive.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "estab/stack.h"

namespace estab::test {

class World {
 public:
  World();
  /// Goes through the whole scenario. False, with complaint() saying why, if it does not come to
  /// its proper end.
  bool run();
  const std::string& complaint() const { return complaint_; }
  std::uint64_t refused_calls() const { return refused_calls_; }

 private:
  using Bytes = std::vector<std::uint8_t>;
  struct End {
    explicit End(const StackConfig& config) : stack(config) {}
    Stack stack;
    InterfaceId interface{};
    std::deque<Bytes> arriving{};
    std::optional<ListenerId> listener{};
    std::optional<DatagramId> port{};
    std::optional<StreamId> stream{};
    std::size_t sent = 0, received = 0;
    bool at_end = false, closed = false;
    std::uint64_t frames = 0;
  };

  /// Makes a call while memory is scarce, and again until it goes through.
  template <class Call>
  auto insist(Call&& call);
  void set_up(End& end, const IpAddress& address, std::uint16_t port);
  void set_up_addresses(End& end, const IpAddress& address);
  bool open();
  void copy_stack(End& end);
  void step();
  void carry(End& from, End& to);
  void use(End& end, End& other);
  void talk(End& end);
  void events(End& end);
  void fragments();
  void forged_icmp();
  bool done() const;
  bool complain(std::string what);

  Instant now_{std::chrono::hours(1)};
  End client_, server_;
  std::string complaint_;
  std::uint64_t refused_calls_ = 0;
  std::uint64_t steps_ = 0;
  bool aborted_one_ = false;
};

}  // namespace estab::test
