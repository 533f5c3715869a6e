// SPDX-License-Identifier: BSD-3-Clause
//
// Checks requests, and reads replies. Pure functions, any thread.

#include "sheaf/request.hpp"

#include "sheaf/invalid_request.hpp"
#include "sheaf/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace sheaf {
namespace {

using namespace std::chrono_literals;

failure empty_statement(const query& q) {
  return {.code = errc::rejected_sql, .query = q.name, .message = "the statement is empty; write one"};
}

std::string default_name(std::size_t index) {
  std::array<char, 24> text{'q'};
  const auto end = std::to_chars(text.data() + 1, text.data() + text.size(), index + 1).ptr;
  return {text.data(), end};
}

std::vector<std::string_view> names_of(const parameters& values) {
  std::vector<std::string_view> names;
  names.reserve(values.size());
  for (const auto& [name, value] : values)
    names.push_back(name);
  return names;
}

/// Sorts `names` and gives the first that is there twice.
std::optional<std::string> repeated(std::vector<std::string_view>& names) {
  std::sort(names.begin(), names.end());
  const auto at = std::adjacent_find(names.begin(), names.end());
  return at == names.end() ? std::nullopt : std::optional<std::string>{*at};
}

std::optional<failure> check_names(const std::vector<query>& queries) {
  std::vector<std::string_view> names;
  for (const auto& q : queries)
    if (!q.name.empty())
      names.push_back(q.name);
  if (names.empty())
    return {};
  auto twice = repeated(names);
  if (names.size() < queries.size()) // The names that the others will get count too.
    for (std::size_t i = 0; !twice && i < queries.size(); ++i)
      if (queries[i].name.empty() && std::binary_search(names.begin(), names.end(), default_name(i)))
        twice = default_name(i);
  if (!twice)
    return {};
  return invalid_request(fmt::format("two queries are named \"{}\"; rename one", *twice), *twice);
}

std::optional<failure> check_parameters(const query& q) {
  for (const auto& [name, value] : q.parameters)
    if (contains_nul(value))
      return invalid_request(
          fmt::format("the value of :{} holds a NUL character, which no database takes as text; pass bytes", name),
          q.name);
  if (q.parameters.size() < 2)
    return {};
  auto names = names_of(q.parameters);
  if (const auto twice = repeated(names))
    return invalid_request(fmt::format(":{} is given two values; remove one", *twice), q.name);
  return {};
}

std::optional<failure> check(const query& q) {
  const auto& sql = q.statement.sql();
  if (q.run && !sql.empty())
    return invalid_request("the query has both a statement and a task; remove one", q.name);
  if (q.run && q.on_rows)
    return invalid_request("on_rows is for statements; a task has its rows in its own hands", q.name);
  if (q.run && !q.parameters.empty())
    return invalid_request("a task takes no parameters; let it capture what it needs", q.name);
  if (!q.run && sql.empty())
    return empty_statement(q);
  if (sql.find('\0') != sql.npos)
    return invalid_request("the statement holds a NUL character; remove it", q.name);
  if (auto wrong = q.timeout ? limits::check("timeout", *q.timeout, 0ns) : std::nullopt)
    return invalid_request(std::move(*wrong), q.name);
  if (auto wrong = q.max_rows ? limits::check("max_rows", *q.max_rows, 1, limits::rows_max) : std::nullopt)
    return invalid_request(std::move(*wrong), q.name);
  if (auto wrong = q.max_bytes ? limits::check("max_bytes", *q.max_bytes, 1, limits::bytes_max) : std::nullopt)
    return invalid_request(std::move(*wrong), q.name);
  return check_parameters(q);
}

/// `:a, :b`; of very many the first ones and how many more.
std::string list(const std::vector<std::string_view>& names) {
  constexpr std::size_t listed_max = 100;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), listed_max); ++i)
    text.append(i == 0 ? ":" : ", :").append(names[i]);
  if (names.size() > listed_max)
    text += fmt::format(" and {} more", names.size() - listed_max);
  return text;
}

std::vector<std::string_view> difference(const std::vector<std::string_view>& xs,
                                         const std::vector<std::string_view>& ys) {
  std::vector<std::string_view> rest;
  std::set_difference(xs.begin(), xs.end(), ys.begin(), ys.end(), std::back_inserter(rest));
  return rest;
}

/// Nothing when `names` and the names of `values` are the same.
std::optional<std::string> mismatch(const std::vector<std::string>& names, const parameters& values) {
  if (std::equal(names.begin(), names.end(), values.begin(), values.end(),
                 [](const auto& name, const auto& value) { return name == value.first; }))
    return {};
  std::vector<std::string_view> wanted(names.begin(), names.end());
  auto given = names_of(values);
  std::sort(wanted.begin(), wanted.end());
  std::sort(given.begin(), given.end());
  const auto missing = difference(wanted, given);
  const auto extra = difference(given, wanted);
  if (missing.empty() && extra.empty())
    return {};
  std::string message;
  if (!missing.empty())
    message = fmt::format("the statement has {} but no value is given", list(missing));
  if (!extra.empty())
    message += fmt::format("{}a value is given for {} but the statement has no such parameter",
                           message.empty() ? "" : "; ", list(extra));
  return message;
}

/// The last point that was reached from `acquired` on, or `not_reached`.
std::chrono::nanoseconds end_of(const query_times& t) noexcept {
  for (const auto point : {t.released, t.last_row, t.first_row, t.sent, t.acquired})
    if (point != query_times::not_reached)
      return point;
  return query_times::not_reached;
}

} // namespace

void number_queries(request& what) {
  for (std::size_t i = 0; i < what.queries.size(); ++i)
    if (what.queries[i].name.empty())
      what.queries[i].name = default_name(i);
}

std::optional<failure> validate(const request& what) {
  if (what.queries.empty())
    return invalid_request("a request needs at least one query");
  if (auto wrong = what.deadline ? limits::check("deadline", *what.deadline, 0ns) : std::nullopt)
    return invalid_request(std::move(*wrong));
  if (auto wrong = what.on_error == error_policy::first ? limits::check("first", what.first, 1, what.queries.size())
                                                        : std::nullopt)
    return invalid_request(std::move(*wrong));
  if (auto wrong = what.max_rows ? limits::check("max_rows", *what.max_rows, 1, limits::rows_max) : std::nullopt)
    return invalid_request(std::move(*wrong));
  if (auto wrong = what.max_bytes ? limits::check("max_bytes", *what.max_bytes, 1, limits::bytes_max) : std::nullopt)
    return invalid_request(std::move(*wrong));
  if (auto wrong = check_names(what.queries))
    return wrong;
  for (std::size_t i = 0; i < what.queries.size(); ++i)
    if (auto wrong = check(what.queries[i])) {
      if (wrong->query.empty())
        wrong->query = default_name(i);
      return wrong;
    }
  return {};
}

std::optional<failure> check_values(const query& what, const parsed_statement& text, dialect d) {
  if (text.empty)
    return empty_statement(what);
  if (auto wrong = mismatch(text.names, what.parameters))
    return invalid_request(std::move(*wrong), what.name);
  if (text.positional && (d == dialect::sqlite || !text.names.empty()))
    return invalid_request("the statement has parameters that are not written :name; name them all", what.name);
  if (d == dialect::postgresql && text.names.size() > limits::parameters_max)
    return invalid_request(fmt::format("the statement has {} parameters, PostgreSQL takes {} at most; pass an array",
                                       text.names.size(), limits::parameters_max),
                           what.name);
  return {};
}

std::chrono::nanoseconds query_times::total() const noexcept {
  const auto end = end_of(*this);
  return queued == not_reached || end == not_reached ? 0ns : end - queued;
}

const table& outcome::table() const {
  if (const auto* rows = std::get_if<sheaf::table>(&data))
    return *rows;
  if (const auto* why = error_info())
    throw error(*why);
  throw error(invalid_request("the task returned a value and no table; read it with value<T>()", name));
}

const std::any& outcome::any() const {
  if (const auto* value = std::get_if<std::any>(&data))
    return *value;
  if (const auto* why = error_info())
    throw error(*why);
  throw error(invalid_request("the outcome is a table; read it with table()", name));
}

const outcome& reply::operator[](std::string_view name) const {
  const auto at = std::find_if(outcomes.begin(), outcomes.end(), [name](const auto& x) { return x.name == name; });
  if (at == outcomes.end())
    throw error(invalid_request(fmt::format("the reply has no outcome named \"{}\"", name)));
  return *at;
}

const outcome& reply::operator[](std::size_t position) const {
  if (position >= outcomes.size())
    throw error(
        invalid_request(fmt::format("the reply has {} outcomes, and none at position {}", outcomes.size(), position)));
  return outcomes[position];
}

std::chrono::nanoseconds reply::serial_sum() const noexcept {
  std::chrono::nanoseconds sum{0};
  for (const auto& x : outcomes) // Nothing for a query that had no session: then both are `not_reached`.
    sum += end_of(x.times) - x.times.acquired;
  return sum;
}

double reply::speed_up() const noexcept {
  if (elapsed <= 0ns)
    return 0;
  return static_cast<double>(serial_sum().count()) / static_cast<double>(elapsed.count());
}

} // namespace sheaf
