// SPDX-License-Identifier: BSD-3-Clause
//
// Small expressions over the answer to a request: `by_author.rows > 0 and elapsed < 0.6 * shared_session`. Reading one
// makes a program for a stack machine that only steps forward, so that evaluating it ends, and takes no more than its
// length. Any thread; evaluating does not change it.

#pragma once

#include "app/expression/expression_function.hpp"
#include "app/expression/generator.hpp"
#include "app/expression/operand.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

/// Gives the value that a name stands for: `n`, `total.scalar`.
using scope = std::function<result<operand>(std::string_view path)>;

/// The operators from the weakest binding on: `or`, `and`, `not`, one comparison (`==` or `=`, `!=`, `<`, `<=`, `>`,
/// `>=`), `+ -`, `* /`, a sign, parentheses. Literals: `null`, `true`, `42`, `0.5`, `1e6`, `0.1%`, `250ms` (units of
/// `parse_duration`), `'text'` or `"text"` with its quote doubled inside. Names: dotted words of letters, digits, `_`
/// and what is not ASCII. `and` and `or` look at their right side only when it matters. Functions: `min`, `max`, `abs`,
/// `length` (in characters), `random(low, high)`, `choose(…)`, `sequence()`.
class expression {
public:
  static constexpr std::size_t bytes_max = 4096;
  static constexpr std::size_t depth_max = 64; ///< Parentheses, calls, signs and `not` within each other.

  /// A path that is used, and where it starts in the text, in characters from 1.
  struct used_name {
    std::string path;
    std::size_t position = 0;
  };

  /// Reads an expression. An error in it is `invalid_request` with its position.
  static result<expression> parse(std::string_view text);

  /// Reads an expectation of the value `it`; it evaluates to true or false. A comparison without its left side is one
  /// of `it` (`> 0`, `!= null`, `>= 1 and <= 5`). An expression that neither compares nor names `it` is the value that
  /// `it` has to equal (`1`, `'x'`, `2 * n`).
  static result<expression> parse_expectation(std::string_view text);

  /// The value. Failures of `names` get the name's position if they have none, all others are `invalid_request` with
  /// theirs. Without `random` the functions that draw are failures.
  result<operand> evaluate(const scope& names, generator* random = nullptr) const;

  /// The same for an expression that has to be true or false: any other value is `invalid_request`.
  result<bool> holds(const scope& names, generator* random = nullptr) const;

  /// The first operation whose operands are of kinds that do not go together, whatever their values are, with its
  /// position; or nothing. `names` gives a value of the kind that a name has, or nothing where that is not known.
  using examples = std::function<std::optional<operand>(std::string_view path)>;
  std::optional<failure> check(const examples& names) const;

  /// True for an expectation that is just the value that `it` has to equal.
  bool is_value() const noexcept { return is_value_; }

  /// All names, once for each use, in order. An `it` that is left out stands where its comparison does.
  const std::vector<used_name>& names() const noexcept { return names_; }

private:
  friend class expression_parser;
  class machine;
  class kinds;

  struct instruction {
    enum class action : std::uint8_t {
      push,          ///< Pushes constant `argument`.
      load,          ///< Pushes the value of name `argument`.
      apply,         ///< Applies `how` to the two uppermost.
      negate,        ///< `-`
      invert,        ///< `not`
      skip_if_false, ///< Goes to `argument` with false, or on without it.
      skip_if_true,
      need_truth, ///< Fails unless the uppermost is true or false.
      call,       ///< Calls `callee` with the `argument` uppermost.
    };

    action act{};
    operation how{};
    const function* callee = nullptr;
    std::size_t argument = 0;
    std::size_t position = 0;
  };

  std::vector<instruction> program_;
  std::vector<operand> constants_;
  std::vector<used_name> names_;
  bool is_value_ = false;
};

} // namespace sheaf::app
