// The parts of explain_departure, one for each kind of segment.
#pragma once

#include "trace/explain.h"

namespace estab::trace {

bool is_retransmission(SendReason reason);

void say_syn(const SegmentFacts& facts, Words& words);
void say_data(const SegmentFacts& facts, Words& words);
void say_fin(const SegmentFacts& facts, Words& words);
void say_ack(const SegmentFacts& facts, SendReason reason, Words& words);
void say_again(const SegmentFacts& facts, SendReason reason, Words& words);
void say_probe(const SegmentFacts& facts, SendReason reason, Words& words);
void say_reset(const SegmentFacts& facts, Words& words);

/// `octets 1 to 5`, `octet 7`; with a SYN or FIN among them, that too.
std::string numbers_text(const SegmentFacts& facts);

}  // namespace estab::trace
