// OpeningOperation: a stream that opens, until it is open or has failed. What opens it (connect,
// the SYN of a guest that is accepted) is the derived operation's.
#pragma once

#include <optional>

#include "estab/error.h"
#include "estab/icmp_report.h"
#include "estab/id.h"
#include "estab/operation.h"
#include "estab/tcp_stream.h"

namespace estab {

class OpeningOperation : public Operation<Result<TcpStream>> {
 public:
  explicit OpeningOperation(host::Loop* loop) : Operation(loop) {}
  /// Once it has failed: what ICMP said of the destination, and who said it. For this the operation
  /// needs a name:
  ///
  ///   ConnectOperation opening = host.connect(options);
  ///   auto stream = co_await std::move(opening);
  ///   if (!stream && opening.icmp_report()) ...
  const std::optional<IcmpReport>& icmp_report() const { return report_; }

 protected:
  /// Aborts an opening that is still under way.
  ~OpeningOperation();
  /// Begins it: called once.
  virtual Result<StreamId> open(Instant now) = 0;

 private:
  bool attempt(Instant now) final;
  void fail(Error error) final;
  Wait** place() final;
  void expire() final { fail(Error::connect_timed_out); }
  std::optional<IcmpReport> report_;
  StreamId stream_;
};

}  // namespace estab
