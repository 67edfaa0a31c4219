// DatagramRelay: carries the datagrams of one port of a guest's by one socket of the kernel's, to
// wherever they go (RFC 4787 REQ-1), until they have been silent for long. Law: what comes back is
// handed on only if the guest has sent there before (REQ-8).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "estab/host.h"
#include "estab/octets.h"
#include "estab/task.h"

#include "gateway/upstream.h"
#include "host/descriptor.h"

namespace estab::gateway {

class DatagramRelay {
 public:
  struct Counts {
    std::uint64_t up = 0, down = 0, refused = 0, unasked = 0;
  };
  /// `scratch` as of a Relay; it must hold the longest datagram.
  DatagramRelay(Host& host, Upstream& upstream, DatagramFlow flow, MutableOctets scratch,
                Counts& counts)
      : host_(host),
        upstream_(upstream),
        flow_(std::move(flow)),
        scratch_(scratch),
        counts_(counts) {}

  Task<> run();

 private:
  /// Whom a guest has sent to, by the name it has for it.
  struct Peer {
    Endpoint target, meant;
  };

  Task<> carry_up();
  Task<> carry_down();
  void send_up(const ReceivedDatagram& datagram);
  void send_down(const Endpoint& from, Octets octets);
  /// An error of the socket's: tells the guest, if it says what it is about.
  void take_error();
  void remember(const Peer& peer);
  std::optional<Endpoint> name_of(const Endpoint& target) const;

  Host& host_;
  Upstream& upstream_;
  DatagramFlow flow_;
  MutableOctets scratch_;
  Counts& counts_;
  host::OwnedDescriptor socket_;
  std::deque<Peer> peers_;  // the latest first
};

}  // namespace estab::gateway
