// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/checked_request.hpp"

#include "sheaf/base/default_name.hpp"
#include "sheaf/base/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace sheaf {
namespace {

/// About what a request takes in memory, and each of its queries: actors, outcomes, names.
constexpr std::size_t bytes_of_any = 1024;

/// Bytes of the parameters of a query that may be packed: 32 of them take 64 KiB on their way, at most.
constexpr std::size_t packed_bytes_max = 2 << 10;

failure empty_statement(const query& q) {
  return {.code = errc::rejected_sql, .query = q.name, .message = "the statement is empty; write one"};
}

std::vector<std::string_view> names_of(const parameters& values) {
  std::vector<std::string_view> names;
  names.reserve(values.size());
  for (const auto& [name, value] : values)
    names.push_back(name);
  return names;
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

/// The position of the database that `q` names, which may be none.
result<std::uint32_t> find_database(const query& q, const std::vector<database_options>& databases) {
  if (q.database.empty())
    return 0U;
  const auto at = std::find_if(databases.begin(), databases.end(), [&](const auto& d) { return d.name == q.database; });
  if (at == databases.end())
    return invalid_request("no such database: " + q.database, q.name);
  return static_cast<std::uint32_t>(at - databases.begin());
}

/// About what a value takes in memory beside its place in the query.
std::size_t bytes_of(const value& x) noexcept {
  if (const auto* text = std::get_if<std::string>(&x.data()))
    return text->size();
  if (const auto* raw = std::get_if<bytes>(&x.data()))
    return raw->size();
  std::size_t sum = 0;
  if (const auto* elements = std::get_if<value::array>(&x.data()))
    for (const auto& element : *elements)
      sum += sizeof element + bytes_of(element);
  return sum;
}

/// The server has ended the statement by an error, and so its implicit transaction: not the connection (classes 08 and
/// 57) and not itself in disorder (58, XX).
bool is_error_of_a_statement(const failure& why) noexcept {
  constexpr std::string_view others[] = {"08", "57", "58", "XX"};
  return !why.sqlstate.empty() && why.code != errc::connection_lost && why.code != errc::in_doubt &&
         std::none_of(std::begin(others), std::end(others), [&](auto x) { return why.sqlstate.starts_with(x); });
}

/// Only what PostgreSQL plans runs within one transaction for certain, and only its own functions stay within that.
bool is_undone_by_errors(const parsed_statement* text) noexcept {
  return text && text->effects.planned && text->effects.traces == traces::none;
}

} // namespace

bool checked_request::may_write(std::size_t i) const noexcept {
  return !given.queries[i].read_only && (!texts[i] || texts[i]->effects.effect != effect::reads);
}

packing checked_request::packing_of(std::size_t i, const options& settings) const noexcept {
  const auto& q = given.queries[i];
  const auto* text = texts[i];
  if (!q.read_only || !text || q.on_rows)
    return packing::never;
  const auto& e = text->effects;
  if (e.effect != effect::reads || e.traces != traces::none || e.asks_for_sequences || e.spoils_session)
    return packing::never;
  std::size_t bytes = 0;
  for (const auto& [name, x] : q.parameters)
    bytes += bytes_of(x);
  const auto ways = {q.pack, given.pack, settings.databases[databases[i]].pack};
  if (bytes > packed_bytes_max || std::find(ways.begin(), ways.end(), packing::never) != ways.end())
    return packing::never;
  return *std::max_element(ways.begin(), ways.end());
}

bool checked_request::may_have_effect(std::size_t i, const failure& why) const noexcept {
  return why.reached_server && may_write(i) && !(is_error_of_a_statement(why) && is_undone_by_errors(texts[i]));
}

void number_queries(request& given) {
  for (std::size_t i = 0; i < given.queries.size(); ++i)
    if (given.queries[i].name.empty())
      given.queries[i].name = default_name(i);
}

std::optional<failure> check_values(const query& q, const parsed_statement& text, dialect d) {
  if (text.empty)
    return empty_statement(q);
  if (auto wrong = mismatch(text.names, q.parameters))
    return invalid_request(std::move(*wrong), q.name);
  if (text.positional && (d == dialect::sqlite || !text.names.empty()))
    return invalid_request("the statement has parameters that are not written :name; name them all", q.name);
  if (d == dialect::postgresql && text.names.size() > limits::parameters_max)
    return invalid_request(fmt::format("the statement has {} parameters, PostgreSQL takes {} at most; pass an array",
                                       text.names.size(), limits::parameters_max),
                           q.name);
  return {};
}

result<std::shared_ptr<const checked_request>> check(request given, const options& settings,
                                                     std::span<const dialect> dialects) {
  auto checked = std::make_shared<checked_request>();
  checked->taken_at = clock::now();
  if (auto wrong = validate(given))
    return std::move(*wrong);
  number_queries(given);
  checked->texts.reserve(given.queries.size());
  checked->databases.reserve(given.queries.size());
  checked->bytes = bytes_of_any;
  for (const auto& q : given.queries) {
    checked->bytes += bytes_of_any;
    for (const auto& [name, x] : q.parameters)
      checked->bytes += sizeof x + bytes_of(x);
    const auto database = find_database(q, settings.databases);
    if (database.has_error())
      return database.error();
    checked->databases.push_back(*database);
    if (q.run) {
      if (q.no_writes)
        return invalid_request("no_writes is for statements: a C++ task may do whatever it likes", q.name);
      checked->texts.push_back(nullptr);
      continue;
    }
    const auto d = dialects[*database];
    const auto* text = q.statement.known(d);
    if (!text) {
      checked->own_texts.push_back(q.statement.parse(d, q.parameters));
      text = checked->own_texts.back().get();
      checked->bytes += text->text.size();
    }
    if (auto wrong = check_values(q, *text, d))
      return std::move(*wrong);
    if (q.read_only && text->effects.effect == effect::writes)
      return invalid_request("it is declared read_only, but its statement is no query: running it again could change "
                             "something twice",
                             q.name);
    if (q.no_writes && text->effects.effect == effect::writes)
      return invalid_request("no_writes is for queries, and its statement is none", q.name);
    checked->texts.push_back(text);
  }
  if (given.max_rows || given.max_bytes)
    checked->budget = std::make_unique<request_budget>(given.max_rows, given.max_bytes, given.queries.size());
  checked->deadline = checked->taken_at + given.deadline.value_or(settings.deadline);
  checked->given = std::move(given);
  return std::shared_ptr<const checked_request>{std::move(checked)};
}

} // namespace sheaf
