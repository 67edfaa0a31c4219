#include "properties/application.h"

#include <algorithm>
#include <array>

namespace estab::properties {

Application::Application(const AppPlan& plan, const AppPlan& peer)
    : plan_(plan),
      mine_(plan.key),
      theirs_(peer.key),
      apart_(peer.apart_at),
      expected_(peer.total - (peer.apart_at ? 1 : 0)),
      draw_(plan.seed) {}

void Application::adopt(StreamId stream, Start start) {
  stream_ = stream;
  may_write_ = start == Start::accepted;
}

void Application::complain(const std::string& what) {
  if (complaint_.empty()) complaint_ = what;
}

void Application::fail(Error error) {
  if (!failure_) failure_ = error;
}

void Application::on_event(const StreamEvent& event) {
  if (event.connected || event.writable) may_write_ = true;
  if (event.readable || event.peer_closed) may_read_ = true;
  if (event.failure) fail(*event.failure);
  if (done_) complain("an event after close");
}

bool Application::act(Instant now, Stack& stack) {
  if (!stream_ || done_) return false;
  if (written_ + read_ >= plan_.abort_after && may_write_) {
    aborted_ = done_ = true;
    if (draw_.chance(0.5)) {
      (void)stack.abort(now, stream_);
    } else {
      (void)stack.close(now, stream_);
    }
    return true;
  }
  const bool reads_first = draw_.chance(0.5);
  if (reads_first && try_read(now, stack)) return true;
  if (try_write(now, stack)) return true;
  if (!reads_first && try_read(now, stack)) return true;
  return try_end(now, stack) || try_let_go(now, stack);
}

Instant Application::wake(Instant now) const {
  if (!stream_ || done_) return kNever;
  Instant next = kNever;
  const auto consider = [&](Instant at) {
    if (at > now) next = std::min(next, at);
  };
  if (may_read_) consider(read_at_);
  if (may_write_) consider(write_at_);
  consider(end_at_);
  consider(let_go_at_);
  return next;
}

// ---- reading

bool Application::try_read(Instant now, Stack& stack) {
  if (!may_read_ || peer_ended_ || now < read_at_) return false;
  if (draw_.chance(plan_.read_pause))
    read_at_ = now + draw_.duration(Duration{0}, plan_.pause_most);
  return plan_.in_place ? read_in_place(now, stack) : read_by_copy(now, stack);
}

bool Application::read_by_copy(Instant now, Stack& stack) {
  std::vector<std::uint8_t> buffer(draw_.between(1, plan_.read_most));
  const std::size_t promised = std::min(stack.readable(stream_), buffer.size());
  const auto n = stack.recv(now, stream_, buffer);
  if (!n) return on_nothing_read(stack, n.error());
  if (*n != promised) complain("recv returned another count than readable promised");
  check(Octets(buffer).first(*n));
  return true;
}

bool Application::read_in_place(Instant now, Stack& stack) {
  std::array<Octets, 4> views;
  const std::size_t count = stack.peek(stream_, views);
  if (count == 0) {  // only recv tells why
    std::uint8_t octet = 0;
    const auto n = stack.recv(now, stream_, {&octet, 1});
    if (!n) return on_nothing_read(stack, n.error());
    complain("recv had an octet where peek had none");
    return true;
  }
  std::size_t seen = 0;
  const std::size_t most = draw_.between(1, plan_.read_most);
  for (std::size_t i = 0; i < count && seen < most; ++i) {
    const Octets view = views[i].first(std::min(views[i].size(), most - seen));
    check(view);
    seen += view.size();
  }
  if (!stack.consume(now, stream_, seen)) complain("consume refused what peek had shown");
  return true;
}

bool Application::on_nothing_read(const Stack& stack, Error error) {
  may_read_ = false;
  if (error == Error::end_of_stream) {
    peer_ended_ = true;
    if (read_ == expected_ && apart_) check_apart(stack);
  } else if (error != Error::would_block) {
    fail(error);
  }
  return true;
}

// With an octet apart the stream closes over the gap.
void Application::check(Octets octets) {
  const std::uint64_t gap = apart_.value_or(~std::uint64_t{0});
  const std::size_t before =
      read_ < gap ? std::min<std::uint64_t>(octets.size(), gap - read_) : std::size_t{0};
  check_run(octets.first(before), read_);
  check_run(octets.subspan(before), read_ + before + (apart_ ? 1 : 0));
  read_ += octets.size();
  if (read_ > expected_) complain("more octets than the peer wrote");
}

void Application::check_run(Octets octets, std::uint64_t position) {
  const std::size_t good = theirs_.matching(position, octets);
  if (good < octets.size()) complain("octet " + std::to_string(position + good) + " arrived wrong");
}

void Application::check_apart(const Stack& stack) {
  const auto mark = stack.urgent(stream_);
  if (!mark || !mark->out_of_band) return complain("the urgent octet did not come apart");
  if (theirs_.matching(*apart_, {&*mark->out_of_band, 1}) != 1)
    complain("another urgent octet came apart");
}

// ---- writing

void Application::draw_call() {
  const std::uint64_t left = plan_.total - written_;
  call_left_ = std::min<std::uint64_t>(left, draw_.between(1, plan_.write_most));
  mode_ = SendMode::normal;
  if (draw_.chance(plan_.push)) mode_ = SendMode::push;
  if (draw_.chance(plan_.more)) mode_ = SendMode::more;
  if (draw_.chance(plan_.urgent)) mode_ = SendMode::urgent;
  if (!plan_.apart_at || written_ > *plan_.apart_at) return;
  call_left_ = std::min<std::uint64_t>(call_left_, *plan_.apart_at + 1 - written_);
  if (written_ + call_left_ == *plan_.apart_at + 1) mode_ = SendMode::urgent;
}

bool Application::try_write(Instant now, Stack& stack) {
  if (!may_write_ || failure_ || now < write_at_ || written_ == plan_.total) return false;
  if (draw_.chance(plan_.write_pause))
    write_at_ = now + draw_.duration(Duration{0}, plan_.pause_most);
  if (call_left_ == 0) draw_call();
  std::vector<std::uint8_t> octets(call_left_);
  mine_.fill(written_, octets);
  if (draw_.chance(plan_.owned)) return write_owned(now, stack, octets);
  const std::size_t promised = std::min(stack.writable(stream_), octets.size());
  const auto n = stack.send(now, stream_, octets, mode_);
  const std::size_t taken = n.value_or(0);
  if (taken != promised) complain("send took another count than writable promised");
  if (taken < octets.size()) may_write_ = false;
  if (!n && n.error() != Error::would_block) fail(n.error());
  note_written(taken);
  return true;
}

bool Application::write_owned(Instant now, Stack& stack, Octets octets) {
  auto lent = std::make_shared<const std::vector<std::uint8_t>>(octets.begin(), octets.end());
  const auto sent = stack.send_owned(now, stream_, *lent, lent, mode_);
  if (!sent) {
    may_write_ = false;
    if (sent.error() != Error::would_block) fail(sent.error());
    return true;
  }
  std::erase_if(lent_, [](const auto& each) { return each.expired(); });
  lent_.push_back(lent);
  note_written(call_left_);
  return true;
}

void Application::note_written(std::size_t taken) {
  written_ += taken;
  call_left_ -= taken;
  if (call_left_ == 0 && taken > 0 && mode_ == SendMode::urgent) marks_.push_back(written_);
}

bool Application::is_owed() const {
  return std::ranges::any_of(lent_, [](const auto& each) { return !each.expired(); });
}

// ---- ending

bool Application::try_end(Instant now, Stack& stack) {
  if (ended_ || failure_ || written_ < plan_.total || !may_write_) return false;
  if (plan_.ends_when == EndsWhen::peer_ended && !peer_ended_) return false;
  if (plan_.ends_when == EndsWhen::after_pause) {
    if (end_at_ == kNever) end_at_ = now + plan_.end_pause;
    if (now < end_at_) return false;
  }
  ended_ = true;
  if (plan_.close_at_once) {
    done_ = true;
    if (!stack.close(now, stream_)) complain("close was refused");
  } else if (const auto shut = stack.shutdown(now, stream_); !shut) {
    fail(shut.error());
  }
  return true;
}

bool Application::try_let_go(Instant now, Stack& stack) {
  if (!failure_ && !(ended_ && peer_ended_)) return false;
  if (let_go_at_ == kNever) let_go_at_ = now + plan_.close_pause;
  if (now < let_go_at_) return false;
  done_ = true;
  if (!stack.close(now, stream_)) complain("close was refused");
  return true;
}

}  // namespace estab::properties
