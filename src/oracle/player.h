// play: runs a sequence on a subject and records the answer to each step.
#pragma once

#include <vector>

#include "oracle/answer.h"
#include "oracle/conversation.h"
#include "oracle/sequence.h"
#include "oracle/subject.h"

namespace estab::oracle {

struct Played {
  std::vector<Answer> answers;  ///< one for each step
  ReceiveRoom room;             ///< as the host announced it
  /// Where the segments of the sequence stood: numbers relative to the origins.
  std::vector<Conversation::Resolved> resolved;
};

/// `number` chooses the ends, so that no two plays meet.
Played play(Subject& subject, const Sequence& sequence, const ReceiveRoom& room,
            std::uint32_t number);

}  // namespace estab::oracle
