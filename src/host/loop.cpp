#include "host/loop.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <stdexcept>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <sys/random.h>

namespace estab::host {

namespace {

// Coroutines that keep each other busy get this many turns before the network gets one.
constexpr int kPassesPerRound = 16;
/// No scheduler keeps a process waiting that long: it was stopped, or the machine slept.
constexpr Duration kStandstill = std::chrono::milliseconds(500);

std::array<std::uint64_t, 2> random_seed() {
  std::array<std::uint64_t, 2> seed;
  while (getrandom(seed.data(), sizeof seed, 0) != sizeof seed)
    if (errno != EINTR) throw_errno("getrandom");
  return seed;
}

StackConfig with_seed(const HostOptions& options) {
  StackConfig config = options.stack;
  if (options.seed) {
    config.seed = *options.seed;
  } else if (config.seed == StackConfig{}.seed) {
    config.seed = random_seed();
  }
  return config;
}

/// For destructors, from which nothing may be thrown. Without memory the stack has noted what is to
/// be done, and does it with the next call it gets.
template <class Call>
void without_fail(Call&& call) {
  try {
    call();
  } catch (...) {
  }
}

/// Sets a flag for as long as it lives; a round within a round leaves it as it is.
class Raised {
 public:
  explicit Raised(bool& flag) : flag_(flag), before_(std::exchange(flag, true)) {}
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;
  ~Raised() { flag_ = before_; }

 private:
  bool& flag_;
  bool before_;
};

}  // namespace

Instant machine_time() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

Loop::Loop(const HostOptions& options)
    : linger_(options.linger),
      clock_(options.clock),
      stack_(with_seed(options)),
      links_(stack_, poller_, std::max<std::size_t>(options.burst, 1),
             [this](Wait& wait) { wake(wait); }) {
  poller_.watch(inbox_.descriptor(), EPOLLIN, {PollTag::Kind::inbox, 0});
}

Loop::~Loop() {
  tasks_.clear();
  without_fail([this] { links_.transmit_all(time()); });
}

// ---- running

void Loop::run() {
  Instant linger_until = kNever;
  for (;;) {
    Duration timeout = kForever;
    if (tasks_.foreground() == 0) {
      if (linger_until == kNever) linger_until = time() + linger_;
      timeout = linger_until - time();
      if (!delivering() || timeout <= Duration::zero()) {
        run_once(Duration::zero());
        return;
      }
    } else {
      linger_until = kNever;
    }
    if (!run_once(timeout)) return;
  }
}

bool Loop::run_until(Instant until) {
  do {
    const Instant before = time();
    if (!run_once(std::max(until, before) - before)) return false;
  } while (time() < until || next_deadline() <= until);
  return true;
}

bool Loop::finish(Duration limit) {
  const Instant until = time() + limit;
  while (delivering()) {
    const Duration left = until - time();
    if (left <= Duration::zero() || !run_once(left)) return !delivering();
  }
  run_once(Duration::zero());
  return true;
}

void Loop::finish_quietly(Duration limit) {
  if (in_round_) return;
  const Instant until = time() + limit;
  while (delivering() && !inbox_.stopping() && time() < until) {
    turn(until - time());
    failures_.forget();
  }
  turn(Duration::zero());
}

bool Loop::run_once(Duration timeout) {
  turn(timeout);
  failures_.rethrow_first();
  return !inbox_.take_stop();
}

void Loop::turn(Duration timeout) {
  if (in_round_)
    throw std::logic_error("a Host's loop was run from within a coroutine or call that it runs");
  if (!failures_.empty()) return;  // first those that are on their way
  const Raised raised(in_round_);
  const Instant before = now_;
  now_ = time();
  stood_still_ = now_ - before >= kStandstill;
  // Whoever called may have waited for what this alone brings about.
  if (work_until_idle()) timeout = Duration::zero();
  if (!inbox_.stopping()) round(now_ + timeout);
}

void Loop::round(Instant until) {
  std::span<const epoll_event> events;
  const Instant asked = std::max(now_, std::min(until, next_deadline()));
  shielded([&] { events = wait(asked); });
  links_.allow_burst();
  now_ = time();
  stood_still_ |= now_ - asked >= kStandstill;
  busy_ = !failures_.empty();
  for (const epoll_event& event : events) shielded([&] { on_poll_event(event); });
  shielded([this] { busy_ |= links_.poll_blind(now_); });
  on_deadlines();
  work_until_idle();
}

std::span<const epoll_event> Loop::wait(Instant until) {
  if (!clock_) return poller_.wait(std::max(until, now_) - now_);
  if (until > now_) clock_->wait(until);
  return poller_.wait(Duration::zero());
}

Instant Loop::next_deadline() const {
  if (busy_ || !turns_.empty() || tasks_.has_new() || inbox_.has_rung()) return now();
  return std::min({stack_.next_deadline(), timers_.next_deadline(), links_.next_deadline(now())});
}

void Loop::on_poll_event(const epoll_event& event) {
  const PollTag tag = Poller::tag(event);
  switch (tag.kind) {
    case PollTag::Kind::inbox:
      return run_posted_calls();
    case PollTag::Kind::signals:
      return signals_.receive([this](Wait& wait) { wake(wait); });
    case PollTag::Kind::link:
      return links_.on_ready(now_, tag.number, event.events);
    case PollTag::Kind::descriptor: {
      const DescriptorSlot& slot = descriptors_[static_cast<int>(tag.number)];
      wake_at(slot.reader);
      wake_at(slot.writer);
      wake_at(slot.watcher);
      return;
    }
  }
}

// What these calls post is for the next round.
void Loop::run_posted_calls() {
  for (std::size_t count = inbox_.open(); count > 0; --count) shielded(inbox_.take_call());
}

// After a standstill what has arrived meanwhile is read first, all of it. Otherwise a burst a round
// is enough, and the application has its turn between.
void Loop::on_deadlines() {
  const Instant due = std::min(stack_.next_deadline(), timers_.next_deadline());
  if (due > now_) return;
  if (std::exchange(stood_still_, false)) shielded([this] { links_.catch_up(now_); });
  shielded([this] {
    if (stack_.next_deadline() <= now_) stack_.handle_deadline(now_);
  });
  expire_timers();
}

void Loop::expire_timers() {
  while (Wait* const due = timers_.pop_due(now_)) {
    wake(*due);
    due->turn_ = Wait::Turn::give_up;
  }
}

bool Loop::work_until_idle() {
  bool worked = false;
  for (int pass = 0; pass < kPassesPerRound; ++pass) {
    const std::size_t work = dispatch_events() + take_turns() + tasks_.start_new();
    tasks_.reap();
    if (work == 0) break;
    worked = true;
    if (pass + 1 == kPassesPerRound) busy_ = true;
  }
  now_ = time();  // the coroutines may have taken their time
  shielded([this] { busy_ |= links_.transmit(now_); });
  return worked;
}

std::size_t Loop::take_turns() {
  const std::size_t count = turns_.size();
  for (std::size_t i = 0; i < count && !turns_.empty(); ++i)
    shielded([this] { turns_.front().take_turn(now_); });
  return count;
}

// ---- events

std::size_t Loop::dispatch_events() {
  std::size_t count = 0;
  shielded([&] {
    for (; event_ || (event_ = stack_.poll_event()); event_.reset(), ++count)
      std::visit([this](const auto& value) { on_event(value); }, *event_);
  });
  return count;
}

void Loop::on_event(const StreamEvent& event) {
  StreamSlot* const slot = streams_.enter(event.stream);
  if (!slot) return;
  const bool over = event.closed || event.failure;
  slot->connected |= event.connected;
  slot->closed |= over;
  slot->peer_closed |= event.peer_closed || over;
  slot->urgent |= event.urgent;
  if (event.failure) slot->failure = event.failure;
  if (event.soft_error) slot->soft_error = event.soft_error;
  if (over || event.readable || event.peer_closed || event.connected) wake_at(slot->reader);
  if (over || event.writable || event.connected) wake_at(slot->writer);
  if (over || event.peer_closed) wake_at(slot->closer);
  if (over || event.peer_closed || event.urgent) wake_at(slot->urgent_waiter);
}

void Loop::on_event(const AcceptEvent& event) {
  if (ListenerSlot* const slot = listeners_.enter(event.listener)) wake_at(slot->acceptor);
}

void Loop::on_event(const DatagramEvent& event) {
  DatagramSlot* const slot = ports_.enter(event.port);
  if (!slot) return;
  if (event.failure) slot->failure = event.failure;
  wake_at(slot->receiver);
}

// ---- for operations

void Loop::wake(Wait& wait) {
  if (wait.turn_ != Wait::Turn::none) return;
  wait.turn_ = Wait::Turn::attempt;
  turns_.push(wait);
}

void Loop::forget(Wait& wait) {
  timers_.remove(wait);
  end_turn(wait);
}

void Loop::end_turn(Wait& wait) {
  if (wait.turn_ == Wait::Turn::none) return;
  wait.turn_ = Wait::Turn::none;
  turns_.remove(wait);
}

void Loop::close(StreamId stream) {
  without_fail([&] { static_cast<void>(stack_.close(now(), stream)); });
  streams_.release(stream);
}

void Loop::close(ListenerId listener) {
  without_fail([&] { static_cast<void>(stack_.close(now(), listener)); });
  listeners_.release(listener);
}

void Loop::abort(StreamId stream) {
  without_fail([&] { static_cast<void>(stack_.abort(now(), stream)); });
  streams_.release(stream);
}

void Loop::reject(OfferId offer, Refusal refusal) {
  without_fail([&] { static_cast<void>(stack_.reject(now(), offer, refusal)); });
}

// A table of what is open has a bound that the system keeps.
Loop::DescriptorSlot* Loop::descriptor(int descriptor) {
  const auto known = descriptors_.find(descriptor);
  if (known != descriptors_.end()) return &known->second;
  return fcntl(descriptor, F_GETFD) < 0 ? nullptr : &descriptors_[descriptor];
}

int Loop::arm(int descriptor, std::uint32_t events) {
  const DescriptorSlot& slot = descriptors_[descriptor];
  if (slot.reader) events |= EPOLLIN;
  if (slot.writer) events |= EPOLLOUT;
  return poller_.watch(descriptor, events | EPOLLONESHOT,
                       {PollTag::Kind::descriptor, static_cast<std::uint32_t>(descriptor)});
}

bool Loop::watch_signal(int number) {
  if (!signals_.watch(number)) return false;
  return poller_.watch(signals_.descriptor(), EPOLLIN, {PollTag::Kind::signals, 0}) == 0;
}

}  // namespace estab::host
