// The small connection that `estab demo` draws: our stack serves, a socket of this machine's kernel
// is the client. Both play their part step by step, so that every segment stands by itself: ours
// closes first, the kernel's end still sends, then closes too, and ours waits out its 2 MSL.
#pragma once

#include <cstdint>
#include <string>

#include "estab/address.h"
#include "estab/host.h"
#include "estab/recorder.h"

namespace estab::tools {

struct ConversationOutcome {
  std::string heard_by_kernel;  ///< what the socket read up to the end of the stream
  std::string heard_by_stack;   ///< what our end read up to the end of the stream
  std::string trouble;          ///< empty if both sides could play to the end
};

/// Plays it on that port of the stack's address, and waits for the end of TIME-WAIT. Remarks of
/// what the applications do go into the recorder, at its end 0.
Task<ConversationOutcome> converse_with_kernel(Host& host, Recorder& recorder,
                                               const Endpoint& server);

}  // namespace estab::tools
