#include "stack/output_queue.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace estab::stack {
namespace {

struct Length {
  std::size_t operator()(const std::string& text) const { return text.size(); }
};

/// Texts of which the first letter says the interface: a, b.
struct Queue {
  OutputQueue<std::string, Length> queue;
  ip::InterfaceTable interfaces;
  InterfaceId a = interfaces.add({.name = "a"}), b = interfaces.add({.name = "b"});

  void push(std::initializer_list<const char*> texts) {
    for (const char* text : texts) queue.push_back(text);
  }
  /// What goes out now.
  std::vector<std::string> drain() {
    std::vector<std::string> out;
    while (queue.next(interfaces)) {
      const InterfaceId by = queue.front().starts_with('a') ? a : b;
      if (interfaces.is_paused(by)) {
        queue.set_aside(by);
        continue;
      }
      out.push_back(queue.front());
      queue.drop_front();
    }
    return out;
  }
  void pause(InterfaceId id) { EXPECT_TRUE(interfaces.set_paused(id, true)); }
  void resume(InterfaceId id) { EXPECT_TRUE(interfaces.set_paused(id, false)); }
};
using Texts = std::vector<std::string>;

TEST(OutputQueue, SetsAsideWhatLeavesByAPausedInterface) {
  Queue q;
  q.pause(q.a);
  q.push({"a1", "b1", "a2", "b2"});
  EXPECT_EQ(q.drain(), (Texts{"b1", "b2"}));
  EXPECT_FALSE(q.queue.empty());
  EXPECT_EQ(q.queue.load(q.a).count, 2u);
  EXPECT_EQ(q.queue.load(q.a).octets, 4u);
  q.push({"b3", "a3"});
  q.resume(q.a);
  EXPECT_EQ(q.drain(), (Texts{"a1", "a2", "b3", "a3"}));
  EXPECT_TRUE(q.queue.empty());
  EXPECT_EQ(q.queue.load().octets, 0u);
}

TEST(OutputQueue, KeepsTheOrderThroughPauseAfterPause) {
  Queue q;
  q.pause(q.a);
  q.push({"a1", "a2", "a3"});
  EXPECT_EQ(q.drain(), Texts());
  q.resume(q.a);
  ASSERT_TRUE(q.queue.next(q.interfaces));
  EXPECT_EQ(q.queue.front(), "a1");
  q.queue.drop_front();
  q.pause(q.a);
  q.push({"a4", "b1"});
  EXPECT_EQ(q.drain(), Texts{"b1"});
  q.resume(q.a);
  EXPECT_EQ(q.drain(), (Texts{"a2", "a3", "a4"}));
}

TEST(OutputQueue, LooksAnewAtAllWhenWaysChange) {
  Queue q;
  q.pause(q.a);
  q.pause(q.b);
  q.push({"a1", "b1", "a2"});
  EXPECT_EQ(q.drain(), Texts());
  q.queue.follow(1);
  EXPECT_EQ(q.queue.load().count, 3u);
  EXPECT_EQ(q.queue.load().octets, 6u);
  EXPECT_EQ(q.queue.load(q.a).count, 0u);
  EXPECT_EQ(q.drain(), Texts());  // they wait again
  q.queue.follow(1);              // nothing new
  EXPECT_EQ(q.queue.load(q.a).count, 2u);
}

TEST(OutputQueue, GivesBackWhatWaitedForAnInterfaceThatIsNoMore) {
  Queue q;
  q.pause(q.a);
  q.push({"a1"});
  EXPECT_EQ(q.drain(), Texts());
  EXPECT_TRUE(q.interfaces.remove(q.a));
  const InterfaceId next = q.interfaces.add({.name = "next"});
  EXPECT_EQ(next.index, q.a.index);
  EXPECT_FALSE(q.interfaces.any_paused());
  EXPECT_EQ(q.drain(), Texts{"a1"});
}

TEST(OutputQueue, SweepsEveryPlace) {
  Queue q;
  q.pause(q.a);
  q.push({"a1", "a2", "b1"});
  EXPECT_TRUE(q.queue.next(q.interfaces));
  q.queue.set_aside(q.a);
  q.queue.sweep([](const std::string& text) { return text == "a2"; });
  EXPECT_EQ(q.queue.size(), 1u);
  EXPECT_EQ(q.queue.load().octets, 2u);
  EXPECT_EQ(q.queue.load(q.a).octets, 0u);
  q.resume(q.a);
  EXPECT_EQ(q.drain(), Texts{"a2"});
}

TEST(OutputQueue, IsEqualWhereTheSameWaitsInTheSamePlace) {
  Queue one, other;
  const auto equal = [&] { return one.queue == other.queue; };
  for (Queue* q : {&one, &other}) q->push({"a1"});
  EXPECT_TRUE(equal());
  one.pause(one.a);
  EXPECT_EQ(one.drain(), Texts());
  EXPECT_FALSE(equal());
  one.resume(one.a);
  EXPECT_EQ(one.drain(), other.drain());
  EXPECT_TRUE(equal());
}

}  // namespace
}  // namespace estab::stack
