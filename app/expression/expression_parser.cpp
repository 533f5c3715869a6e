// SPDX-License-Identifier: BSD-3-Clause
//
// Reads expressions by recursive descent, a function for each strength of binding, and writes their program. Any
// thread.

#include "app/base/nearest.hpp"
#include "app/base/text.hpp"
#include "app/expression/expression.hpp"
#include "app/expression/expression_reader.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <utility>

namespace sheaf::app {

namespace {

constexpr std::string_view implicit_name = "it";

std::optional<operation> comparison_of(const token& at) noexcept {
  constexpr std::array<std::pair<std::string_view, operation>, 6> all{{
      {"=", operation::equal},
      {"!=", operation::not_equal},
      {"<", operation::less},
      {"<=", operation::less_equal},
      {">", operation::greater},
      {">=", operation::greater_equal},
  }};
  for (const auto& [text, how] : all)
    if (at.type == token::kind::sign && at.text == text)
      return how;
  return std::nullopt;
}

bool is_keyword(std::string_view word) noexcept { return word == "and" || word == "or" || word == "not"; }

} // namespace

/// One text. Each function reads what binds at least as strongly as its name, and is false when that failed.
class expression_parser {
public:
  explicit expression_parser(std::string_view text) : size_(text.size()), at_(text) {}

  result<expression> whole() {
    if (!start() || !disjunction() || !ended())
      return at_.error();
    return std::move(out_);
  }

  result<expression> expectation() {
    expecting_ = true;
    if (!start() || !disjunction() || !ended())
      return at_.error();
    if (!is_test()) {
      out_.is_value_ = true;
      emit_name(implicit_name, 1);
      emit({.act = action::apply, .how = operation::equal, .position = 1});
    }
    emit({.act = action::need_truth, .position = 1});
    return std::move(out_);
  }

private:
  using instruction = expression::instruction;
  using action = instruction::action;

  bool start() {
    if (size_ > expression::bytes_max)
      return at_.fail(fmt::format("an expression has at most {} bytes; this one has {}", expression::bytes_max, size_),
                      0);
    return at_.advance();
  }

  void emit(instruction step) { out_.program_.push_back(step); }

  void emit_constant(operand value, std::size_t position) {
    out_.constants_.push_back(std::move(value));
    emit({.act = action::push, .argument = out_.constants_.size() - 1, .position = position});
  }

  void emit_name(std::string_view path, std::size_t position) {
    out_.names_.push_back({std::string{path}, position});
    emit({.act = action::load, .argument = out_.names_.size() - 1, .position = position});
  }

  bool ended() {
    if (at_.at_end())
      return true;
    if (at_.at_sign(")"))
      return at_.fail("this parenthesis was not opened");
    constexpr std::array<std::string_view, 2> words{"and", "or"};
    const auto meant = at_.now().type == token::kind::name ? nearest(at_.now().text, words) : std::string_view{};
    if (!meant.empty())
      return at_.fail(fmt::format("{} is not an operator; write {}", at_.shown(), meant));
    return at_.fail(fmt::format("an operator or the end has to stand here, not {}", at_.shown()));
  }

  /// True when the text so far is true or false by its form, or names `it` itself.
  bool is_test() const noexcept {
    const auto& last = out_.program_.back();
    if (last.act == action::invert || last.act == action::need_truth)
      return true;
    if (last.act == action::apply && is_comparison(last.how))
      return true;
    return std::ranges::find(out_.names_, implicit_name, &expression::used_name::path) != out_.names_.end();
  }

  /// Every form that can hold itself goes through here.
  template <class Read>
  bool deeper(Read read) {
    if (depth_ == expression::depth_max)
      return at_.fail(fmt::format("at most {} parentheses, calls and signs within each other", expression::depth_max));
    ++depth_;
    const bool ok = read();
    --depth_;
    return ok;
  }

  bool disjunction() {
    return chain("or", action::skip_if_true, [this] { return conjunction(); });
  }

  bool conjunction() {
    return chain("and", action::skip_if_false, [this] { return negation(); });
  }

  template <class Read>
  bool chain(std::string_view word, action skip, Read read) {
    if (!read())
      return false;
    while (at_.at_word(word)) {
      const auto position = at_.position();
      const auto skipping = out_.program_.size();
      emit({.act = skip, .position = position});
      if (!at_.advance() || !read())
        return false;
      emit({.act = action::need_truth, .position = position});
      out_.program_[skipping].argument = out_.program_.size();
    }
    return true;
  }

  bool negation() {
    if (!at_.at_word("not"))
      return comparison();
    const auto position = at_.position();
    if (!at_.advance() || !deeper([this] { return negation(); }))
      return false;
    emit({.act = action::invert, .position = position});
    return true;
  }

  bool comparison() {
    if (expecting_ && comparison_of(at_.now()))
      emit_name(implicit_name, at_.position());
    else if (!sum())
      return false;
    const auto how = comparison_of(at_.now());
    if (!how)
      return true;
    const auto position = at_.position();
    if (!at_.advance() || !sum())
      return false;
    emit({.act = action::apply, .how = *how, .position = position});
    if (comparison_of(at_.now()))
      return at_.fail("comparisons do not follow each other; join them with and");
    return true;
  }

  bool sum() {
    return operations("+", operation::add, "-", operation::subtract, [this] { return product(); });
  }

  bool product() {
    return operations("*", operation::multiply, "/", operation::divide, [this] { return unary(); });
  }

  template <class Read>
  bool operations(std::string_view a, operation of_a, std::string_view b, operation of_b, Read read) {
    if (!read())
      return false;
    while (at_.at_sign(a) || at_.at_sign(b)) {
      const instruction todo{.act = action::apply, .how = at_.at_sign(a) ? of_a : of_b, .position = at_.position()};
      if (!at_.advance() || !read())
        return false;
      emit(todo);
    }
    return true;
  }

  bool unary() {
    if (!at_.at_sign("-"))
      return primary();
    const auto position = at_.position();
    if (!at_.advance())
      return false;
    if (at_.now().type == token::kind::integer)
      return integer(true, position);
    if (!deeper([this] { return unary(); }))
      return false;
    emit({.act = action::negate, .position = position});
    return true;
  }

  bool integer(bool negative, std::size_t position) {
    const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (at_.now().magnitude > most + (negative ? 1 : 0))
      return at_.fail(fmt::format("a whole number is at most {}; write {}.0", most, at_.shown()));
    emit_constant(static_cast<std::int64_t>(negative ? 0 - at_.now().magnitude : at_.now().magnitude), position);
    return at_.advance();
  }

  bool primary() {
    switch (at_.now().type) {
    case token::kind::integer:
      return integer(false, at_.position());
    case token::kind::literal:
      emit_constant(at_.now().value, at_.position());
      return at_.advance();
    case token::kind::name:
      return word();
    default:
      break;
    }
    if (!at_.at_sign("("))
      return at_.fail(fmt::format("a value has to stand here, not {}", at_.shown()));
    const auto opened = at_.now().offset;
    if (!at_.advance() || !deeper([this] { return disjunction(); }))
      return false;
    return closed(opened);
  }

  bool closed(std::size_t opened) {
    if (at_.at_sign(")"))
      return at_.advance();
    if (at_.at_end())
      return at_.fail("this parenthesis is not closed", opened);
    return at_.fail(fmt::format("an operator or ) has to stand here, not {}", at_.shown()));
  }

  bool word() {
    const auto name = at_.now();
    const auto position = at_.position();
    if (is_keyword(name.text))
      return at_.fail(fmt::format("a value has to stand here, not {}", name.text), name.offset);
    if (!at_.advance())
      return false;
    if (at_.at_sign("("))
      return call(name, position);
    if (name.text == "true" || name.text == "false")
      emit_constant(name.text == "true", position);
    else if (name.text == "null")
      emit_constant({}, position);
    else
      emit_name(name.text, position);
    return true;
  }

  bool call(const token& name, std::size_t position) {
    const auto* found = find_function(name.text);
    if (!found) {
      const auto meant = nearest_function(name.text);
      return at_.fail(fmt::format("there is no function {}{}", shortened(name.text, 40, true),
                                  meant.empty() ? std::string{} : fmt::format("; did you mean {}?", meant)),
                      name.offset);
    }
    const auto opened = at_.now().offset;
    if (!at_.advance())
      return false;
    std::size_t count = 0;
    if (!at_.at_sign(")") && !deeper([&] { return arguments(count); }))
      return false;
    if (!closed(opened))
      return false;
    if (count < found->least || count > found->most)
      return at_.fail(fmt::format("{}() takes {}, not {}", found->name, count_of(*found), count), name.offset);
    emit({.act = action::call, .callee = found, .argument = count, .position = position});
    return true;
  }

  bool arguments(std::size_t& count) {
    while (disjunction()) {
      ++count;
      if (!at_.at_sign(","))
        return true;
      if (!at_.advance())
        return false;
    }
    return false;
  }

  static std::string count_of(const function& called) {
    if (called.most == 0)
      return "no argument";
    return fmt::format("{}{} argument{}", called.least == called.most ? "" : "at least ", called.least,
                       called.least == 1 ? "" : "s");
  }

  std::size_t size_; // in bytes
  expression_reader at_;
  std::size_t depth_ = 0;
  bool expecting_ = false;
  expression out_;
};

result<expression> expression::parse(std::string_view text) { return expression_parser{text}.whole(); }

result<expression> expression::parse_expectation(std::string_view text) {
  return expression_parser{text}.expectation();
}

} // namespace sheaf::app
