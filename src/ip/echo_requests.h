// EchoRequests: what has been asked of whom (RFC 792, RFC 4443 §4.1), so that a reply is told of
// only if it answers something. Law: bounded; the oldest request makes way for a new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "estab/address.h"

#include "base/hasher.h"
#include "base/ring.h"

namespace estab::ip {

class EchoRequests {
 public:
  struct Request {
    IpAddress to;
    std::uint16_t identifier = 0;
    std::uint16_t sequence = 0;
    friend bool operator==(const Request&, const Request&) = default;
  };

  explicit EchoRequests(std::size_t most) : most_(most) {}

  void add(const Request& request) {
    if (most_ == 0) return;
    if (waiting_.size() >= most_) waiting_.drop_front();
    waiting_.push_back(request);
  }
  /// Whether a reply answers something. The first from a host is the only one; a group or a
  /// broadcast address stands for hosts without number.
  template <class IsForMany>
  bool accept_reply(const Request& reply, IsForMany&& is_for_many) {
    for (const Request& asked : waiting_) {
      if (asked.identifier != reply.identifier || asked.sequence != reply.sequence) continue;
      if (asked.to == reply.to) return remove_one(reply);
      if (asked.to.family() == reply.to.family() && is_for_many(asked.to)) return true;
    }
    return false;
  }

  std::size_t memory() const { return waiting_.memory(); }
  friend bool operator==(const EchoRequests&, const EchoRequests&) = default;
  void hash_into(base::Hasher& hasher) const {
    hasher.add_all(most_, waiting_.size());
    for (const Request& asked : waiting_)
      hasher.add_all(asked.to, asked.identifier, asked.sequence);
  }

 private:
  bool remove_one(const Request& answered) {
    bool removed = false;
    for (std::size_t left = waiting_.size(); left > 0; --left) {
      const Request asked = waiting_.pop_front();
      if (removed || asked != answered) waiting_.push_back(asked);
      removed = removed || asked == answered;
    }
    return removed;
  }

  std::size_t most_;
  base::Ring<Request> waiting_;
};

}  // namespace estab::ip
