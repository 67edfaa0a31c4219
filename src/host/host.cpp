#include "estab/host.h"

#include <stdexcept>
#include <utility>

#include "host/loop.h"

namespace estab {

TaskId host::spawn(Loop& loop, TaskFrame frame, TaskKind kind,
                   std::unique_ptr<TaskOutcome> outcome) {
  return loop.tasks().add(std::move(frame), kind, std::move(outcome));
}

Host::Host(const HostOptions& options) : loop_(std::make_unique<host::Loop>(options)) {}
Host::Host(Host&&) noexcept = default;
Host& Host::operator=(Host&&) noexcept = default;
Host::~Host() = default;

Stack& Host::stack() {
  return loop_->stack();
}
const Stack& Host::stack() const {
  return loop_->stack();
}
Instant Host::now() const {
  return loop_->now();
}

InterfaceId Host::add_device(std::unique_ptr<Device> device) {
  return loop_->links().add(std::move(device));
}
Result<void> Host::add_address(InterfaceId interface, const Cidr& address) {
  return stack().add_address(interface, address);
}
Result<void> Host::add_route(const Route& route) {
  return stack().add_route(route);
}
Result<void> Host::add_default_route(InterfaceId interface, Family family,
                                     std::optional<IpAddress> gateway) {
  return stack().add_route({{IpAddress::any(family), 0}, interface, gateway});
}
Device& Host::device(InterfaceId interface) {
  host::Links::Link* const link = loop_->links().find(interface);
  if (!link) throw std::out_of_range("Host::device: no device has this id");
  return *link->device;
}
bool Host::is_up(InterfaceId interface) const {
  return loop_->links().is_up(interface);
}
LinkDownOperation Host::link_down(InterfaceId interface) {
  return {loop_.get(), interface};
}
Result<void> Host::remove_address(InterfaceId interface, const IpAddress& address) {
  return stack().remove_address(now(), interface, address);
}
Result<void> Host::remove_route(const Route& route) {
  return stack().remove_route(route);
}
Result<std::unique_ptr<Device>> Host::remove_device(InterfaceId interface) {
  return loop_->links().remove(now(), interface);
}

void Host::run() {
  loop_->run();
}
bool Host::run_once(Duration timeout) {
  return loop_->run_once(timeout);
}
Instant Host::next_deadline() const {
  return loop_->next_deadline();
}
bool Host::run_until(Instant until) {
  return loop_->run_until(until);
}
bool Host::finish(Duration limit) {
  return loop_->finish(limit);
}
void Host::stop() {
  loop_->inbox().stop();
}
void Host::post(std::function<void()> call) {
  loop_->inbox().post(std::move(call));
}

std::size_t Host::tasks() const {
  return loop_->tasks().size();
}

ConnectOperation Host::connect(const ConnectOptions& options) {
  return {loop_.get(), options};
}
ConnectOperation Host::connect(const Endpoint& remote) {
  return {loop_.get(), ConnectOptions{.remote = remote}};
}
ConnectOperation Host::connect(std::string_view remote) {
  const auto zone_named = [this](std::string_view name) -> std::optional<std::uint16_t> {
    const auto interface = stack().find_interface(name);
    return interface ? std::optional(zone_of(*interface)) : std::nullopt;
  };
  const std::optional<Endpoint> endpoint = Endpoint::parse(remote, zone_named);
  if (!endpoint) return {loop_.get(), Error::invalid_argument};
  return connect(*endpoint);
}
ConnectOperation Host::connect(const Endpoint& remote, Duration limit) {
  return {loop_.get(), ConnectOptions{.remote = remote}, limit};
}

Result<TcpListener> Host::listen(const ListenOptions& options) {
  const Result<ListenerId> listener = stack().listen(options);
  if (!listener) return std::unexpected(listener.error());
  return TcpListener(*loop_, *listener);
}
Result<TcpListener> Host::listen(std::uint16_t port) {
  return listen(ListenOptions{.local = {IpAddress(), port}});
}

Result<DatagramSocket> Host::bind_datagram(const Endpoint& local) {
  const Result<DatagramId> port = stack().bind_datagram(local);
  if (!port) return std::unexpected(port.error());
  return DatagramSocket(*loop_, *port);
}

SleepOperation Host::sleep(Duration duration) {
  return {loop_.get(), duration};
}
DescriptorOperation Host::readable(int descriptor) {
  return {loop_.get(), descriptor, DescriptorOperation::Direction::in};
}
DescriptorOperation Host::writable(int descriptor) {
  return {loop_.get(), descriptor, DescriptorOperation::Direction::out};
}
DescriptorOperation Host::hung_up(int descriptor) {
  return {loop_.get(), descriptor, DescriptorOperation::Direction::end};
}
SignalOperation Host::signal(int number) {
  return {loop_.get(), number};
}

}  // namespace estab
