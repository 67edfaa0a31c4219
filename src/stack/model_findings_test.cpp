// What the exhaustive exploration (tests/model) found, each as the shortest script that shows it.

#include "stack/testing/peer.h"

namespace estab::script {
namespace {

class ModelFinding : public EachFamily {};
INSTANTIATE_TEST_SUITE_P(Families, ModelFinding, both_families(), family_name);

// An old SYN brought a listener to SYN-RECEIVED, while the peer still has another connection from
// those ports (whose other end here is gone). Its segments lie outside the window, and answered
// with an ACK they would be answered in turn, until the opening was given up.
TEST_P(ModelFinding, AnOldSynDoesNotKeepThePeersDeadConnectionAlive) {
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.in("F. 500000:500000(0) ack 700001 win 65535");
  peer.out("R 700001:700001(0) win 0 <>");  // what the peer's connection expects: it is reset
  EXPECT_EQ(peer.state(), State::syn_received);
  peer.in("R 1:1(0) win 0");  // the peer knows nothing of the old SYN
  EXPECT_EQ(peer.state(), State::listen);
  peer.quiet();
}

}  // namespace
}  // namespace estab::script
