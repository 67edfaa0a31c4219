// Machine: a stack with its sockets, a link to packetdrill and a clock that only calls move.
//
// Laws. One thread at a time is inside, under one lock. Time advances when somebody asks for it (by
// one microsecond, so that a busy loop makes progress), sleeps, waits for a packet, or, where
// nobody does any of these, when a blocked call can end no other way. Every timer fires at its
// time, and a blocking call is completed by whoever advances the stack, at the very instant it can
// be: its thread only collects the result, and sees the clock of that instant.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/time.h>

#include "estab/posix.h"
#include "estab/stack.h"

#include "packetdrill/settings.h"

namespace estab::packetdrill {

class Machine {
 public:
  explicit Machine(const Settings& settings);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  using Call = std::function<posix::Outcome(posix::Sockets&, Instant)>;
  /// Makes a socket call and waits for its end if it blocks.
  posix::Outcome run(const Call& call);
  /// close(2): of a socket, its place in the kernel's table too; of a pipe, the pipe.
  posix::Outcome close(int fd);

  void send_packet(Octets packet);
  struct Packet {
    Instant at;
    std::vector<std::uint8_t> octets;
  };
  /// The next packet the stack sends, however long that takes; nothing if none will come.
  std::optional<Packet> receive_packet();
  void sleep(Duration span);
  Instant time();

  /// Real pipes, which the calls here know apart from sockets.
  int make_pipe(int ends[2]);
  bool is_pipe(int fd);

 private:
  struct Blocked {
    const Call& call;
    posix::Outcome outcome;
    Instant ended;
    bool done = false;
    std::condition_variable changed{};
  };
  class Visit;  // the lock, and a note that somebody is about

  int new_number();
  posix::Outcome wait_for(std::unique_lock<std::mutex>& lock, const Call& call,
                          const posix::Outcome& first);
  posix::Outcome wait_alone(const Call& call, posix::Outcome outcome);
  bool nobody_moves_time();
  void settle();
  bool carry_on(Blocked& blocked);
  void collect();
  void advance_to(Instant to);
  void step();
  Instant next_deadline() const;
  void show_sockets();

  const Settings settings_;
  std::mutex mutex_;
  std::atomic<int> entering_{0};
  std::uint64_t visits_ = 0;
  const std::thread::id driver_ = std::this_thread::get_id();
  const std::string driver_status_;  // where the kernel tells what the driver's thread does
  Instant now_;
  Stack stack_;
  InterfaceId link_;
  posix::Sockets sockets_;
  std::deque<Packet> sent_;
  std::list<Blocked*> blocked_;
  std::set<int> numbers_, pipes_;
  std::string shown_;
};

}  // namespace estab::packetdrill
