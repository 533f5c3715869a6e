// SPDX-License-Identifier: BSD-3-Clause
//
// Checks a request, and keeps what the check found out. Pure functions, any thread.

#pragma once

#include "sheaf/clock.hpp"
#include "sheaf/options.hpp"
#include "sheaf/request.hpp"
#include "sheaf/session/result_budget.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace sheaf {

/// A request that has been checked: every query has a unique name, a statement that scans, and all its parameters.
struct checked_request {
  request given;
  /// By position; null for tasks. Most belong to the query's own statement: counting references to a statement that
  /// several loops use at once costs more than sending it.
  std::vector<const parsed_statement*> texts;
  std::vector<std::shared_ptr<const parsed_statement>> own_texts; ///< Those that no query's statement keeps.
  std::vector<std::uint32_t> databases;                           ///< By position in the engine's options.
  std::unique_ptr<request_budget> budget;                         ///< Null without bounds of the request's own.
  clock::time_point taken_at, deadline;
  std::size_t bytes = 0; ///< About what it takes in memory until it is answered, without its rows.

  /// False where query `i` is declared `read_only`, or is a statement of which it is known that it only reads.
  bool may_write(std::size_t i) const noexcept;

  /// The packing that query `i` allows: `never` unless it is declared `read_only`, by its words only reads and leaves
  /// nothing in its session, and its parameters are small.
  packing packing_of(std::size_t i, const options& settings) const noexcept;

  /// True where query `i`, having failed so, may have taken effect all the same.
  bool may_have_effect(std::size_t i, const failure& why) const noexcept;
};

/// Checks `given` for an engine with these settings; `dialects` are those of its databases, by position. A fault is
/// `invalid_request`; an empty statement is `rejected_sql`.
result<std::shared_ptr<const checked_request>> check(request given, const options& settings,
                                                     std::span<const dialect> dialects);

/// Names the queries that have no name: `q1`, `q2`, … by position.
void number_queries(request& given);

/// Checks the parameters of `q` against its statement, of which `text` is the form for `d`: a fault, or nothing. A
/// parameter without a value and a value without a parameter are `invalid_request`, all named in one message; an empty
/// statement is `rejected_sql`.
std::optional<failure> check_values(const query& q, const parsed_statement& text, dialect d);

} // namespace sheaf
