// SPDX-License-Identifier: BSD-3-Clause
//
// The executor for work that can only block: threads when needed, never too many, and no waiting for a job that does
// not end.

#include "sheaf/loop/blocking_executor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <iterator>
#include <latch>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using sheaf::blocking_executor;

std::size_t threads_of_this_process() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{"/proc/self/task"}, {}));
}

/// Fulfilled when the last copy of a job that holds it is destroyed.
struct destruction {
  std::promise<std::thread::id> where;
  ~destruction() { where.set_value(std::this_thread::get_id()); }
};

TEST(BlockingExecutor, GivesEachJobAThreadOfItsOwn) {
  std::latch all_here{6};
  blocking_executor executor{5};
  for (int i = 0; i < 5; ++i)
    executor.run([&] { all_here.arrive_and_wait(); });
  all_here.arrive_and_wait(); // is never reached if two of the jobs share a thread
}

TEST(BlockingExecutor, GivesEachJobAThreadOfItsOwnWhenOneIsIdle) {
  for (int i = 0; i < 200; ++i) {
    std::latch first{1}, all_here{3};
    blocking_executor executor{2};
    executor.run([&] { first.count_down(); });
    first.wait();
    executor.run([&] { all_here.arrive_and_wait(); }); // perhaps the idle thread's
    executor.run([&] { all_here.arrive_and_wait(); }); // not that one's, though it looks idle still
    all_here.arrive_and_wait();
  }
}

TEST(BlockingExecutor, RunsJobsBeyondItsThreadsInOrder) {
  std::vector<int> order;
  std::promise<void> go, last;
  blocking_executor executor{1};
  executor.run([&] { go.get_future().wait(); });
  for (int i = 0; i < 100; ++i)
    executor.run([&, i] { order.push_back(i); });
  executor.run([&] { last.set_value(); });
  go.set_value();
  last.get_future().wait();
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(BlockingExecutor, NeverRunsMoreJobsAtOnceThanItHasThreads) {
  std::atomic<int> running = 0, most = 0;
  std::latch done{300};
  blocking_executor executor{3};
  for (int i = 0; i < 300; ++i)
    executor.run([&] {
      const int now = ++running;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::yield();
      --running;
      done.count_down();
    });
  done.wait();
  EXPECT_LE(most, 3);
}

TEST(BlockingExecutor, GoesOnBehindAJobThatThrows) {
  blocking_executor some{1};
  std::promise<void> behind;
  some.run([] { throw std::runtime_error("a job"); });
  some.run([&] { behind.set_value(); });
  behind.get_future().wait();
}

TEST(BlockingExecutor, UsesThreadsAgain) {
  constexpr std::size_t jobs = 500;
  std::set<std::thread::id> threads;
  blocking_executor executor{jobs};
  for (std::size_t i = 0; i < jobs; ++i) {
    std::promise<std::thread::id> ran;
    auto thread = ran.get_future();
    executor.run([ran = std::make_shared<std::promise<std::thread::id>>(std::move(ran))] {
      ran->set_value(std::this_thread::get_id());
    });
    threads.insert(thread.get());
  }
  EXPECT_LT(threads.size(), jobs);
}

TEST(BlockingExecutor, StartsNoThreadBeforeThereIsAJob) {
  const auto before = threads_of_this_process();
  const blocking_executor executor{50};
  EXPECT_LE(threads_of_this_process(), before);
}

TEST(BlockingExecutor, EndsThreadsThatHaveNothingToDo) {
  std::thread{[] {}}.join(); // with the first thread, ThreadSanitizer starts one of its own
  const auto before = threads_of_this_process();
  std::latch all_here{5};
  std::promise<void> again;
  blocking_executor executor{4, 1ms};
  for (int i = 0; i < 4; ++i)
    executor.run([&] { all_here.arrive_and_wait(); });
  all_here.arrive_and_wait();
  while (threads_of_this_process() > before)
    std::this_thread::yield();
  executor.run([&] { again.set_value(); });
  again.get_future().wait();
}

TEST(BlockingExecutor, DestroysAJobOnTheThreadThatRanIt) {
  auto held = std::make_shared<destruction>();
  auto where = held->where.get_future();
  std::promise<std::thread::id> ran;
  blocking_executor executor{1};
  executor.run([&ran, held = std::move(held)] { ran.set_value(std::this_thread::get_id()); });
  EXPECT_EQ(where.get(), ran.get_future().get());
}

TEST(BlockingExecutor, TakesJobsFromJobs) {
  std::promise<int> answer;
  blocking_executor executor{1};
  executor.run([&] { executor.run([&] { answer.set_value(42); }); });
  EXPECT_EQ(answer.get_future().get(), 42);
}

TEST(BlockingExecutor, WaitsForTheJobsThatEndWhenDestroyed) {
  std::atomic<int> ran = 0;
  {
    std::latch all_here{9};
    blocking_executor executor{8};
    for (int i = 0; i < 8; ++i)
      executor.run([&] {
        all_here.arrive_and_wait();
        ++ran;
      });
    all_here.arrive_and_wait();
  }
  EXPECT_EQ(ran, 8);
}

TEST(BlockingExecutor, DropsJobsThatHaveNotBegunWhenDestroyed) {
  std::atomic<bool> ran = false;
  auto held = std::make_shared<destruction>();
  auto where = held->where.get_future();
  std::promise<void> begun;
  auto go = std::make_shared<std::promise<void>>();
  auto executor = std::make_unique<blocking_executor>(1);
  executor->run([&begun, go] {
    begun.set_value();
    go->get_future().wait();
  });
  begun.get_future().wait();
  executor->run([&ran, held = std::move(held)] { ran = true; });
  auto closing = std::async(std::launch::async, [&] { executor.reset(); });
  closing.wait();
  EXPECT_EQ(where.wait_for(0s), std::future_status::ready);
  go->set_value();
  EXPECT_FALSE(ran);
}

TEST(BlockingExecutor, LeavesAJobBehindThatDoesNotEnd) {
  struct common {
    std::promise<void> begun, go, over;
  };
  auto shared = std::make_shared<common>();
  {
    blocking_executor executor{2};
    executor.run([shared] {
      shared->begun.set_value();
      shared->go.get_future().wait();
      shared->over.set_value();
    });
    shared->begun.get_future().wait();
  } // returns, though the job is still there
  auto over = shared->over.get_future();
  EXPECT_EQ(over.wait_for(0s), std::future_status::timeout);
  shared->go.set_value();
  over.wait();
}

TEST(BlockingExecutor, CanBeDestroyedByAJobOfItsOwn) {
  auto* executor = new blocking_executor{1};
  std::promise<void> over;
  executor->run([&] {
    delete executor;
    over.set_value();
  });
  over.get_future().wait();
}

} // namespace
