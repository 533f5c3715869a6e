// SPDX-License-Identifier: BSD-3-Clause
//
// One thread for functions, sockets and timers: each gets its turn, whatever the others do.

#include "support/counting.hpp"
#include "support/loop_test.hpp"
#include "unit/loop/loop_sockets.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <unistd.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

using EventLoop = sheaf::test::LoopTest;

TEST_F(EventLoop, RunsWhatIsPostedInOrderOnItsOwnThread) {
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i)
    loop->post([&, i] { order.push_back(i); });
  EXPECT_TRUE(on_loop([&] { return loop->runs_here() && event_loop::current() == loop.get(); }));
  EXPECT_FALSE(loop->runs_here());
  EXPECT_EQ(event_loop::current(), nullptr);
  ASSERT_EQ(order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(EventLoop, TakesPostsFromManyThreadsAndLosesNone) {
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i)
        loop->post([&] { ++count; });
    });
  for (auto& t : threads)
    t.join();
  on_loop([] {});
  EXPECT_EQ(count, 20'000);
}

TEST_F(EventLoop, WakesUpForEachPost) {
  for (int i = 0; i < 2000; ++i) // each time it may be anywhere between awake and asleep
    on_loop([] {});
}

TEST_F(EventLoop, DoesNotRunWhatIsPostedFromWithinAtOnce) {
  bool within = true, ran_within = true;
  std::promise<void> ran;
  loop->post([&] {
    loop->post([&] {
      ran_within = within;
      ran.set_value();
    });
    within = false;
  });
  ran.get_future().wait();
  EXPECT_FALSE(ran_within);
}

TEST_F(EventLoop, FiresTimersInTheirOrderAndNotTooEarly) {
  std::vector<int> order;
  std::promise<void> last;
  const auto begin = clock::now();
  timer late{[&] {
    order.push_back(3);
    EXPECT_GE(clock::now(), begin + 30ms);
    last.set_value();
  }};
  timer early{[&] { order.push_back(1); }}, middle{[&] { order.push_back(2); }}, disarmed{[&] { order.push_back(99); }};
  on_loop([&] {
    loop->arm(late, begin + 30ms);
    loop->arm(disarmed, begin + 15ms);
    loop->arm(middle, begin + 20ms);
    loop->arm(early, begin + 10ms);
    EXPECT_TRUE(disarmed.armed());
    disarmed.disarm();
    EXPECT_FALSE(disarmed.armed());
  });
  last.get_future().wait();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST_F(EventLoop, FiresATimerOnceAtTheTimeItWasSetToLast) {
  int fired = 0;
  std::promise<void> done;
  timer end{[&] { done.set_value(); }};
  timer t{[&] {
    ++fired;
    loop->arm(end, clock::now() + 20ms);
  }};
  const auto begin = clock::now();
  on_loop([&] {
    loop->arm(t, begin + 24h);
    loop->arm(t, begin + 10ms);
    loop->arm(t, begin + 5ms);
  });
  done.get_future().wait();
  EXPECT_EQ(fired, 1);
}

TEST_F(EventLoop, LetsATimerDestroyItselfAndOthers) {
  std::promise<void> done;
  std::unique_ptr<timer> a, b;
  a = std::make_unique<timer>([&] {
    auto& told = done; // captured objects go with the timer
    b.reset();
    a.reset();
    told.set_value();
  });
  b = std::make_unique<timer>([] { ADD_FAILURE() << "it is gone"; });
  on_loop([&] {
    loop->arm(*a, loop->now());
    loop->arm(*b, loop->now());
  });
  done.get_future().wait();
}

TEST_F(EventLoop, TellsWhenADescriptorCanBeReadAsLongAsItIsWatched) {
  socket_pair pair;
  std::string got;
  std::promise<void> hello;
  handler h{[&](bool readable, bool) {
    EXPECT_TRUE(readable);
    if (const char c = pair.read(0)) {
      got += c;
      if (got == "hello")
        hello.set_value();
    }
  }};
  EXPECT_TRUE(on_loop([&] { return loop->watch(pair.ends[0], h); }));
  for (const char c : std::string{"hello"})
    pair.write(1, c);
  hello.get_future().wait();
  on_loop([&] { loop->unwatch(pair.ends[0], h); });
  pair.write(1, '!');
  on_loop([] {});
  EXPECT_EQ(got, "hello");
}

TEST_F(EventLoop, TellsWhenADescriptorCanBeWrittenOnlyWhileThatIsAsked) {
  socket_pair pair;
  std::promise<void> writable;
  int calls = 0;
  handler h{[&](bool, bool can_write) {
    EXPECT_TRUE(can_write);
    if (++calls == 1)
      writable.set_value();
    EXPECT_TRUE(loop->watch_writes(pair.ends[0], h, false));
  }};
  on_loop([&] {
    EXPECT_TRUE(loop->watch(pair.ends[0], h));
    EXPECT_TRUE(loop->watch_writes(pair.ends[0], h, true));
  });
  writable.get_future().wait();
  on_loop([&] { loop->unwatch(pair.ends[0], h); });
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoop, TellsThatADescriptorHasFailed) {
  socket_pair pair;
  std::promise<std::pair<bool, bool>> told;
  handler h{[&](bool readable, bool writable) {
    loop->unwatch(pair.ends[0], h);
    told.set_value({readable, writable});
  }};
  EXPECT_TRUE(on_loop([&] { return loop->watch(pair.ends[0], h); }));
  ::shutdown(pair.ends[0], SHUT_RDWR);
  EXPECT_EQ(told.get_future().get(), std::pair(true, true));
}

TEST_F(EventLoop, DoesNotCallAHandlerThatWasUnwatchedByAnotherOne) {
  // Both are ready at once; whichever is called first unwatches the other.
  socket_pair a, b;
  int calls = 0;
  std::promise<void> called;
  std::unique_ptr<handler> first, second;
  const auto make = [&](socket_pair& mine, socket_pair& others, std::unique_ptr<handler>& other) {
    return std::make_unique<handler>([&](bool, bool) {
      mine.read(0);
      loop->unwatch(others.ends[0], *other);
      other.reset();
      if (++calls == 1)
        called.set_value();
    });
  };
  first = make(a, b, second);
  second = make(b, a, first);
  on_loop([&] {
    EXPECT_TRUE(loop->watch(a.ends[0], *first));
    EXPECT_TRUE(loop->watch(b.ends[0], *second));
    a.write(1, 'x');
    b.write(1, 'x');
  });
  called.get_future().wait();
  on_loop([] {});
  EXPECT_EQ(calls, 1);
  on_loop([&] {
    if (first)
      loop->unwatch(a.ends[0], *first);
    if (second)
      loop->unwatch(b.ends[0], *second);
  });
}

/// A child process that has been forked and runs nothing of its own yet holds copies of all descriptors.
TEST_F(EventLoop, DoesNotCallAHandlerWhoseDescriptorWasClosedWhileACopyIsHeld) {
  socket_pair pair;
  const int held = ::dup(pair.ends[0]), closed = ::dup(pair.ends[0]);
  auto gone = std::make_unique<handler>([&](bool, bool) { ADD_FAILURE() << "it is gone"; });
  on_loop([&] {
    EXPECT_TRUE(loop->watch(closed, *gone));
    ::close(closed); // as libpq does when it finds its connection lost
    loop->unwatch(closed, *gone);
    gone.reset();
    pair.write(1, 'x');
  });
  int calls = 0;
  handler next{[&](bool, bool) { ++calls; }};
  socket_pair quiet;
  EXPECT_TRUE(on_loop([&] { return loop->watch(quiet.ends[0], next); })); // it has the other's place
  for (int i = 0; i < 3; ++i)
    on_loop([] {});
  on_loop([&] { loop->unwatch(quiet.ends[0], next); });
  EXPECT_EQ(calls, 0);
  ::close(held);
}

/// libpq closes its socket within any call that finds the connection lost.
TEST_F(EventLoop, SaysThatItCannotWatchADescriptorThatIsClosed) {
  handler h{[](bool, bool) { ADD_FAILURE() << "it is not watched"; }};
  on_loop([&] {
    EXPECT_FALSE(loop->watch(-1, h));
    socket_pair pair;
    const int closed = ::dup(pair.ends[0]);
    EXPECT_TRUE(loop->watch(closed, h));
    ::close(closed);
    EXPECT_FALSE(loop->watch_writes(closed, h, true));
    loop->unwatch(closed, h);
  });
}

TEST_F(EventLoop, StarvesNeitherTimersNorSocketsNorOtherThreads) {
  bool stop = false;
  std::function<void()> busy = [&] {
    if (!stop)
      loop->post(busy);
  };
  socket_pair pair;
  std::promise<void> timer_fired, socket_read;
  timer t{[&] { timer_fired.set_value(); }};
  handler h{[&](bool, bool) {
    pair.read(0);
    socket_read.set_value();
  }};
  on_loop([&] {
    busy();
    EXPECT_TRUE(loop->watch(pair.ends[0], h));
    loop->arm(t, loop->now() + 1ms);
  });
  pair.write(1, 'x');
  timer_fired.get_future().wait();
  socket_read.get_future().wait();
  on_loop([&] {
    stop = true;
    loop->unwatch(pair.ends[0], h);
  });
  on_loop([] {}); // the last `busy` is over
}

/// Something that throws, on a loop with and without Asio's context.
/// Two timers that are armed anew for less time than they take: one of them is always due.
TEST_F(EventLoop, GivesOthersTheirTurnBetweenTimersThatAreAlwaysDue) {
  constexpr int firings_max = 2000;
  int firings = 0;
  std::vector<std::unique_ptr<timer>> timers(2);
  const auto arm = [&](std::size_t i) { loop->arm(*timers[i], loop->refresh_now() + 1ms); };
  on_loop([&] {
    for (std::size_t i = 0; i < timers.size(); ++i) {
      timers[i] = std::make_unique<timer>([&, i] {
        const auto until = loop->refresh_now() + 2ms;
        while (loop->refresh_now() < until) {
        }
        if (++firings < firings_max)
          arm(i);
      });
      arm(i);
    }
  });
  for (int i = 0; i < 10; ++i)
    on_loop([] {});
  EXPECT_LT(on_loop([&] { return firings; }), firings_max) << "nobody else had a turn";
  on_loop([&] { timers.clear(); });
}

TEST_F(EventLoop, RunsAsioBesideItsOwnSocketsAndPosts) {
  socket_pair pair;
  std::promise<void> asio_timer, asio_post, own_socket, own_timer;
  handler h{[&](bool, bool) {
    pair.read(0);
    own_socket.set_value();
  }};
  timer t{[&] { own_timer.set_value(); }};
  std::unique_ptr<boost::asio::steady_timer> theirs;
  on_loop([&] {
    theirs = std::make_unique<boost::asio::steady_timer>(loop->context(), 5ms);
    theirs->async_wait([&](auto) {
      EXPECT_TRUE(loop->runs_here());
      asio_timer.set_value();
    });
    boost::asio::post(loop->context(), [&] { asio_post.set_value(); });
    EXPECT_TRUE(loop->watch(pair.ends[0], h));
    loop->arm(t, loop->now() + 10ms);
  });
  asio_post.get_future().wait();
  asio_timer.get_future().wait();
  pair.write(1, 'x'); // while it sleeps in Asio
  own_socket.get_future().wait();
  own_timer.get_future().wait();
  for (int i = 0; i < 500; ++i)
    on_loop([] {});
  on_loop([&] {
    loop->unwatch(pair.ends[0], h);
    theirs.reset();
  });
}

/// A busy service's sockets are handlers that make others ready, without end.
TEST_F(EventLoop, GivesItsTimersAndPostsTheirTurnHoweverBusyAsioIs) {
  constexpr int rounds_max = 20'000'000;
  bool fired = false, posted = false;
  int rounds = 0;
  std::promise<void> over;
  timer t{[&] {
    fired = true;
    loop->post([&] { posted = true; });
  }};
  std::function<void()> busy = [&] {
    if (posted || ++rounds == rounds_max)
      over.set_value();
    else
      boost::asio::post(loop->context(), busy);
  };
  on_loop([&] {
    boost::asio::post(loop->context(), busy);
    loop->arm(t, loop->now() + 1ms);
  });
  over.get_future().wait();
  on_loop([] {}); // the last `busy` is over
  EXPECT_TRUE(fired);
  EXPECT_LT(rounds, rounds_max);
}

TEST_F(EventLoop, IsDesertedOnceItsLastActorHasEnded) {
  int calls = 0;
  on_loop([&] { loop->when_deserted([&] { ++calls; }); });
  EXPECT_EQ(calls, 1) << "nobody lives there";
  loop->actor_began();
  loop->actor_began();
  on_loop([&] {
    loop->when_deserted([&] { ++calls; });
    loop->actor_ended();
    EXPECT_EQ(calls, 1);
    loop->actor_ended();
    EXPECT_EQ(calls, 2);
  });
}

TEST(EventLoopEnd, DropsWhatIsQueuedAndFreesIt) {
  const auto descriptors = test::open_descriptors();
  auto held = std::make_shared<int>();
  {
    const auto loop = std::make_shared<event_loop>();
    loop->post([held] {}); // before it starts
    loop->start();
    std::promise<void> ran;
    loop->post([&] { ran.set_value(); });
    ran.get_future().wait();
    loop->stop();
    loop->stop();
    loop->post([held] { ADD_FAILURE() << "it has stopped"; });
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(test::open_descriptors(), descriptors);
}

TEST(EventLoopEnd, ComesThoughFunctionsPostThemselvesForEver) {
  const auto loop = std::make_shared<event_loop>();
  std::function<void()> busy = [&] { loop->post(busy); };
  loop->post(busy);
  loop->start();
  loop->stop();
}

} // namespace
