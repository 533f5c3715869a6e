// SPDX-License-Identifier: BSD-3-Clause
//
// The names of a load's numbers in thresholds: `request.p99`, `query.total.waiting.p95`, `errors`. Any thread.

#pragma once

#include "app/expression/operand.hpp"
#include "app/load/load_record.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sheaf::app {

/// A measurement and its length.
struct load_result {
  load_record record;
  std::chrono::nanoseconds measured{0};

  double rate_of(std::uint64_t in_time) const noexcept; ///< The number a second.
};

/// The value of a path: `rate` (requests a second), `errors` (the share of requests that failed), `missed` (the share
/// of expectations), `not_begun`, `overlap`; `request.S`, `request.NAME.S`, `query.NAME.S`, `query.NAME.waiting.S` and
/// `query.NAME.executing.S`, where S is `count`, `errors` (a share), `min`, `mean`, `p50`, `p90`, `p95`, `p99`,
/// `p99.9`, `max` or `rate` (a second). Counts, times and rates are those of answers and of what ran out of time; of
/// what failed otherwise they are `failed.S`, `request.NAME.failed.S` and `query.NAME.failed.S`. A query stands for all
/// of that name. `invalid_request` for another path, and for the time of what never happened.
result<operand> metric_of(const load_result& measured, const sheaf_file& file, std::string_view path);

/// Nothing, or what is wrong with the path for a load on this file.
std::optional<std::string> check_metric(const sheaf_file& file, std::string_view path);

/// A value of the kind that the path has; nothing for an unknown path.
std::optional<operand> example_of_metric(std::string_view path);

bool is_rate(std::string_view path);       ///< True for a number a second.
bool bounds_errors(std::string_view path); ///< True for a path that tells of failures: `errors`, `failed.count`.

} // namespace sheaf::app
