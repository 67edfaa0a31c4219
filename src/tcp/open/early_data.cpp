#include "tcp/open/early_data.h"

#include <algorithm>
#include <utility>

#include "base/public_fields.h"

namespace estab::tcp {

std::size_t EarlyData::room(const TcpConfig& config) const {
  return fin_ ? 0 : outgoing_.room(config.send_buffer);
}

Result<std::size_t> EarlyData::await_room(const TcpConfig& config) {
  if (fin_) return std::unexpected(Error::already_shut_down);
  if (const std::size_t there = room(config); there > 0) return there;
  refused_ = true;
  return std::unexpected(Error::would_block);
}

Result<std::size_t> EarlyData::send(const TcpConfig& config, Octets octets, SendMode mode,
                                    BlockPool& pool) {
  if (fin_) return std::unexpected(Error::already_shut_down);
  const std::size_t n = std::min(octets.size(), room(config));
  refused_ = refused_ || n < octets.size();
  if (n == 0 && !octets.empty()) return std::unexpected(Error::would_block);
  outgoing_.append(octets.first(n), n < octets.size() ? SendMode::normal : mode, pool);
  return n;
}

Result<void> EarlyData::send_owned(const TcpConfig& config, Octets octets,
                                   const std::shared_ptr<const void>& owner, SendMode mode,
                                   BlockPool& pool) {
  if (const auto there = await_room(config); !there) return std::unexpected(there.error());
  outgoing_.append_owned(octets, owner, mode, pool);
  return {};
}

void EarlyData::on_reconfigured(const TcpConfig& config) {
  if (!refused_ || room(config) == 0) return;
  refused_ = false;
  writable_due_ = true;
}

Result<void> EarlyData::shutdown() {
  if (std::exchange(fin_, true)) return std::unexpected(Error::already_shut_down);
  return {};
}

void EarlyData::hash_into(base::Hasher& hasher) const {
  const auto& [outgoing, fin, refused, writable_due, refuses_input] = *this;
  hasher.add_all(outgoing, fin, refused, writable_due, refuses_input);
}

}  // namespace estab::tcp
