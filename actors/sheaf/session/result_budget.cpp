// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/session/result_budget.hpp"

#include <fmt/format.h>

#include <utility>

namespace sheaf {

std::size_t result_budget::max_rows() const noexcept { return all_.max_rows_; }
std::size_t result_budget::max_bytes() const noexcept { return all_.max_bytes_; }

std::optional<failure> result_budget::draw(std::size_t rows, std::size_t bytes) noexcept {
  constexpr auto relaxed = std::memory_order_relaxed;
  rows_ += rows;
  bytes_ += bytes;
  const bool rows_are_too_many = all_.rows_.fetch_add(rows, relaxed) + rows > all_.max_rows_;
  const bool bytes_are_too_many = all_.bytes_.fetch_add(bytes, relaxed) + bytes > all_.max_bytes_;
  if (rows_are_too_many)
    return too_large("max_rows", all_.max_rows_, bound_on::request);
  if (bytes_are_too_many)
    return too_large("max_bytes", all_.max_bytes_, bound_on::request);
  return {};
}

void result_budget::give_back() noexcept {
  all_.rows_.fetch_sub(std::exchange(rows_, 0), std::memory_order_relaxed);
  all_.bytes_.fetch_sub(std::exchange(bytes_, 0), std::memory_order_relaxed);
}

failure too_large(std::string_view bound, std::size_t limit, bound_on scope) {
  const auto* const subject = scope == bound_on::row      ? "a row is"
                              : scope == bound_on::result ? "the result is"
                                                          : "the request's results together are";
  return {.code = errc::result_too_large,
          .phase = phase::fetch,
          .message = fmt::format("{} larger than {} ({}): select less, or raise it", subject, bound, limit),
          .reached_server = true};
}

} // namespace sheaf
