// EarlyData: what an application sends before its connection is open. RFC 9293 §3.10.2: in SYN-SENT
// and SYN-RECEIVED the data is queued for transmission after entering ESTABLISHED; §3.10.4: so is
// the end of the direction.
//
// Law: nothing of it goes out before hand_over, and then as if it had been sent there and then,
// call by call. It holds no more than the send buffer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "estab/config.h"
#include "estab/error.h"
#include "estab/octets.h"
#include "estab/stack.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp {

class Connection;
struct Context;

class EarlyData {
 public:
  Result<std::size_t> send(const TcpConfig& config, Octets octets, SendMode mode);
  Result<void> send_owned(const TcpConfig& config, Octets octets, std::shared_ptr<const void> owner,
                          SendMode mode);
  Result<void> shutdown();

  std::size_t size() const { return size_; }
  std::size_t room(const TcpConfig& config) const;
  std::size_t memory() const;
  bool empty() const { return writes_.empty() && !fin_; }
  /// Gives everything to the connection this has become.
  void hand_over(const Context& context, Connection& connection);

  friend bool operator==(const EarlyData&, const EarlyData&) = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  struct Write {
    std::vector<std::uint8_t> copied;
    Octets lent;
    std::shared_ptr<const void> owner;
    SendMode mode;
    Octets octets() const { return owner ? lent : Octets(copied); }
    friend bool operator==(const Write& a, const Write& b) {
      return a.mode == b.mode && std::ranges::equal(a.octets(), b.octets());
    }
  };

  std::vector<Write> writes_;
  std::size_t size_ = 0;
  bool fin_ = false;
  bool refused_ = false;  // something found no room: the application waits for it
};

}  // namespace estab::tcp
