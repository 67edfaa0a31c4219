// Application: one end of one connection, as a program would use it: it is driven by events alone
// (it reads when told that there is something to read, writes until it is told to wait), makes
// pauses, and checks every octet it gets. A value: a copy does the same in the copy of its world.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "estab/error.h"
#include "estab/event.h"
#include "estab/stack.h"

#include "properties/draw.h"
#include "properties/pattern.h"
#include "properties/scenario.h"

namespace estab::properties {

class Application {
 public:
  Application(const AppPlan& plan, const AppPlan& peer);

  /// The connection is there: opening (then it waits for the event) or accepted.
  enum class Start : std::uint8_t { opening, accepted };
  void adopt(StreamId stream, Start start);
  void on_event(const StreamEvent& event);
  /// Does what may be done now, if anything, and says whether it did.
  bool act(Instant now, Stack& stack);
  /// When it wants to act by itself.
  Instant wake(Instant now) const;

  bool has_stream() const { return static_cast<bool>(stream_); }
  StreamId stream() const { return stream_; }
  /// It has let go of its connection.
  bool done() const { return done_; }
  const std::optional<Error>& failure() const { return failure_; }
  bool aborted() const { return aborted_; }
  std::uint64_t written() const { return written_; }
  std::uint64_t read() const { return read_; }
  bool read_to_the_end() const { return peer_ended_; }
  /// How many octets it will read in all.
  std::uint64_t expected() const { return expected_; }
  /// Behind the last octet of each urgent call.
  const std::vector<std::uint64_t>& urgent_marks() const { return marks_; }
  /// The first thing that was not as it must be; empty if all was well.
  const std::string& complaint() const { return complaint_; }
  /// Octets lent to the stack and not given back.
  bool is_owed() const;

 private:
  void complain(const std::string& what);
  bool try_read(Instant now, Stack& stack);
  bool read_by_copy(Instant now, Stack& stack);
  bool read_in_place(Instant now, Stack& stack);
  void check(Octets octets);
  void check_run(Octets octets, std::uint64_t position);
  void check_apart(const Stack& stack);
  bool on_nothing_read(const Stack& stack, Error error);
  bool try_write(Instant now, Stack& stack);
  bool write_owned(Instant now, Stack& stack, Octets octets);
  void note_written(std::size_t taken);
  void draw_call();
  bool try_end(Instant now, Stack& stack);
  bool try_let_go(Instant now, Stack& stack);
  void fail(Error error);

  AppPlan plan_;
  Pattern mine_, theirs_;
  std::optional<std::uint64_t> apart_;  // where the peer's stream lacks an octet, which comes apart
  std::uint64_t expected_;              // octets of the peer
  Draw draw_;
  StreamId stream_{};
  std::uint64_t written_ = 0, read_ = 0;
  std::size_t call_left_ = 0;  // octets of the call to send that have not been taken yet
  SendMode mode_ = SendMode::normal;
  bool may_read_ = false, may_write_ = false;
  bool ended_ = false, peer_ended_ = false, aborted_ = false, done_ = false;
  Instant read_at_{}, write_at_{}, end_at_ = kNever, let_go_at_ = kNever;
  std::optional<Error> failure_{};
  std::vector<std::weak_ptr<const void>> lent_{};
  std::vector<std::uint64_t> marks_{};
  std::string complaint_{};
};

}  // namespace estab::properties
