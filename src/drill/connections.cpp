#include "drill/connections.h"

#include <cerrno>

namespace estab::drill {
namespace {

using GetName = posix::Outcome (posix::Sockets::*)(int, sockaddr*, socklen_t*);

Endpoint name_of(posix::Sockets& sockets, int descriptor, GetName get) {
  SocketAddress address;
  address.length = sizeof address.storage;
  (sockets.*get)(descriptor, address.get(), &address.length);
  return endpoint_of(address);
}

}  // namespace

TestSocket& Connections::add(int descriptor) {
  TestSocket& socket = sockets_.emplace_back();
  socket.descriptor = descriptor;
  socket.flow = Flow(remote_shift_);
  under_test_ = &socket;
  return socket;
}

TestSocket& Connections::find(int descriptor) {
  for (auto socket = sockets_.rbegin(); socket != sockets_.rend(); ++socket)
    if (socket->descriptor == descriptor) return *socket;
  return add(descriptor);
}

void Connections::name_passive(TestSocket& socket, std::uint16_t local_port) {
  socket.flow.tuple = {setting_.local.address, setting_.remote.address, local_port,
                       next_remote_port_++};
  socket.has_tuple = true;
}

void Connections::note_accept(int descriptor, posix::Sockets& sockets) {
  const Endpoint peer = name_of(sockets, descriptor, &posix::Sockets::getpeername);
  for (TestSocket& socket : sockets_)
    if (socket.has_tuple && socket.descriptor == -1 && socket.flow.tuple.remote() == peer) {
      socket.descriptor = descriptor;
      under_test_ = &socket;
      return;
    }
  TestSocket& socket = add(descriptor);
  socket.role = TestSocket::Role::connected;
}

void Connections::note_call(const ReadyCall& call, const posix::Outcome& outcome,
                            posix::Sockets& sockets) {
  const bool succeeded = outcome.value >= 0 && !outcome.waits;
  const bool under_way = outcome.waits || outcome.error == EINPROGRESS;
  switch (call.effect) {
    case ReadyCall::Effect::opens:
      if (succeeded) add(static_cast<int>(outcome.value));
      return;
    case ReadyCall::Effect::listens:
      if (succeeded) {
        under_test_ = &find(call.descriptor);
        under_test_->role = TestSocket::Role::listening;
      }
      return;
    case ReadyCall::Effect::connects: {
      if (!succeeded && !under_way) return;
      TestSocket& socket = find(call.descriptor);
      under_test_ = &socket;
      if (socket.role != TestSocket::Role::fresh) return;
      socket.role = TestSocket::Role::connecting;
      socket.has_tuple = false;
      socket.flow = Flow(remote_shift_);
      socket.flow.tuple.remote_address = call.remote.address;
      socket.flow.tuple.remote_port = call.remote.port;
      return;
    }
    case ReadyCall::Effect::accepts:
      if (succeeded) note_accept(static_cast<int>(outcome.value), sockets);
      return;
    default:
      return;
  }
}

TestSocket& Connections::receiver() {
  if (under_test_ == nullptr) {
    TestSocket& socket = add(-1);
    name_passive(socket, setting_.local.port);
  } else if (under_test_->role == TestSocket::Role::listening) {
    TestSocket& child = add(-1);
    child.role = TestSocket::Role::connected;
    name_passive(child, setting_.local.port);
  } else if (!under_test_->has_tuple && under_test_->role == TestSocket::Role::fresh) {
    name_passive(*under_test_, setting_.local.port);
  }
  return *under_test_;
}

bool Connections::takes(TestSocket& socket, const FourTuple& sent, Opens opens) {
  if (socket.has_tuple) return socket.flow.tuple == sent;
  const bool may_be_first = socket.role == TestSocket::Role::connecting &&
                            sent.remote() == socket.flow.tuple.remote() && opens == Opens::yes;
  if (!may_be_first) return false;
  socket.flow.tuple = sent;
  socket.has_tuple = true;
  return true;
}

}  // namespace estab::drill
