// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/base/inherited.hpp"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>

namespace sheaf {

namespace {

std::atomic<unsigned> forks_so_far = 0;

struct noted_descriptor {
  const void* owner = nullptr;
  dev_t device = 0;
  ino_t file = 0;
};

/// Never destroyed, as engines may be static.
struct noted_descriptors {
  std::mutex mutex; ///< Held while a process forks, so that the child's copy is whole.
  std::map<int, noted_descriptor> by_number;
};

noted_descriptors& descriptors() {
  static auto& x = *new noted_descriptors;
  return x;
}

void watch_forks() {
  static std::once_flag once;
  std::call_once(once, [] {
    ::pthread_atfork([] { descriptors().mutex.lock(); }, [] { descriptors().mutex.unlock(); },
                     [] {
                       forks_so_far.fetch_add(1, std::memory_order_relaxed);
                       descriptors().mutex.unlock();
                     });
  });
}

} // namespace

unsigned forks() noexcept { return forks_so_far.load(std::memory_order_relaxed); }

void inherited::note(const void* owner, int descriptor) {
  watch_forks();
  struct stat is {};
  if (::fstat(descriptor, &is) != 0)
    return;
  const std::lock_guard guard{descriptors().mutex};
  descriptors().by_number[descriptor] = {.owner = owner, .device = is.st_dev, .file = is.st_ino};
}

void inherited::forget(const void* owner) noexcept {
  const std::lock_guard guard{descriptors().mutex};
  std::erase_if(descriptors().by_number, [&](const auto& x) { return x.second.owner == owner; });
}

void inherited::close_all(const void* owner) noexcept {
  const std::lock_guard guard{descriptors().mutex};
  std::erase_if(descriptors().by_number, [&](const auto& x) {
    if (x.second.owner != owner)
      return false;
    struct stat is {};
    if (::fstat(x.first, &is) == 0 && is.st_dev == x.second.device && is.st_ino == x.second.file)
      ::close(x.first);
    return true;
  });
}

} // namespace sheaf
