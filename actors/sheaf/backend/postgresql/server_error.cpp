// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/server_error.hpp"

#include "sheaf/backend/postgresql/native.hpp"
#include "sheaf/base/error_text.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace sheaf {

namespace {

std::string_view diagnostic(const PGresult* r, int code) {
  const char* text = PQresultErrorField(r, code);
  return text ? text : std::string_view{};
}

/// True for an error that the parser found in the statement itself, which it read before it knew any value. A type's
/// name in a value (`:x::regtype`) goes through the same parser; its errors have a context.
bool is_of_the_sql(const server_error& e) noexcept { return !e.position.empty() && e.context.empty(); }

/// SQLSTATEs that input functions share with the parser: the syntax of a tsquery, a jsonpath or a name, and names of
/// what is not there. A statement with parameters that has one of them, without a position and not in a function's
/// statement, was read without fault.
bool is_of_a_value(const server_error& e) noexcept {
  if (e.sqlstate.starts_with("22"))
    return true;
  constexpr std::string_view shared[] = {"42601", "42602", "42622", "42P01", "42703", "42704", "42883"};
  return e.internal_query.empty() && std::find(std::begin(shared), std::end(shared), e.sqlstate) != std::end(shared);
}

/// A value's text as it was sent, and the bytes behind it, which a function may have decoded.
std::vector<secret> secrets_of(const parsed_statement& text, const parameter_texts& sent, const parameters& values) {
  std::vector<secret> all;
  for (std::size_t i = 0; i < text.names.size(); ++i)
    if (const char* value = sent.data()[i])
      all.push_back({':' + text.names[i], value});
  for (const auto& [name, x] : values)
    if (const auto* blob = std::get_if<bytes>(&x.data()))
      all.push_back({':' + name, {reinterpret_cast<const char*>(blob->data()), blob->size()}});
  return all;
}

} // namespace

server_error::server_error(const PGresult* r)
  : sqlstate(diagnostic(r, PG_DIAG_SQLSTATE)), message(diagnostic(r, PG_DIAG_MESSAGE_PRIMARY)),
    hint(diagnostic(r, PG_DIAG_MESSAGE_HINT)), context(diagnostic(r, PG_DIAG_CONTEXT)),
    position(diagnostic(r, PG_DIAG_STATEMENT_POSITION)), internal_query(diagnostic(r, PG_DIAG_INTERNAL_QUERY)) {
  for (const char code :
       {PG_DIAG_SCHEMA_NAME, PG_DIAG_TABLE_NAME, PG_DIAG_COLUMN_NAME, PG_DIAG_DATATYPE_NAME, PG_DIAG_CONSTRAINT_NAME})
    if (const auto name = diagnostic(r, static_cast<unsigned char>(code)); !name.empty())
      names.push_back(name);
}

repeats repeated_under(std::string_view sqlstate) noexcept {
  if (sqlstate == "22021" || sqlstate == "22P05") // bytes that are no characters of an encoding, whose name it quotes
    return repeats::bytes;
  if (sqlstate.starts_with("22") || sqlstate == "42601" || sqlstate == "42602")
    return repeats::input;
  return repeats::nothing;
}

failure failure_of(const server_error& e, const parsed_statement& text, std::vector<secret> values) {
  failure f{.code = code_of_sqlstate(e.sqlstate),
            .phase = phase::execute,
            .sqlstate = std::string{e.sqlstate},
            .reached_server = true};
  redaction how{.secrets = std::move(values), .names = e.names, .sql = text.text};
  const bool knows_values = !how.secrets.empty() && !is_of_the_sql(e);
  f.of_value = knows_values && is_of_a_value(e);
  const auto told = [&](std::string_view words) {
    return knows_values ? to_one_line(redacted(words, how)) : to_one_line(words);
  };
  if (f.of_value)
    how.repeats = repeated_under(e.sqlstate);
  f.message = told(e.message);
  how.repeats = repeats::nothing; // a hint quotes what is right
  if (!e.hint.empty())
    f.message += " (" + told(e.hint) + ')';
  std::size_t position = 0;
  std::from_chars(e.position.data(), e.position.data() + e.position.size(), position);
  if (position > 0 && is_of_the_sql(e))
    f.position = text.position_in_source(position);
  return f;
}

failure failure_of(const PGresult* r, const parsed_statement& text, const parameters& values) {
  const server_error e{r};
  if (e.sqlstate.empty())
    return {.code = errc::connection_lost,
            .phase = phase::execute,
            .message = to_one_line(PQresultErrorMessage(r)),
            .reached_server = true};
  const parameter_texts sent{text, values};
  return failure_of(e, text, secrets_of(text, sent, values));
}

} // namespace sheaf
