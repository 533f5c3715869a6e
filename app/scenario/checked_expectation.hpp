// SPDX-License-Identifier: BSD-3-Clause
//
// An expectation or a threshold, and whether it held. Any thread.

#pragma once

#include "app/expression/operand.hpp"
#include "app/file/finding.hpp"

#include <optional>
#include <string>

namespace sheaf::app {

/// An expectation and what came of it.
struct checked_expectation {
  location at;
  std::string text; ///< `total.scalar: > 0`
  bool held = false;
  std::optional<operand> value{}; ///< The value, if there is one.
  std::string why{};              ///< Why there is no value, or nothing that holds of it.
  std::size_t step = 0;           ///< Number of the step; 0 for a threshold.
  bool is_rate = false;           ///< The value is a number a second.

  std::string found() const; ///< The value for people, or why there is none.
  std::string place() const; ///< `step 2, line 10`
};

} // namespace sheaf::app
