// Signals: what a connection has to tell its application, until it is asked. Told once, together.
#pragma once

#include <optional>
#include <utility>

#include "estab/event.h"

#include "base/box.h"
#include "base/public_fields.h"

namespace estab::tcp {

struct Signals {
  bool readable = false, writable = false, peer_closed = false, urgent = false, closed = false;
  std::optional<Error> failure, soft_error;
  base::Box<IcmpReport> reported;  // whom the soft error came from, if by ICMP: hardly ever

  bool any() const {
    return readable || writable || peer_closed || urgent || closed || failure || soft_error;
  }
  /// All of it, without the handle; nothing is left to tell.
  StreamEvent take() {
    const Signals told = std::exchange(*this, Signals{});
    return {.stream = {},
            .readable = told.readable,
            .writable = told.writable,
            .peer_closed = told.peer_closed,
            .urgent = told.urgent,
            .closed = told.closed,
            .failure = told.failure,
            .soft_error = told.soft_error,
            .reported = told.reported ? std::optional(*told.reported) : std::nullopt};
  }

  friend bool operator==(const Signals&, const Signals&) = default;
  void hash_into(base::Hasher& hasher) const {
    const auto& [can_read, can_write, fin, mark, over, why, advice, report] = *this;
    hasher.add_all(can_read, can_write, fin, mark, over, why, advice, report);
  }
};

}  // namespace estab::tcp
