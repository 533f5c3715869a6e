// SPDX-License-Identifier: BSD-3-Clause

#include "app/scenario/checked_expectation.hpp"

#include <fmt/format.h>

namespace sheaf::app {

std::string checked_expectation::found() const {
  if (!value)
    return why;
  auto text = is_rate ? to_text(*value) + "/s" : to_text(*value);
  return why.empty() ? text : fmt::format("{} ({})", text, why);
}

std::string checked_expectation::place() const {
  return step == 0 ? fmt::format("line {}", at.line) : fmt::format("step {}, line {}", step, at.line);
}

} // namespace sheaf::app
