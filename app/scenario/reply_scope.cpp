// SPDX-License-Identifier: BSD-3-Clause

#include "app/scenario/reply_scope.hpp"

#include "app/base/nearest.hpp"
#include "app/base/parse_number.hpp"

#include "sheaf/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace sheaf::app {

namespace {

constexpr std::array<std::string_view, 7> fields_of_reply{"elapsed", "error",      "ok",     "overlap",
                                                          "queries", "serial_sum", "slowest"};
constexpr std::array<std::string_view, 8> fields_of_query{"affected", "attempts", "columns", "elapsed",
                                                          "error",    "ok",       "rows",    "scalar"};

operand number(std::size_t x) { return static_cast<std::int64_t>(x); }

/// True when an outcome belongs to the query of that name: it is that query's, or of one that `for_each` made of it.
bool belongs(std::string_view outcome, std::string_view name) {
  return outcome.starts_with(name) && (outcome.size() == name.size() || outcome[name.size()] == '[');
}

std::vector<const outcome*> outcomes_of(const reply& got, std::string_view name) {
  std::vector<const outcome*> found;
  for (const auto& x : got.outcomes)
    if (belongs(x.name, name))
      found.push_back(&x);
  return found;
}

/// A cell as an operand. SQLite names no types for computed values, so a text that reads as a number is one.
operand operand_of(std::string text, std::string_view type) {
  if (type == "bool")
    return text == "t";
  if (type == "text" || type == "varchar" || type == "bpchar")
    return text;
  if (const auto x = parse_number<std::int64_t>(text); x && fmt::to_string(*x) == text)
    return *x;
  if (const auto x = parse_number<double>(text); x && std::isfinite(*x))
    return *x;
  return text;
}

result<operand> scalar_of(const std::vector<const outcome*>& of) {
  if (of.size() != 1)
    return invalid_request("scalar is of one query, and for_each made several");
  const auto& rows = of.front()->table();
  if (rows.rows() != 1 || rows.columns() != 1)
    return invalid_request(fmt::format("scalar is of one row with one column, and there are {} rows with {} columns",
                                       rows.rows(), rows.columns()));
  auto text = rows.text(0, 0);
  return text ? operand_of(std::move(*text), rows.column_at(0).type) : operand{};
}

template <class F>
operand sum(const std::vector<const outcome*>& of, F f) {
  std::size_t n = 0;
  for (const auto* x : of)
    n += f(*x);
  return number(n);
}

std::chrono::nanoseconds slowest(const auto& outcomes, const auto& of) {
  std::chrono::nanoseconds most{0};
  for (const auto& x : outcomes)
    most = std::max(most, of(x).times.total());
  return most;
}

result<operand> field_of_query(const std::vector<const outcome*>& of, std::string_view field) {
  const auto failed = std::find_if(of.begin(), of.end(), [](const outcome* x) { return !x->ok(); });
  if (field == "ok")
    return operand{failed == of.end()};
  if (field == "error")
    return failed == of.end() ? operand{} : operand{std::string{to_string((*failed)->error_info()->code)}};
  if (field == "elapsed")
    return operand{slowest(of, [](const outcome* x) -> const outcome& { return *x; })};
  if (field == "attempts")
    return sum(of, [](const outcome& x) { return x.attempts; });
  if (failed != of.end())
    return *(*failed)->error_info();
  if (field == "scalar")
    return scalar_of(of);
  if (field == "rows")
    return sum(of, [](const outcome& x) { return x.table().rows(); });
  if (field == "affected")
    return sum(of, [](const outcome& x) { return x.table().affected_rows(); });
  return number(of.front()->table().columns());
}

result<operand> field_of_reply(const reply& got, std::string_view field) {
  if (field == "elapsed")
    return operand{got.elapsed};
  if (field == "ok")
    return operand{got.ok()};
  if (field == "error")
    return got.failure ? operand{std::string{to_string(got.failure->code)}} : operand{};
  if (field == "queries")
    return number(got.outcomes.size());
  if (field == "overlap")
    return operand{got.overlap()};
  if (field == "serial_sum")
    return operand{got.serial_sum()};
  return operand{slowest(got.outcomes, [](const outcome& x) -> const outcome& { return x; })};
}

bool is_one_of(std::string_view x, std::span<const std::string_view> all) {
  return std::find(all.begin(), all.end(), x) != all.end();
}

} // namespace

std::span<const std::string_view> reply_fields() noexcept { return fields_of_reply; }

std::span<const std::string_view> query_fields() noexcept { return fields_of_query; }

result<operand> field_of(const reply& got, std::string_view path) {
  if (is_one_of(path, fields_of_reply))
    return field_of_reply(got, path);
  const auto dot = path.rfind('.');
  const auto name = path.substr(0, dot);
  const auto found = outcomes_of(got, name);
  if (dot == path.npos || found.empty() || !is_one_of(path.substr(dot + 1), fields_of_query))
    return invalid_request(fmt::format("there is no {}", path));
  return field_of_query(found, path.substr(dot + 1));
}

std::optional<operand> example_of_field(std::string_view path) {
  const auto field = path.substr(path.rfind('.') + 1); // npos + 1 is 0
  const bool of_query = field.size() < path.size();
  if (of_query ? !is_one_of(field, fields_of_query) : !is_one_of(field, fields_of_reply))
    return {};
  if (field == "scalar")
    return {};
  if (field == "elapsed" || field == "serial_sum" || field == "slowest")
    return operand{std::chrono::nanoseconds{std::chrono::milliseconds{1}}};
  if (field == "ok")
    return operand{true};
  if (field == "error")
    return operand{std::string{"internal"}};
  return operand{std::int64_t{1}};
}

std::optional<std::string> check_field(const request_spec& of, std::string_view path) {
  if (is_one_of(path, fields_of_reply))
    return {};
  const auto dot = path.rfind('.');
  std::vector<std::string_view> names;
  for (const auto& q : of.queries)
    names.push_back(q.query.name);
  if (dot == path.npos) {
    names.insert(names.end(), fields_of_reply.begin(), fields_of_reply.end());
    const auto near = nearest(path, names);
    return fmt::format("the reply to {} has no \"{}\"{}", of.name, path,
                       near.empty() ? fmt::format("; it has {}, and QUERY.{}", fmt::join(fields_of_reply, ", "),
                                                  fmt::join(fields_of_query, ", QUERY."))
                                    : fmt::format("; did you mean \"{}{}\"?", near,
                                                  is_one_of(near, fields_of_reply) ? "" : ".scalar"));
  }
  const auto name = path.substr(0, dot), field = path.substr(dot + 1);
  if (!is_one_of(name, names))
    return fmt::format("request {} has no query \"{}\"{}", of.name, name, did_you_mean(name, names));
  if (!is_one_of(field, fields_of_query))
    return fmt::format("a query's answer has no \"{}\"{}", field, did_you_mean(field, fields_of_query));
  return {};
}

} // namespace sheaf::app
