// SPDX-License-Identifier: BSD-3-Clause
//
// The values that expressions compute with, and how they are added, compared and shown. Any thread.

#pragma once

#include "sheaf/error.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace sheaf::app {

/// Null, true or false, a whole number, another number, a duration, text.
using operand = std::variant<std::monostate, bool, std::int64_t, double, std::chrono::nanoseconds, std::string>;

enum class operation : std::uint8_t {
  add,
  subtract,
  multiply,
  divide,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
};

/// The operation as an expression writes it: `+`, `==`.
std::string_view to_string(operation how) noexcept;

constexpr bool is_comparison(operation how) noexcept { return how >= operation::equal; }

/// `a how b`.
///
/// Numbers: a quotient of whole numbers is whole when it comes out even (`6 / 2` is 3, `1 / 2` is 0.5). Durations:
/// duration ± duration, duration × number, duration / number, and duration / duration, which is a number. Comparisons
/// are exact, also of a whole number with another. Null equals null and nothing else, and has no order. Text compares
/// with text by bytes, and with a number as the number that it reads as.
/// Everything else, a division by zero and a result that does not fit are `invalid_request`.
result<operand> apply(operation how, const operand& a, const operand& b);

/// `-x` of a number or a duration; else `invalid_request`.
result<operand> negated(const operand& x);

/// `null`, `true or false`, `number`, `duration` or `text`.
std::string_view kind_of(const operand& x) noexcept;

/// `null`, `true`, `42`, `0.5`, `1.3 s`, `'x'`: one line. Durations have six digits, text is cut to 60 columns.
std::string show(const operand& x);

/// The same. Not for types that merely convert to an operand: a duration has a `to_text` of its own.
std::string to_text(const std::same_as<operand> auto& x) { return show(x); }

} // namespace sheaf::app
