// SPDX-License-Identifier: BSD-3-Clause
//
// Random numbers that are the same for the same seed, on every machine. One thread at a time.

#pragma once

#include <cstdint>
#include <random>
#include <utility>

namespace sheaf::app {

class generator {
public:
  /// The `index`th of `count` generators that share a sequence: no two of them give the same number of it.
  explicit generator(std::uint64_t seed, std::int64_t index = 0, std::int64_t count = 1)
    : engine_(seed + static_cast<std::uint64_t>(index)), next_(index + 1), step_(count) {}

  /// Each whole number from `low` to `high`, both included, is as likely as the others. `low` is at most `high`.
  std::int64_t between(std::int64_t low, std::int64_t high);

  /// 1, 2, 3, …
  std::int64_t next_in_sequence() noexcept { return std::exchange(next_, next_ + step_); }

private:
  std::mt19937_64 engine_; // the standard says which numbers it gives; it does not for its distributions
  std::int64_t next_, step_;
};

} // namespace sheaf::app
