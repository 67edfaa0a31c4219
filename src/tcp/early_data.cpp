#include "tcp/early_data.h"

#include <algorithm>
#include <utility>

#include "base/hasher.h"
#include "tcp/connection.h"

namespace estab::tcp {

std::size_t EarlyData::room(const TcpConfig& config) const {
  return !fin_ && config.send_buffer > size_ ? config.send_buffer - size_ : 0;
}

Result<std::size_t> EarlyData::send(const TcpConfig& config, Octets octets, SendMode mode) {
  if (fin_) return std::unexpected(Error::already_shut_down);
  const std::size_t n = std::min(octets.size(), room(config));
  refused_ = refused_ || n < octets.size();
  if (n == 0 && !octets.empty()) return std::unexpected(Error::would_block);
  const SendMode effective = n < octets.size() ? SendMode::normal : mode;
  const Octets taken = octets.first(n);
  writes_.push_back({{taken.begin(), taken.end()}, {}, nullptr, effective});
  size_ += n;
  return n;
}

Result<void> EarlyData::send_owned(const TcpConfig& config, Octets octets,
                                   std::shared_ptr<const void> owner, SendMode mode) {
  if (fin_) return std::unexpected(Error::already_shut_down);
  if (room(config) == 0) {
    refused_ = true;
    return std::unexpected(Error::would_block);
  }
  if (!owner) owner = std::make_shared<int>();  // the octets outlive us of themselves
  writes_.push_back({{}, octets, std::move(owner), mode});
  size_ += octets.size();
  return {};
}

Result<void> EarlyData::shutdown() {
  if (std::exchange(fin_, true)) return std::unexpected(Error::already_shut_down);
  return {};
}

std::size_t EarlyData::memory() const {
  std::size_t octets = writes_.capacity() * sizeof(Write);
  for (const Write& write : writes_) octets += write.copied.capacity();
  return octets;
}

// What the connection has come to refuse by now (a reset came with the handshake's end), it refuses
// here too; the application learns of it from the connection.
void EarlyData::hand_over(const Context& context, Connection& connection) {
  for (Write& write : writes_) {
    if (write.owner) {
      (void)connection.send_owned(context, write.lent, std::move(write.owner), write.mode);
    } else {
      (void)connection.send(context, write.copied, write.mode);
    }
  }
  if (refused_) connection.want_writable();
  if (fin_) (void)connection.shutdown(context);
  *this = {};
}

void EarlyData::hash_into(base::Hasher& hasher) const {
  hasher.add_all(size_, fin_, refused_);
  for (const Write& write : writes_) hasher.add_all(write.mode, write.octets());
}

}  // namespace estab::tcp
