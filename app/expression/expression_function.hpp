// SPDX-License-Identifier: BSD-3-Clause
//
// The functions that expressions can call. Any thread.

#pragma once

#include "app/expression/generator.hpp"
#include "app/expression/operand.hpp"

#include <cstddef>
#include <span>
#include <string_view>

namespace sheaf::app {

struct function {
  std::string_view name;
  std::size_t least, most; ///< Arguments.
  /// `random` is null where nothing may be drawn.
  result<operand> (*call)(std::span<const operand> arguments, generator* random);
};

/// All of them.
std::span<const function> all_functions() noexcept;

/// Null when there is none of that name. Functions live for ever.
const function* find_function(std::string_view name) noexcept;

/// The function with the nearest name; empty when none is near.
std::string_view nearest_function(std::string_view name);

} // namespace sheaf::app
