// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/base/background.hpp"

#include "sheaf/base/inherited.hpp"

#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace sheaf {

namespace {

/// Never destroyed: its last thread may still be at it when the program's statics go.
struct unfinished_work {
  std::mutex mutex;
  std::condition_variable over;
  std::list<std::thread::id> callers; ///< One for each.
};

unfinished_work& unfinished() {
  static auto& x = *new unfinished_work;
  return x;
}

/// Destroyed with the program's statics.
struct waits_for_unfinished {
  const unsigned born = forks();

  waits_for_unfinished() = default;
  waits_for_unfinished(const waits_for_unfinished&) = delete;
  waits_for_unfinished& operator=(const waits_for_unfinished&) = delete;
  ~waits_for_unfinished() {
    if (forks() != born)
      return; // those threads are the parent's
    std::unique_lock guard{unfinished().mutex};
    unfinished().over.wait(guard, [me = std::this_thread::get_id()] {
      const auto& all = unfinished().callers;
      return std::all_of(all.begin(), all.end(), [&](auto caller) { return caller == me; });
    });
  }
};

} // namespace

void finish_in_background(std::function<void()> f) {
  static const waits_for_unfinished at_the_end;
  std::unique_lock guard{unfinished().mutex};
  const auto place = unfinished().callers.insert(unfinished().callers.end(), std::this_thread::get_id());
  guard.unlock();
  // Not freed where no thread can be started: whatever it holds would end here.
  auto* kept = new std::function<void()>{std::move(f)};
  try {
    std::thread{[kept, place] {
      (*kept)();
      delete kept;
      // Not notify_all_at_thread_exit: libstdc++'s own statics, which it takes, may be gone by now.
      const std::lock_guard last{unfinished().mutex};
      unfinished().callers.erase(place);
      unfinished().over.notify_all();
    }}.detach();
  } catch (const std::system_error&) {
    guard.lock();
    unfinished().callers.erase(place);
  }
}

} // namespace sheaf
