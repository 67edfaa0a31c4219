// Which connection a packet of the script belongs to. As in packetdrill there is one socket under
// test: the last one that was made, listened on, connected or accepted; packets are its packets.
#pragma once

#include <deque>

#include "estab/posix.h"

#include "drill/calls.h"
#include "drill/flow.h"

namespace estab::drill {

struct TestSocket {
  enum class Role : std::uint8_t { fresh, listening, connecting, connected };
  Role role = Role::fresh;
  int descriptor = -1;  ///< the real one; -1: not accepted, or nobody's
  Flow flow{};
  bool has_tuple = false;
  /// A SYN came since the last number was learnt: the next SYN out may have another ISN.
  bool new_incarnation = true;
};

/// Whether a packet is a SYN: only such a one begins a connection.
enum class Opens : std::uint8_t { no, yes };

class Connections {
 public:
  Connections(const CallSetting& setting, std::uint32_t remote_shift)
      : setting_(setting), remote_shift_(remote_shift) {}

  /// Takes note of what a call did.
  void note_call(const ReadyCall& call, const posix::Outcome& outcome, posix::Sockets& sockets);
  /// Whose a packet is that the script sends. An unnamed one if there is no socket: a segment can
  /// arrive although nobody has opened anything.
  TestSocket& receiver();
  /// The socket that packets are compared for; null if there is none.
  TestSocket* under_test() { return under_test_; }
  /// Whether the datagram the stack sent is one of the socket's. Tells a connecting socket its
  /// port.
  static bool takes(TestSocket& socket, const FourTuple& sent, Opens opens);

 private:
  TestSocket& add(int descriptor);
  TestSocket& find(int descriptor);
  void name_passive(TestSocket& socket, std::uint16_t local_port);
  void note_accept(int descriptor, posix::Sockets& sockets);

  const CallSetting& setting_;
  std::uint32_t remote_shift_;
  std::uint16_t next_remote_port_ = 40001;
  std::deque<TestSocket> sockets_;  // does not move its elements
  TestSocket* under_test_ = nullptr;
};

}  // namespace estab::drill
