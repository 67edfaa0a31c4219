// EarlyData: what an application sends before its connection is open. RFC 9293 §3.10.2: in SYN-SENT
// and SYN-RECEIVED the data is queued for transmission after entering ESTABLISHED; §3.10.4: so is
// the end of the direction.
//
// Law: it holds no more than the send buffer, in the form in which the Sender will hold it, so that
// handing over needs no memory and cannot fail.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "estab/config.h"
#include "estab/error.h"
#include "estab/octets.h"
#include "estab/stack.h"

#include "tcp/send/outgoing.h"

namespace estab::tcp {

class EarlyData {
 public:
  /// The room there is, or Error::would_block: then the application waits for some.
  Result<std::size_t> await_room(const TcpConfig& config);
  Result<std::size_t> send(const TcpConfig& config, Octets octets, SendMode mode, BlockPool& pool);
  Result<void> send_owned(const TcpConfig& config, Octets octets,
                          const std::shared_ptr<const void>& owner, SendMode mode, BlockPool& pool);
  Result<void> shutdown();
  void refuse_input() { refuses_input_ = true; }

  std::size_t size() const { return outgoing_.size(); }
  std::size_t room(const TcpConfig& config) const;
  std::size_t memory() const { return outgoing_.memory(); }

  /// The first octets, as many as `most` and as the views can point at.
  SendQueue::Gathered gather(std::uint32_t most, std::span<Octets> views) const {
    const auto there = std::min<std::size_t>(most, outgoing_.size());
    return outgoing_.gather(kFirstOctet, static_cast<std::uint32_t>(there), views);
  }

  // ---- for whom takes it over
  Outgoing take() { return std::move(outgoing_); }
  bool fin() const { return fin_; }
  bool refuses_input() const { return refuses_input_; }
  /// Something found no room: the application waits for it.
  bool refused() const { return refused_; }
  /// What found no room may find some now: the application is to be told.
  void on_reconfigured(const TcpConfig& config);
  bool writable_due() const { return writable_due_; }
  bool take_writable() { return std::exchange(writable_due_, false); }

  friend bool operator==(const EarlyData&, const EarlyData&) = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  Outgoing outgoing_;
  bool fin_ = false;
  bool refused_ = false;
  bool writable_due_ = false;
  bool refuses_input_ = false;
};

}  // namespace estab::tcp
