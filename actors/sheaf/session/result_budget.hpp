// SPDX-License-Identifier: BSD-3-Clause
//
// The bounds of a request's results together, drawn on by all its queries while their rows arrive.

#pragma once

#include "sheaf/error.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace sheaf {

class request_budget;

/// What one query draws for its result. One thread at a time.
class result_budget {
public:
  explicit result_budget(request_budget& all) noexcept : all_(all) {}

  std::size_t max_rows() const noexcept; ///< The request's.
  std::size_t max_bytes() const noexcept;

  /// Takes so much; `result_too_large` when that was too much.
  std::optional<failure> draw(std::size_t rows, std::size_t bytes) noexcept;

  /// Gives back all that was taken: that result is gone, and the query begins again.
  void give_back() noexcept;

private:
  request_budget& all_;
  std::size_t rows_ = 0, bytes_ = 0;
};

/// The bounds. Any thread.
class request_budget {
public:
  request_budget(std::optional<std::size_t> max_rows, std::optional<std::size_t> max_bytes, std::size_t queries)
    : max_rows_(max_rows.value_or(unbounded)), max_bytes_(max_bytes.value_or(unbounded)),
      of_(2 * queries, result_budget{*this}) {}
  request_budget(const request_budget&) = delete;
  request_budget& operator=(const request_budget&) = delete;

  result_budget& of(std::size_t query) noexcept { return of_[2 * query]; }
  /// For a run of it beside the first one: until one of them is over, what both draw counts.
  result_budget& beside(std::size_t query) noexcept { return of_[2 * query + 1]; }

private:
  friend class result_budget;
  static constexpr auto unbounded = std::numeric_limits<std::size_t>::max();

  const std::size_t max_rows_, max_bytes_;
  std::atomic<std::size_t> rows_ = 0, bytes_ = 0;
  std::vector<result_budget> of_;
};

enum class bound_on : std::uint8_t { row, result, request };

/// A row, a result, or all of a request's results together are larger than `bound`, which is `limit`.
failure too_large(std::string_view bound, std::size_t limit, bound_on scope = bound_on::result);

} // namespace sheaf
