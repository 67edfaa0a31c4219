#include "gateway/gateway.h"

#include <utility>
#include <vector>

#include "estab/config.h"

namespace estab::gateway {

namespace {

/// The longest datagram, and a good deal of a stream at a time.
constexpr std::size_t kScratch = 1 << 18;

/// Counts what is under way for as long as it is.
class UnderWay {
 public:
  explicit UnderWay(std::uint64_t& count) : count_(count) { ++count_; }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() { --count_; }

 private:
  std::uint64_t& count_;
};

/// A relay passes on at once what it is given; a guest that is gone is found out in the end.
TcpConfig guest_config(const Host& host) {
  TcpConfig config = host.stack().config().tcp;
  config.nagle = false;
  config.keep_alive.enabled = true;
  return config;
}

}  // namespace

struct Gateway::Service {
  Host& host;
  std::shared_ptr<Upstream> upstream;
  Forwarder forwarder;
  TcpConfig guest_tcp;
  std::vector<std::uint8_t> scratch;
  GatewayCounters counters{};
};

Gateway::Gateway(Host& host, std::shared_ptr<Upstream> upstream, Forwarder forwarder)
    : service_(new Service{host, std::move(upstream), std::move(forwarder), guest_config(host),
                           std::vector<std::uint8_t>(kScratch)}) {
  host.spawn(serve_connections(service_));
  host.spawn(serve_datagrams(service_));
}

const GatewayCounters& Gateway::counters() const {
  return service_->counters;
}

void Gateway::stop() {
  service_->forwarder.close();
}

Task<> Gateway::serve_connections(std::shared_ptr<Service> service) {
  for (;;) {
    auto offer = co_await service->forwarder.next();
    if (!offer) co_return;
    service->host.spawn(carry(service, std::move(*offer)));
  }
}

Task<> Gateway::serve_datagrams(std::shared_ptr<Service> service) {
  for (;;) {
    auto flow = co_await service->forwarder.next_flow();
    if (!flow) co_return;
    service->host.spawn(carry_flow(service, std::move(*flow)));
  }
}

Task<> Gateway::carry(std::shared_ptr<Service> service, Offer offer) {
  GatewayCounters& counters = service->counters;
  const UnderWay counted(counters.connections_now);
  auto socket = co_await service->upstream->dial(offer.destination());
  if (!socket) {
    ++counters.refused;
    offer.reject(socket.error());
    co_return;
  }
  auto guest = co_await std::move(offer).accept(service->guest_tcp);
  if (!guest) {
    ++counters.given_up;
    reset_socket(*socket);
    co_return;
  }
  ++counters.connections;
  Relay relay(service->host, std::move(*guest), std::move(*socket), service->scratch);
  const Ended how = co_await relay.run();
  counters.octets_up += relay.octets_up();
  counters.octets_down += relay.octets_down();
  if (how == Ended::guest_failed) ++counters.guest_failed;
  if (how == Ended::upstream_failed) ++counters.upstream_failed;
}

Task<> Gateway::carry_flow(std::shared_ptr<Service> service, DatagramFlow flow) {
  GatewayCounters& counters = service->counters;
  const UnderWay counted(counters.flows_now);
  ++counters.flows;
  DatagramRelay relay(service->host, *service->upstream, std::move(flow), service->scratch,
                      counters.datagrams);
  co_await relay.run();
}

}  // namespace estab::gateway
