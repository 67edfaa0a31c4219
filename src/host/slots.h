// The slots of streams, listeners and UDP ports: where operations wait, and what events left
// behind.
#pragma once

#include <deque>
#include <optional>

#include "estab/error.h"
#include "estab/event.h"
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

struct ForwarderSlot {
  Wait* waiter = nullptr;
  Wait* flow_waiter = nullptr;
  std::deque<OfferEvent> offers;  ///< that nobody has taken yet; the guest may have given up some
  std::deque<DatagramFlowEvent> flows;  ///< the same; all are good until they are closed
  void cancel(Error error) {
    cancel_at(waiter, error);
    cancel_at(flow_waiter, error);
  }
};

struct DatagramFlowSlot {
  Wait* receiver = nullptr;
  void cancel(Error error) { cancel_at(receiver, error); }
};

}  // namespace estab::host
