// SPDX-License-Identifier: BSD-3-Clause
//
// Checks requests, and reads replies. Pure functions, any thread.

#include "sheaf/request.hpp"

#include "sheaf/base/default_name.hpp"
#include "sheaf/base/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

namespace sheaf {
namespace {

using namespace std::chrono_literals;

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
  std::vector<std::string_view> names;
  for (const auto& [name, value] : q.parameters)
    names.push_back(name);
  if (const auto twice = repeated(names))
    return invalid_request(fmt::format(":{} is given two values; remove one", *twice), q.name);
  return {};
}

std::optional<failure> check_query(const query& q) {
  const auto& sql = q.statement.sql();
  if (q.run && !sql.empty())
    return invalid_request("the query has both a statement and a task; remove one", q.name);
  if (q.run && q.on_rows)
    return invalid_request("on_rows is for statements; a task has its rows in its own hands", q.name);
  if (q.run && !q.parameters.empty())
    return invalid_request("a task takes no parameters; let it capture what it needs", q.name);
  if (!q.run && sql.empty())
    return failure{.code = errc::rejected_sql, .query = q.name, .message = "the statement is empty; write one"};
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

/// The last point that was reached after `queued`, or `not_reached`.
std::chrono::nanoseconds end_of(const query_times& t) noexcept {
  for (const auto point : {t.answered, t.released, t.last_row, t.first_row, t.sent, t.acquired})
    if (point != query_times::not_reached)
      return point;
  return query_times::not_reached;
}

} // namespace

std::optional<failure> validate(const request& given) {
  if (auto wrong = given.deadline ? limits::check("deadline", *given.deadline, 0ns) : std::nullopt)
    return invalid_request(std::move(*wrong));
  if (given.on_error == error_policy::first && !given.queries.empty())
    if (auto wrong = limits::check("first", given.first, 1, given.queries.size()))
      return invalid_request(std::move(*wrong));
  if (given.priority > priority::low)
    return invalid_request("priority is none of high, normal and low");
  if (auto wrong = given.max_rows ? limits::check("max_rows", *given.max_rows, 1, limits::rows_max) : std::nullopt)
    return invalid_request(std::move(*wrong));
  if (auto wrong = given.max_bytes ? limits::check("max_bytes", *given.max_bytes, 1, limits::bytes_max) : std::nullopt)
    return invalid_request(std::move(*wrong));
  if (auto wrong = check_names(given.queries))
    return wrong;
  for (std::size_t i = 0; i < given.queries.size(); ++i)
    if (auto wrong = check_query(given.queries[i])) {
      if (wrong->query.empty())
        wrong->query = default_name(i);
      return wrong;
    }
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
  throw error(bad_read("the task returned a value and no table; read it with value<T>()", name));
}

const std::any& outcome::any() const {
  if (const auto* value = std::get_if<std::any>(&data))
    return *value;
  if (const auto* why = error_info())
    throw error(*why);
  throw error(bad_read("the outcome is a table; read it with table()", name));
}

const outcome& reply::operator[](std::string_view name) const {
  const auto at = std::find_if(outcomes.begin(), outcomes.end(), [name](const auto& x) { return x.name == name; });
  if (at == outcomes.end())
    throw error(bad_read(fmt::format("the reply has no outcome named \"{}\"", name)));
  return *at;
}

const outcome& reply::operator[](std::size_t position) const {
  if (position >= outcomes.size())
    throw error(bad_read(fmt::format("the reply has {} outcomes, and none at position {}", outcomes.size(), position)));
  return outcomes[position];
}

std::chrono::nanoseconds reply::serial_sum() const noexcept {
  std::chrono::nanoseconds sum{0};
  for (auto x = outcomes.begin(); x != outcomes.end(); ++x) {
    if (x->times.acquired == query_times::not_reached)
      continue;
    const auto in_its_pack = [&](const outcome& y) { return x->pack != 0 && x->pack == y.pack; };
    if (std::find_if(std::make_reverse_iterator(x), outcomes.rend(), in_its_pack) == outcomes.rend())
      sum += end_of(x->times) - x->times.acquired;
  }
  return sum;
}

double reply::overlap() const noexcept {
  if (elapsed <= 0ns)
    return 0;
  return static_cast<double>(serial_sum().count()) / static_cast<double>(elapsed.count());
}

} // namespace sheaf
