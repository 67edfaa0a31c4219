// Recovery: a connection with SACK, and with NewReno, in the middle of a flight.
#pragma once

#include <string>

#include "stack/testing/opened.h"

namespace estab::script {

inline TcpConfig reno() {
  TcpConfig tcp;
  tcp.congestion_control = CongestionControl::new_reno;
  tcp.tail_loss_probe = false;
  return tcp;
}

inline constexpr const char* kSackAndTimestamps = "mss 1012,sackOK,TS val 5 ecr 0";

/// Ten segments in flight, ten more waiting; a peer with SACK, 100 ms away.
struct Recovery : testing::Test {
  Recovery() {
    peer.send(20000);
    peer.out_run(1, 10001);
    peer.quiet();
    peer.after(100ms);
  }
  void sack(int ack, const std::string& blocks) { sack(peer, ack, blocks); }
  static void sack(Opened& to, int ack, const std::string& blocks) {
    to.in(". 1:1(0) ack " + std::to_string(ack) + " win 65535 <nop,nop,sack " + blocks + ">");
  }
  Opened peer{{.tcp = reno(), .options = "mss 1000,sackOK"}};
};

}  // namespace estab::script
