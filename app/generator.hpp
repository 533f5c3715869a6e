// SPDX-License-Identifier: BSD-3-Clause
//
// Random numbers that are the same for the same seed, on every machine. One thread at a time.

#pragma once

#include <cstdint>
#include <random>

namespace sheaf::app {

class generator {
public:
  explicit generator(std::uint64_t seed) : engine_(seed) {}

  /// Each whole number from `low` to `high`, both included, is as likely as the others. `low` is at most `high`.
  std::int64_t between(std::int64_t low, std::int64_t high);

  /// 1, 2, 3, …
  std::int64_t next_in_sequence() noexcept { return ++last_; }

private:
  std::mt19937_64 engine_; // the standard says which numbers it gives; it does not for its distributions
  std::int64_t last_ = 0;
};

} // namespace sheaf::app
