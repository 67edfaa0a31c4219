// KernelSubject: the kernel's own TCP as a subject, over a TUN. What is written to a TUN is
// processed before the write returns, so that reading until nothing is left shows all that
// followed.
#pragma once

#include "device/netlink_socket.h"
#include "oracle/kernel_namespace.h"
#include "oracle/subject.h"

namespace estab::oracle {

class KernelSubject final : public Subject {
 public:
  explicit KernelSubject(KernelNamespace&& in);

  void begin(const FourTuple& tuple, const ReceiveRoom& room) override;
  void end(Octets reset) override;
  void inject(Octets datagram) override;
  void wait(Duration span) override;
  bool take_frame(std::vector<std::uint8_t>& into) override;
  State state() override;

  posix::Outcome socket(int domain) override;
  posix::Outcome bind(int fd, const Endpoint& local) override;
  posix::Outcome listen(int fd, int backlog) override;
  posix::Outcome accept(int fd) override;
  posix::Outcome connect(int fd, const Endpoint& remote) override;
  posix::Outcome send(int fd, Octets octets, int flags) override;
  posix::Outcome recv(int fd, MutableOctets into, int flags) override;
  posix::Outcome shutdown(int fd, int how) override;
  posix::Outcome close(int fd) override;
  posix::Outcome set_option(int fd, int level, int option, Octets value) override;
  posix::Outcome get_option(int fd, int level, int option, MutableOctets value) override;
  posix::Outcome ioctl(int fd, unsigned long request, void* argument) override;
  posix::Outcome poll(int fd, short events) override;

 private:
  void drain();

  KernelNamespace in_;
  device::NetlinkSocket diagnosis_;  // tells states
  FourTuple tuple_{};
};

}  // namespace estab::oracle
