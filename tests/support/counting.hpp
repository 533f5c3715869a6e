// SPDX-License-Identifier: BSD-3-Clause
//
// Counts what a test may have left behind in this process. Any thread.

#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>
#include <thread>

namespace sheaf::test {

/// Open descriptors of this process.
std::size_t open_descriptors();

/// Open descriptors of this process that belong to this file.
std::size_t descriptors_of(std::string_view path);

/// Memory of this process that is allocated and not freed yet.
std::size_t allocated_bytes();

/// The most memory that this process has had at once since `forget_peak_memory`.
std::size_t peak_memory_bytes();
void forget_peak_memory();

/// For what cannot be waited for: asks until the answer is yes. False when it is not within a minute.
template <class Predicate>
bool eventually(Predicate holds) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  while (!holds()) {
    if (std::chrono::steady_clock::now() > give_up)
      return false;
    std::this_thread::yield();
  }
  return true;
}

} // namespace sheaf::test
