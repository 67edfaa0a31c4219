// Several things at once in one coroutine: operations and tasks, side by side.
//
//   auto [page, image] = co_await estab::when_all(fetch(host, a), fetch(host, b));
//
//   auto first = co_await estab::when_any(stream.read(buffer), host.signal(SIGINT));
//   if (first.index() == 0) use(std::get<0>(first));     // Result<std::size_t>; nobody waits for
//                                                        // the signal any longer
//
// They are started in their order, each up to where it first waits. when_any ends with the first
// that is over; the others are cancelled: an operation is withdrawn, and has then done nothing (a
// write_all: only so much as left() does not count), and a task is destroyed. when_all ends when
// all are over; if one throws, the others are cancelled and the exception is thrown from the
// co_await at once. An Error is a result like any other and cancels nothing.
//
// Waiting allocates nothing. Groups may stand in groups by way of tasks; each level takes its part
// of the thread's stack while it starts.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "estab/operation.h"
#include "estab/task.h"

namespace estab {

namespace host {

/// What a group keeps of its members' progress: how many are not over, and which one ended it.
class Group : public TaskOwner {
 public:
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  /// True if that ends the group: then its waiter is to be resumed.
  bool on_member_done(std::uint32_t number);
  void on_task_done(TaskPromise& promise) override;
  const Waiter& waiter() const { return waiter_; }

 protected:
  enum class Ends : std::uint8_t { with_all, with_any };
  Group(Ends ends, std::uint32_t members) : ends_(ends), members_(members), left_(members) {}
  ~Group() = default;

  /// Starts the members until the group is over. False if it is over at once.
  bool start(const Waiter& waiter);
  /// The member that ended the group.
  std::uint32_t ended_by() const { return ended_by_; }

  virtual void start_member(std::uint32_t number) = 0;
  virtual bool has_thrown(std::uint32_t number) const = 0;
  virtual void abandon_all() = 0;

 private:
  Ends ends_;
  bool starting_ = false;
  bool over_ = false;
  std::uint32_t members_;
  std::uint32_t left_;  // members that are not over
  std::uint32_t ended_by_ = 0;
  Waiter waiter_;
};

template <class T>
using NothingIfVoid = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

/// `call()`, or nothing where that is void.
template <class Call>
auto value_of(Call call) -> NothingIfVoid<decltype(call())> {
  if constexpr (std::is_void_v<decltype(call())>) {
    call();
    return {};
  } else {
    return call();
  }
}

/// How a group deals with one kind of member.
template <class A>
class Member;

template <std::derived_from<Wait> O>
class Member<O> {
 public:
  explicit Member(O&& operation) : operation_(operation) {}
  void start(Group& group, std::uint32_t number) {
    operation_.set_group(group, number);
    if (operation_.start()) group.on_member_done(number);
  }
  bool has_thrown() const { return operation_.exception() != nullptr; }
  void abandon() { operation_.abandon(); }
  auto take() {
    return value_of([this] { return result_of(operation_); });
  }

 private:
  O& operation_;
};

template <class T>
class Member<Task<T>> {
 public:
  explicit Member(Task<T>&& task) : task_(std::move(task)) {}
  void start(Group& group, std::uint32_t number) {
    TaskPromise& promise = *task_.frame().promise();
    promise.set_owner(group, number, group.waiter().root);
    resume({task_.frame().handle(), promise.root()});
  }
  bool has_thrown() const { return task_.done() && task_.exception() != nullptr; }
  void abandon() {
    if (!task_.done()) task_ = Task<T>();
  }
  auto take() {
    return value_of([this] { return std::move(task_).take(); });
  }

 private:
  Task<T> task_;
};

template <class... A>
class Members : public Group {
 public:
  bool await_ready() const { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiter) {
    return start(Waiter(waiter));
  }

 protected:
  explicit Members(Ends ends, A&&... members)
      : Group(ends, sizeof...(A)), members_(std::forward<A>(members)...) {}
  ~Members() = default;

  /// `call(member)` for the member of that number.
  template <class Call>
  void visit(std::uint32_t number, Call call) {
    visit_each(number, call, std::index_sequence_for<A...>());
  }
  std::tuple<Member<A>...>& members() { return members_; }

 private:
  template <class Call, std::size_t... kNumbers>
  void visit_each(std::uint32_t number, Call& call, std::index_sequence<kNumbers...>) {
    ((number == kNumbers ? call(std::get<kNumbers>(members_)) : void()), ...);
  }
  void start_member(std::uint32_t number) override {
    visit(number, [&](auto& member) { member.start(*this, number); });
  }
  bool has_thrown(std::uint32_t number) const override {
    bool thrown = false;
    const_cast<Members*>(this)->visit(number,
                                      [&](const auto& member) { thrown = member.has_thrown(); });
    return thrown;
  }
  void abandon_all() override {
    std::apply([](auto&... each) { (each.abandon(), ...); }, members_);
  }

  std::tuple<Member<A>...> members_;
};

}  // namespace host

/// See when_all.
template <class... A>
class [[nodiscard]] AllOf final : public host::Members<A...> {
 public:
  explicit AllOf(A&&... members)
      : host::Members<A...>(host::Group::Ends::with_all, std::forward<A>(members)...) {}
  auto await_resume() {
    // If one has thrown, that is the one to be asked.
    this->visit(this->ended_by(), [](auto& member) {
      if (member.has_thrown()) static_cast<void>(member.take());
    });
    return std::apply(
        [](auto&... each) { return std::tuple<decltype(each.take())...>{each.take()...}; },
        this->members());
  }
};

/// See when_any.
template <class... A>
class [[nodiscard]] AnyOf final : public host::Members<A...> {
 public:
  using Outcome = std::variant<decltype(std::declval<host::Member<A>&>().take())...>;
  explicit AnyOf(A&&... members)
      : host::Members<A...>(host::Group::Ends::with_any, std::forward<A>(members)...) {}
  Outcome await_resume() { return outcome(std::index_sequence_for<A...>()); }

 private:
  template <std::size_t... kNumbers>
  Outcome outcome(std::index_sequence<kNumbers...>) {
    std::optional<Outcome> result;
    ((this->ended_by() == kNumbers
          ? void(result.emplace(std::in_place_index<kNumbers>,
                                std::get<kNumbers>(this->members()).take()))
          : void()),
     ...);
    return *std::move(result);
  }
};

/// Operations (as they come from the calls that return them) and tasks.
template <class A>
concept CanBeAwaitedTogether =
    !std::is_reference_v<A> && requires(A&& member) { host::Member<A>(std::move(member)); };

/// Awaits all: a tuple of their results, in their order; std::monostate for void.
template <CanBeAwaitedTogether... A>
  requires(sizeof...(A) > 0)
AllOf<A...> when_all(A&&... members) {
  return AllOf<A...>(std::forward<A>(members)...);
}

/// Awaits the first that is over: a variant whose index() tells which, with its result;
/// std::monostate for void.
template <CanBeAwaitedTogether... A>
  requires(sizeof...(A) > 0)
AnyOf<A...> when_any(A&&... members) {
  return AnyOf<A...>(std::forward<A>(members)...);
}

}  // namespace estab
