// The slots of streams, listeners and UDP ports: where operations wait, and what events left
// behind.
#pragma once

#include <optional>

#include "estab/error.h"
#include "estab/operation.h"

namespace estab::host {

inline void cancel_at(Wait* place, Error error) {
  if (place) place->cancel(error);
}

struct StreamSlot {
  Wait* reader = nullptr;  ///< also connect
  Wait* writer = nullptr;
  Wait* closer = nullptr;
  Wait* urgent_waiter = nullptr;
  bool connected = false;
  bool closed = false;
  bool peer_closed = false;
  bool urgent = false;  ///< the pointer moved, and urgent_arrived() has not told it yet
  std::optional<Error> failure;
  std::optional<Error> soft_error;

  void cancel(Error error) {
    for (Wait* wait : {reader, writer, closer, urgent_waiter}) cancel_at(wait, error);
  }
};

struct ListenerSlot {
  Wait* acceptor = nullptr;
  void cancel(Error error) { cancel_at(acceptor, error); }
};

struct DatagramSlot {
  Wait* receiver = nullptr;
  std::optional<Error> failure;
  void cancel(Error error) { cancel_at(receiver, error); }
};

}  // namespace estab::host
