// The fields of struct tcp_info by their names, as assertions use them.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "estab/posix.h"

namespace estab::drill {

class TcpInfoFields {
 public:
  TcpInfoFields(posix::Sockets& sockets, Instant now, int descriptor);
  ~TcpInfoFields();
  /// A field, or a constant such as TCP_ESTABLISHED. Nothing if there is no such name.
  std::optional<double> find(std::string_view name) const;

 private:
  struct Info;
  std::unique_ptr<Info> info_;
};

}  // namespace estab::drill
