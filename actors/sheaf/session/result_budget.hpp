// SPDX-License-Identifier: BSD-3-Clause
//
// The bounds of a request's results together, drawn on by all its queries while their rows arrive. Any thread.

#pragma once

#include "sheaf/error.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace sheaf {

class result_budget {
public:
  result_budget(std::optional<std::size_t> max_rows, std::optional<std::size_t> max_bytes) noexcept
    : max_rows_(max_rows.value_or(unbounded)), max_bytes_(max_bytes.value_or(unbounded)) {}

  /// Takes so much; `result_too_large` when that was too much.
  std::optional<failure> draw(std::size_t rows, std::size_t bytes) noexcept;

private:
  static constexpr auto unbounded = std::numeric_limits<std::size_t>::max();

  const std::size_t max_rows_, max_bytes_;
  std::atomic<std::size_t> rows_ = 0, bytes_ = 0;
};

enum class bound_on : std::uint8_t { row, result, request };

/// A row, a result, or all of a request's results together are larger than `bound`, which is `limit`.
failure too_large(std::string_view bound, std::size_t limit, bound_on scope = bound_on::result);

} // namespace sheaf
