// EstabSubject: the stack and its socket calls as a subject. Law: time is virtual and moves by
// microseconds only, as it does for the other; no timer runs out.
#pragma once

#include <memory>

#include "oracle/subject.h"

namespace estab::oracle {

class EstabSubject : public Subject {
 public:
  EstabSubject();
  ~EstabSubject() override;

  void begin(const FourTuple& tuple, const ReceiveRoom& room) override;
  void end(Octets reset) override;
  void inject(Octets datagram) override;
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
  struct World;
  Instant tick();
  std::unique_ptr<World> world_;
};

}  // namespace estab::oracle
