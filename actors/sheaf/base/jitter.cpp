// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/base/jitter.hpp"

#include <random>

namespace sheaf {

std::chrono::nanoseconds jittered(std::chrono::nanoseconds x, double share) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      x * std::uniform_real_distribution{1 - share, 1 + share}(random));
}

} // namespace sheaf
