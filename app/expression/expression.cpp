// SPDX-License-Identifier: BSD-3-Clause
//
// Runs an expression's program. Any thread.

#include "app/expression/expression.hpp"

#include <fmt/format.h>
#include <span>
#include <utility>

namespace sheaf::app {

/// One evaluation.
class expression::machine {
public:
  machine(const expression& parsed, const scope& names, generator* random)
    : evaluated_(parsed), names_(names), random_(random) {}

  result<operand> run() {
    for (std::size_t at = 0; at < evaluated_.program_.size(); ++at) {
      const auto& todo = evaluated_.program_[at];
      auto stepped = step(todo);
      if (!stepped) {
        auto why = std::move(stepped).error();
        if (why.position == 0)
          why.position = todo.position;
        return why;
      }
      if (*stepped)
        at = todo.argument - 1;
    }
    return std::move(stack_.back());
  }

private:
  using action = instruction::action;

  /// True to go to the instruction's argument.
  result<bool> step(const instruction& todo) {
    switch (todo.act) {
    case action::push:
      stack_.push_back(evaluated_.constants_[todo.argument]);
      return false;
    case action::load:
      return push(load(evaluated_.names_[todo.argument].path));
    case action::negate:
      return replace(1, negated(stack_.back()));
    case action::apply:
      return replace(2, sheaf::app::apply(todo.how, stack_[stack_.size() - 2], stack_.back()));
    case action::call:
      return replace(todo.argument, todo.callee->call(std::span{stack_}.last(todo.argument), random_));
    default:
      return logic(todo);
    }
  }

  result<bool> logic(const instruction& todo) {
    const auto* truth = std::get_if<bool>(&stack_.back());
    if (!truth)
      return failure{.code = errc::invalid_request,
                     .message = fmt::format("true or false is needed here, not {}; compare it with something",
                                            show(stack_.back()))};
    switch (todo.act) {
    case action::invert:
      return replace(1, operand{!*truth});
    case action::skip_if_false:
    case action::skip_if_true:
      if (*truth == (todo.act == action::skip_if_true))
        return true;
      stack_.pop_back();
      return false;
    default:
      return false;
    }
  }

  result<operand> load(std::string_view path) const {
    if (!names_)
      return failure{.code = errc::invalid_request, .message = fmt::format("{} is not known here", path)};
    return names_(path);
  }

  result<bool> push(result<operand> x) {
    if (!x)
      return std::move(x).error();
    stack_.push_back(*std::move(x));
    return false;
  }

  result<bool> replace(std::size_t count, result<operand> with) {
    if (!with)
      return std::move(with).error();
    stack_.resize(stack_.size() - count);
    stack_.push_back(*std::move(with));
    return false;
  }

  const expression& evaluated_;
  const scope& names_;
  generator* random_;
  std::vector<operand> stack_;
};

result<operand> expression::evaluate(const scope& names, generator* random) const {
  return machine{*this, names, random}.run();
}

result<bool> expression::holds(const scope& names, generator* random) const {
  const auto value = evaluate(names, random);
  if (!value)
    return value.error();
  if (const auto* truth = std::get_if<bool>(&*value))
    return *truth;
  return failure{.code = errc::invalid_request,
                 .message =
                     fmt::format("this is {} and has to be true or false; compare it with something", show(*value)),
                 .position = 1};
}

} // namespace sheaf::app
