// Gateway: takes what its guests send to other hosts and carries it there, by an Upstream. Law: it
// holds a connection or a flow only as long as its guest or its upstream does, and how many it
// holds is bounded by the stack's limits (StackLimits::forwarded, ::datagram_flows).
#pragma once

#include <cstdint>
#include <memory>

#include "estab/forwarder.h"
#include "estab/host.h"
#include "estab/task.h"

#include "gateway/datagram_relay.h"
#include "gateway/relay.h"
#include "gateway/upstream.h"

namespace estab::gateway {

struct GatewayCounters {
  std::uint64_t connections = 0;  ///< accepted, once upstream had answered
  std::uint64_t refused = 0;      ///< turned down, as upstream or the rules have it
  std::uint64_t given_up = 0;     ///< by the guest, while upstream was asked
  std::uint64_t guest_failed = 0, upstream_failed = 0;  ///< connections that ended by reset
  std::uint64_t octets_up = 0, octets_down = 0;         ///< of connections that are over
  std::uint64_t flows = 0;                              ///< of datagrams
  DatagramRelay::Counts datagrams{};
  std::uint64_t connections_now = 0, flows_now = 0;  ///< asked upstream or carried at the moment
};

class Gateway {
 public:
  /// Serves from now on, until stop(). What is under way then goes on; the Host must outlive it.
  Gateway(Host& host, std::shared_ptr<Upstream> upstream, Forwarder forwarder);
  const GatewayCounters& counters() const;
  void stop();

 private:
  struct Service;
  static Task<> serve_connections(std::shared_ptr<Service> service);
  static Task<> serve_datagrams(std::shared_ptr<Service> service);
  static Task<> carry(std::shared_ptr<Service> service, Offer offer);
  static Task<> carry_flow(std::shared_ptr<Service> service, DatagramFlow flow);

  std::shared_ptr<Service> service_;  // the tasks have it too
};

}  // namespace estab::gateway
