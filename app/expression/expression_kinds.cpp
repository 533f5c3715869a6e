// SPDX-License-Identifier: BSD-3-Clause
//
// Goes through an expression's program with an example in place of each value, and so with its kind. Any thread.

#include "app/expression/expression.hpp"

#include "sheaf/error.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <span>
#include <utility>

namespace sheaf::app {

namespace {

using example = std::optional<operand>; ///< Nothing where the kind is not known.

/// The same for all values of a kind, so that no result depends on them; but a text may have to read as a number.
operand example_of(const operand& x) {
  if (std::holds_alternative<std::int64_t>(x) || std::holds_alternative<double>(x))
    return std::int64_t{1};
  if (std::holds_alternative<std::chrono::nanoseconds>(x))
    return std::chrono::nanoseconds{std::chrono::milliseconds{1}};
  return std::holds_alternative<bool>(x) ? operand{true} : x;
}

failure mixed(operation how, const operand& a, const operand& b, const failure& why) {
  const auto is_time = [](const operand& x) { return std::holds_alternative<std::chrono::nanoseconds>(x); };
  const auto is_number = [](const operand& x) { return std::holds_alternative<std::int64_t>(x); };
  if (is_comparison(how) && ((is_time(a) && is_number(b)) || (is_number(a) && is_time(b))))
    return invalid_request(fmt::format("{} cannot compare a {} with a {}: a duration has a unit, as in 5ms, and a "
                                       "number has none",
                                       to_string(how), kind_of(a), kind_of(b)));
  return why;
}

failure no_truth(const operand& x) {
  return invalid_request(fmt::format("true or false is needed here, not a {}; compare it with something", kind_of(x)));
}

} // namespace

class expression::kinds {
public:
  kinds(const expression& parsed, const examples& names) : parsed_(parsed), names_(names) {}

  std::optional<failure> check() {
    for (const auto& step : parsed_.program_)
      if (auto why = take(step)) {
        if (why->position == 0)
          why->position = step.position;
        return why;
      }
    return {};
  }

private:
  using action = instruction::action;

  std::optional<failure> take(const instruction& todo) {
    switch (todo.act) {
    case action::push:
      stack_.emplace_back(example_of(parsed_.constants_[todo.argument]));
      return {};
    case action::load: {
      const auto x = names_(parsed_.names_[todo.argument].path);
      stack_.push_back(x ? example{example_of(*x)} : std::nullopt);
      return {};
    }
    case action::apply:
      return apply(todo.how);
    case action::negate:
      return stack_.back() ? replace(1, negated(*stack_.back())) : std::nullopt;
    case action::call:
      return call(todo);
    default:
      return logic(todo.act);
    }
  }

  std::optional<failure> apply(operation how) {
    const auto a = stack_[stack_.size() - 2], b = stack_.back();
    if (!a || !b) {
      pop(2);
      stack_.push_back(is_comparison(how) ? example{true} : std::nullopt);
      return {};
    }
    auto got = sheaf::app::apply(how, *a, *b);
    return got ? replace(2, std::move(got)) : mixed(how, *a, *b, got.error());
  }

  /// An operand that is skipped at times is looked at all the same.
  std::optional<failure> logic(action act) {
    if (stack_.back() && !std::holds_alternative<bool>(*stack_.back()))
      return no_truth(*stack_.back());
    if (act == action::skip_if_false || act == action::skip_if_true)
      pop(1);
    else
      stack_.back() = true;
    return {};
  }

  std::optional<failure> call(const instruction& todo) {
    const auto given = std::span{stack_}.last(todo.argument);
    std::vector<operand> arguments;
    for (const auto& x : given)
      if (x)
        arguments.push_back(*x);
    const bool same = std::adjacent_find(arguments.begin(), arguments.end(), [](const auto& a, const auto& b) {
                        return a.index() != b.index();
                      }) == arguments.end();
    if (arguments.size() < todo.argument || !same) {
      pop(todo.argument);
      stack_.emplace_back();
      return {};
    }
    generator random{0};
    return replace(todo.argument, todo.callee->call(arguments, &random));
  }

  std::optional<failure> replace(std::size_t count, result<operand> with) {
    if (!with)
      return std::move(with).error();
    pop(count);
    stack_.emplace_back(example_of(*with));
    return {};
  }

  void pop(std::size_t count) { stack_.resize(stack_.size() - count); }

  const expression& parsed_;
  const examples& names_;
  std::vector<example> stack_;
};

std::optional<failure> expression::check(const examples& names) const { return kinds{*this, names}.check(); }

} // namespace sheaf::app
