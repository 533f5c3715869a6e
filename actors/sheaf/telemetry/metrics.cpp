// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/telemetry/metrics.hpp"

#include <numeric>

namespace sheaf {

void duration_histogram::add_to(sums& x) const noexcept {
  for (std::size_t i = 0; i < counts_.size(); ++i)
    x.counts[i] += counts_[i].get();
  x.total += std::chrono::nanoseconds{total_ns_.load(std::memory_order_relaxed)};
}

std::uint64_t duration_histogram::sums::count() const noexcept {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

} // namespace sheaf
