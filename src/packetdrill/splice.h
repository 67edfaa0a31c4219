// splice(2) between a socket of ours and a real pipe.
#pragma once

#include <sys/types.h>

#include "packetdrill/machine.h"

namespace estab::packetdrill {

struct SpliceEnd {
  int fd;
  const loff_t* offset;
};

/// As the call: the octets moved, or -1 and an errno.
posix::Outcome splice(Machine& machine, SpliceEnd from, SpliceEnd to, std::size_t count,
                      unsigned flags);

}  // namespace estab::packetdrill
