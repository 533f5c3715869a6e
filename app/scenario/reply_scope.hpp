// SPDX-License-Identifier: BSD-3-Clause
//
// The names of a reply's parts in an expression: `total.scalar`, `by_author.rows`, `elapsed`. Any thread.

#pragma once

#include "app/expression/operand.hpp"
#include "app/file/sheaf_file.hpp"

#include "sheaf/request.hpp"

#include <span>
#include <string>
#include <string_view>

namespace sheaf::app {

/// The fields of the whole reply, and those behind a query's name and a dot.
std::span<const std::string_view> reply_fields() noexcept;
std::span<const std::string_view> query_fields() noexcept;

/// The value of a path. A query with `for_each` stands for all that were made of it: their rows together, the slowest's
/// time, the first failure. An unknown path and a missing value are `invalid_request`.
result<operand> field_of(const reply& got, std::string_view path);

/// A value of the kind that the path has; nothing where that is not known beforehand.
std::optional<operand> example_of_field(std::string_view path);

/// Nothing, or what is wrong with the path for replies to this request.
std::optional<std::string> check_field(const request_spec& of, std::string_view path);

} // namespace sheaf::app
