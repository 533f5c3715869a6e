// SPDX-License-Identifier: BSD-3-Clause
//
// The functions that expressions can call. Any thread, one at a time for one generator.

#include "app/expression/expression_function.hpp"

#include "app/base/nearest.hpp"
#include "app/base/text.hpp"

#include "sheaf/error.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <utility>

namespace sheaf::app {

namespace {

using arguments = std::span<const operand>;

failure no_generator(std::string_view name) {
  return invalid_request(
      fmt::format("{}() draws anew each time; it has no place where a value has to stay the same", name));
}

/// The first argument that no other one is `better` than.
result<operand> best(std::string_view name, arguments given, operation better) {
  const auto* out = &given.front();
  for (const auto& x : given) {
    const auto wins = apply(better, x, *out);
    if (!wins)
      return invalid_request(fmt::format("{}(): {}", name, wins.error().message));
    if (std::get<bool>(*wins))
      out = &x;
  }
  return *out;
}

result<operand> min_of(arguments given, generator*) { return best("min", given, operation::less); }
result<operand> max_of(arguments given, generator*) { return best("max", given, operation::greater); }

result<operand> abs_of(arguments given, generator*) {
  const auto& x = given.front();
  if (const auto* number = std::get_if<double>(&x))
    return operand{std::abs(*number)};
  const auto* whole = std::get_if<std::int64_t>(&x);
  const auto* time = std::get_if<std::chrono::nanoseconds>(&x);
  if (!whole && !time)
    return invalid_request(fmt::format("abs() takes a number or a duration, not {}", kind_of(x)));
  return (whole ? *whole : time->count()) < 0 ? negated(x) : x;
}

result<operand> length_of(arguments given, generator*) {
  const auto* text = std::get_if<std::string>(&given.front());
  if (!text)
    return invalid_request(fmt::format("length() takes text, not {}", kind_of(given.front())));
  std::int64_t characters = 0;
  for (std::string_view rest = *text; !rest.empty(); ++characters)
    rest.remove_prefix(first_character(rest).size);
  return operand{characters};
}

result<operand> random_of(arguments given, generator* random) {
  if (!random)
    return no_generator("random");
  const auto *low = std::get_if<std::int64_t>(&given[0]), *high = std::get_if<std::int64_t>(&given[1]);
  if (!low || !high)
    return invalid_request(
        fmt::format("random(low, high) takes whole numbers, not {}", show(low ? given[1] : given[0])));
  if (*low > *high)
    return invalid_request(fmt::format("random(low, high): low is {}, more than high, {}", *low, *high));
  return operand{random->between(*low, *high)};
}

result<operand> choose_of(arguments given, generator* random) {
  if (!random)
    return no_generator("choose");
  return given[static_cast<std::size_t>(random->between(0, static_cast<std::int64_t>(given.size()) - 1))];
}

result<operand> sequence_of(arguments, generator* random) {
  if (!random)
    return no_generator("sequence");
  return operand{random->next_in_sequence()};
}

constexpr auto any_number = std::numeric_limits<std::size_t>::max();

constexpr std::array<function, 7> functions{{
    {"min", 1, any_number, min_of},
    {"max", 1, any_number, max_of},
    {"abs", 1, 1, abs_of},
    {"length", 1, 1, length_of},
    {"random", 2, 2, random_of},
    {"choose", 1, any_number, choose_of},
    {"sequence", 0, 0, sequence_of},
}};

} // namespace

std::span<const function> all_functions() noexcept { return functions; }

const function* find_function(std::string_view name) noexcept {
  const auto* at = std::ranges::find(functions, name, &function::name);
  return at == functions.end() ? nullptr : at;
}

std::string_view nearest_function(std::string_view name) {
  std::array<std::string_view, functions.size()> names;
  std::ranges::transform(functions, names.begin(), &function::name);
  return nearest(name, names);
}

} // namespace sheaf::app
