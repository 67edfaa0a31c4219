// System calls: when they begin, what they give, and those that block.
#include <fmt/format.h>

#include "drill/refusal.h"
#include "drill/runner.h"
#include "drill/symbols.h"

namespace estab::drill {
namespace {

/// How long a call is waited for that the script has no time for.
constexpr Duration kLongestWait = std::chrono::hours(24);

std::string result_text(const posix::Outcome& outcome) {
  if (outcome.value >= 0 || outcome.error == 0) return std::to_string(outcome.value);
  return fmt::format("{} {}", outcome.value, error_name(outcome.error));
}

std::string expected_text(const SystemCall& call) {
  std::string text = call.result.text.empty() ? "..." : call.result.text;
  if (call.result.kind == Expression::Kind::integer) text = call.result.text;
  return call.error.empty() ? text : text + " " + call.error;
}

}  // namespace

void Runner::run_call(const ScriptEvent& event, const SystemCall& call) {
  await_blocked();
  line_ = event.line;
  const EventTime& time = event.time;
  const Instant must_end = call.ends ? at(time, *call.ends) : kNever;
  wait_until_due(event);
  ReadyCall ready = make_ready(call, world().sockets(), setting_);
  posix::Outcome outcome = ready.attempt(world().now());
  connections_.note_call(ready, outcome, world().sockets());
  if (call.ends) {
    blocked_ =
        std::make_unique<BlockedCall>(BlockedCall{&event, &call, std::move(ready), must_end});
    return run_blocking_call(outcome);
  }
  world().settle();
  if (outcome.waits) outcome = finish_now(ready, outcome);
  check_result(call, ready, outcome);
}

void Runner::run_blocking_call(const posix::Outcome& first) {
  if (!first.waits) {
    blocked_->outcome = first;
    blocked_->ended = world().now();
    world().settle();
    return check_blocked();
  }
  world().set_waiter([this] { return retry_blocked(); });
  world().settle();
}

Instant Runner::retry_blocked() {
  if (!blocked_ || blocked_->outcome) return kNever;
  const posix::Outcome outcome = blocked_->ready.attempt(world().now());
  if (outcome.waits) return outcome.until;
  blocked_->outcome = outcome;
  blocked_->ended = world().now();
  return kNever;
}

// The script goes on only when the call has returned, as if it had been made by the thread that
// reads the script.
posix::Outcome Runner::finish_now(ReadyCall& ready, posix::Outcome outcome) {
  const Instant limit = world().now() + kLongestWait;
  world().set_waiter([&] {
    if (outcome.waits) outcome = ready.attempt(world().now());
    return outcome.waits ? outcome.until : kNever;
  });
  world().settle();
  while (outcome.waits && world().step(limit)) {
  }
  world().set_waiter({});
  if (outcome.waits)
    throw Mismatch{
        "the call blocks and nothing will wake it; a call that is to block has a time at "
        "which it returns, as in +0...0.2"};
  return outcome;
}

void Runner::await_blocked() {
  if (!blocked_) return;
  const Instant limit = std::max(blocked_->must_end + tolerance_, world().now());
  while (!blocked_->outcome && world().step(limit)) {
  }
  check_blocked();
}

void Runner::check_blocked() {
  world().set_waiter({});
  const std::unique_ptr<BlockedCall> ended = std::move(blocked_);
  line_ = ended->event->line;
  if (!ended->outcome)
    throw Mismatch{fmt::format("the call has not returned by {}, expected at {}",
                               moment(world().now()), moment(ended->must_end))};
  if (ended->ended > ended->must_end + tolerance_ || ended->ended < ended->must_end - tolerance_)
    throw Mismatch{fmt::format("the call returned at {}, expected at {}", moment(ended->ended),
                               moment(ended->must_end)),
                   expected_text(*ended->call), result_text(*ended->outcome)};
  if (ended->ready.effect != ReadyCall::Effect::connects)
    connections_.note_call(ended->ready, *ended->outcome, world().sockets());
  check_result(*ended->call, ended->ready, *ended->outcome);
}

void Runner::check_result(const SystemCall& call, const ReadyCall& ready,
                          const posix::Outcome& outcome) {
  const auto fail = [&](const std::string& what) {
    throw Mismatch{fmt::format("{}: {}", call.name, what), "= " + expected_text(call),
                   "= " + result_text(outcome)};
  };
  if (!call.result.is_ellipsis()) {
    const std::int64_t expected = number_of(call.result);
    if (ready.gives == ReadyCall::Gives::descriptor && expected >= 0) {
      if (outcome.value < 0) fail("the call failed");
      setting_.descriptors[static_cast<int>(expected)] = static_cast<int>(outcome.value);
    } else if (outcome.value != expected) {
      fail("another result");
    }
  }
  if (!call.error.empty()) {
    const auto error = symbol(call.error);
    if (!error) mistake("the error '" + call.error + "' is not known");
    if (outcome.error != *error) fail("another error");
  }
  if (ready.check)
    if (const auto found = ready.check(outcome)) fail(*found);
}

}  // namespace estab::drill
