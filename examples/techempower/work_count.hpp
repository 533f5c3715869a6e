// SPDX-License-Identifier: BSD-3-Clause
//
// The count of work on all loops together, for a thread that waits until there is none. Any thread.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace techempower {

class work_count {
public:
  void begin() {
    std::lock_guard guard{mutex_};
    ++count_;
  }

  void end() {
    std::lock_guard guard{mutex_};
    if (--count_ == 0)
      none_.notify_all(); // with the lock: a waiting thread may destroy this
  }

  std::size_t now() const {
    std::lock_guard guard{mutex_};
    return count_;
  }

  void wait_for_none() {
    std::unique_lock guard{mutex_};
    none_.wait(guard, [this] { return count_ == 0; });
  }

  /// False when there is still work after `time`.
  bool wait_for_none(std::chrono::milliseconds time) {
    std::unique_lock guard{mutex_};
    return none_.wait_for(guard, time, [this] { return count_ == 0; });
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

} // namespace techempower
