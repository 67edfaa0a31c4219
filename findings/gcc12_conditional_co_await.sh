#!/usr/bin/env bash
# g++ 12 destroys the result of `condition ? co_await a : co_await b` twice.
#
# Version: g++ 12.2.0 (Debian 12.2.0-14+deb12u1) with -std=c++20, -O0 and -O2; clang++ 14.0.6 is right.
# Expected: a variable initialized from such an expression is the object that await_resume() returned,
#   as it is without the condition: made once, destroyed once, at the end of its scope.
# Seen: the object is made once, destroyed as soon as the full expression ends, and destroyed again at the
#   end of its scope: what the coroutine works with is gone already. No warning. With `if` all is well.
# Consequence: a handle that closes what it names closes it at once; one that owns memory frees it twice.
#   The operand that is chosen is a task, and the co_await stands in front of the whole choice.
set -euo pipefail
[ "$(g++ -dumpfullversion 2>&1)" = 12.2.0 ] || { echo 'needs g++ 12.2.0' >&2; exit 3; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/choice.cpp" <<'CPP'
#include <coroutine>
#include <cstdio>

struct Owner {
  static inline int made = 0, destroyed = 0;
  Owner() { ++made; }
  Owner(Owner&&) noexcept { ++made; }
  ~Owner() { ++destroyed; }
};
struct Ready {
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  Owner await_resume() const { return Owner(); }
};
struct Coroutine {
  struct promise_type {
    Coroutine get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};
void tell(const char* when) {
  std::printf("%s: made %d, destroyed %d\n", when, Owner::made, Owner::destroyed);
}
Coroutine choose(bool first) {
  Owner owner = first ? co_await Ready{} : co_await Ready{};
  tell("chosen, in its scope");
}
Coroutine take() {
  Owner owner = co_await Ready{};
  tell("plain, in its scope");
}
int main() {
  choose(true);
  tell("chosen, after it");
  Owner::made = Owner::destroyed = 0;
  take();
  tell("plain, after it");
}
CPP
g++ --version | head -1
for level in -O0 -O2; do
  g++ -std=c++20 "$level" "$folder/choice.cpp" -o "$folder/choice"
  "$folder/choice" | tee "$folder/seen"
  diff "$folder/seen" - <<'SEEN'
chosen, in its scope: made 1, destroyed 1
chosen, after it: made 1, destroyed 2
plain, in its scope: made 1, destroyed 0
plain, after it: made 1, destroyed 1
SEEN
done
