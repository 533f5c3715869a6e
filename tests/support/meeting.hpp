// SPDX-License-Identifier: BSD-3-Clause
//
// A place where threads wait for one another. A thread that gets through has met the others: no clock proves as much.
// Any thread.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace sheaf::test {

class meeting_place {
public:
  /// Waits until `size` have come; the next one begins the next meeting. False when the others do not come within a
  /// minute.
  bool meet(std::int64_t size) {
    std::unique_lock lock{mutex_};
    const auto target = (arrived_++ / size + 1) * size;
    changed_.notify_all();
    return changed_.wait_for(lock, patience, [&] { return arrived_ >= target; });
  }

  /// Waits until `before` others have had their turn, and takes the next one. False as above.
  bool in_turn(std::int64_t before) {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, patience, [&] { return turns_ >= before; }))
      return false;
    ++turns_;
    changed_.notify_all();
    return true;
  }

private:
  static constexpr std::chrono::minutes patience{1};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t arrived_ = 0, turns_ = 0;
};

} // namespace sheaf::test
