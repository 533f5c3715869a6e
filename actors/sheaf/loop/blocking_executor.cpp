// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/loop/blocking_executor.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace sheaf {

namespace {

/// Longest wait of the destructor for running jobs. Cancelled jobs, and the closing of sessions, take less.
constexpr auto grace = std::chrono::seconds{1};

} // namespace

/// State that the executor and its threads share. The last of them to go frees it.
struct blocking_executor::shared {
  struct worker {
    std::thread thread;
    bool busy = false;
  };

  const std::size_t threads_max;
  const std::chrono::nanoseconds idle_timeout;

  std::mutex mutex; ///< Guards everything below.
  std::condition_variable work, rest;
  std::deque<std::function<void()>> jobs;
  std::list<worker> workers;
  std::size_t idle = 0;
  bool closing = false;

  shared(std::size_t most, std::chrono::nanoseconds timeout) : threads_max(most), idle_timeout(timeout) {}

  static void start_worker(const std::shared_ptr<shared>& self);
  static void live(const std::shared_ptr<shared>& self, std::list<worker>::iterator me);
  bool anyone_busy() const {
    return std::any_of(workers.begin(), workers.end(), [](const worker& w) { return w.busy; });
  }
};

/// Called with the mutex held.
void blocking_executor::shared::start_worker(const std::shared_ptr<shared>& self) {
  const auto me = self->workers.emplace(self->workers.end());
  try {
    me->thread = std::thread{[self, me] { live(self, me); }};
  } catch (const std::system_error&) {
    self->workers.erase(me); // no threads left in this process: the job waits for one of ours, or for the next `run`
  }
}

/// A thread's whole life.
void blocking_executor::shared::live(const std::shared_ptr<shared>& self, std::list<worker>::iterator me) {
  std::unique_lock lock{self->mutex};
  for (;;) {
    ++self->idle;
    self->work.wait_for(lock, self->idle_timeout, [&] { return self->closing || !self->jobs.empty(); });
    --self->idle;
    if (self->closing)
      return; // the thread that closes has our handle
    if (self->jobs.empty()) {
      me->thread.detach();
      self->workers.erase(me);
      return;
    }
    auto job = std::move(self->jobs.front());
    self->jobs.pop_front();
    me->busy = true;
    lock.unlock();
    try {
      job();
    } catch (...) { // it should not have: whoever waits for it has a deadline, and others have work for this thread
    }
    job = nullptr;
    lock.lock();
    me->busy = false;
    self->rest.notify_all();
  }
}

blocking_executor::blocking_executor(std::size_t threads_max, std::chrono::nanoseconds idle_timeout)
  : shared_(std::make_shared<shared>(std::max<std::size_t>(threads_max, 1), idle_timeout)) {}

blocking_executor::~blocking_executor() {
  std::deque<std::function<void()>> dropped;
  std::vector<std::thread> ending;
  {
    std::unique_lock lock{shared_->mutex};
    shared_->closing = true;
    shared_->work.notify_all();
    dropped.swap(shared_->jobs);
    shared_->rest.wait_for(lock, grace, [&] { return !shared_->anyone_busy(); });
    for (auto& w : shared_->workers)
      if (w.busy)
        w.thread.detach();
      else
        ending.push_back(std::move(w.thread));
  }
  for (auto& t : ending)
    t.join();
}

void blocking_executor::run(std::function<void()> job) {
  const auto self = shared_; // the job may be over, and may have destroyed the executor, before this returns
  std::unique_lock lock{self->mutex};
  self->jobs.push_back(std::move(job));
  if (self->jobs.size() > self->idle && self->workers.size() < self->threads_max)
    shared::start_worker(self);
  lock.unlock();
  self->work.notify_one();
}

} // namespace sheaf
