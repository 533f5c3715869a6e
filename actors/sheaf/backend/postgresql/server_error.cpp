// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/server_error.hpp"

#include "sheaf/backend/postgresql/native.hpp"
#include "sheaf/base/error_text.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace sheaf {

namespace {

constexpr std::size_t looked_through_bytes_max = 4 << 20;

std::string_view diagnostic(const PGresult* r, int code) {
  const char* text = PQresultErrorField(r, code);
  return text ? text : std::string_view{};
}

/// libpq's own notices have a severity in one language only.
std::string_view severity_of(const PGresult* r) {
  const auto in_english = diagnostic(r, PG_DIAG_SEVERITY_NONLOCALIZED);
  return in_english.empty() ? diagnostic(r, PG_DIAG_SEVERITY) : in_english;
}

/// True for an error that the parser found in the statement itself, which it read before it knew any value, and before
/// anything ran: it has a position in the text, which what runs has not, and no context, which what a function runs has
/// (parser_errposition in parse_node.c, errcontext in elog.h), as has the parser that reads a type's name in a value
/// (`:x::regtype`).
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

/// The values that the details of an error repeat beside what was input.
repeats repeated_in_detail(const server_error& e, bool of_value) noexcept {
  if (e.sqlstate == "23505" || e.sqlstate == "23503" || e.sqlstate == "23P01")
    return repeats::key;
  if (e.sqlstate.starts_with("23"))
    return repeats::row;
  return of_value ? repeated_under(e.sqlstate) : repeats::nothing;
}

/// A context without the values that the server lists in its last lines when `log_parameter_max_length_on_error` says
/// so, cut wherever they get too long: `unnamed portal with parameters: $1 = 'a', …`.
std::string_view without_parameters(std::string_view context) noexcept {
  for (auto at = context.find('$'); at != context.npos; at = context.find('$', at + 1)) {
    const auto end = context.find_first_not_of("0123456789", at + 1);
    if (end != context.npos && end > at + 1 && context.substr(end).starts_with(" = "))
      return context.substr(0, end);
  }
  return context;
}

/// The number in the four hexadecimal digits at `from`.
unsigned code_unit(std::string_view text, std::size_t from) noexcept {
  unsigned unit = 0;
  const auto digits = text.substr(std::min(from, text.size()), 4);
  std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
  return unit;
}

void append_utf8(std::string& out, unsigned code) {
  const auto tail = [code](unsigned shift) { return static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80)
    out += static_cast<char>(code);
  else if (code < 0x800)
    out.append({static_cast<char>(0xc0 | code >> 6), tail(0)});
  else if (code < 0x10000)
    out.append({static_cast<char>(0xe0 | code >> 12), tail(6), tail(0)});
  else
    out.append({static_cast<char>(0xf0 | code >> 18), tail(12), tail(6), tail(0)});
}

/// Appends the character whose `\u` is at `at`, which may be the first of two halves. Gives the place of its last
/// digit.
std::size_t append_escaped_character(std::string& out, std::string_view text, std::size_t at) {
  const auto first = code_unit(text, at + 1), second = code_unit(text, at + 7);
  const bool is_pair = (first & 0xfc00) == 0xd800 && (second & 0xfc00) == 0xdc00 && text.substr(at + 5, 2) == "\\u";
  append_utf8(out, is_pair ? 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff) : first);
  return at + (is_pair ? 10 : 4);
}

} // namespace

sent_values::sent_values(const parsed_statement& text, const parameters& values) : sent_(text, values) {
  for (std::size_t i = 0; i < text.names.size(); ++i)
    if (const char* value = sent_.data()[i]) {
      secrets_.push_back({':' + text.names[i], value});
      add_quoted(':' + text.names[i], value);
    }
  for (const auto& [name, x] : values) // a function may have taken them apart
    if (const auto* blob = std::get_if<bytes>(&x.data()))
      secrets_.push_back({':' + name, {reinterpret_cast<const char*>(blob->data()), blob->size()}});
    else if (const auto* elements = std::get_if<value::array>(&x.data()))
      for (const auto& element : *elements)
        if (!element.is_null()) {
          append_postgresql_text(unescaped_.emplace_back(), element);
          secrets_.push_back({':' + name, unescaped_.back()});
        }
}

/// Adds the texts of `value` in quotes that have escapes: `\"`, `\n`, `\u0041`, or a quote that stands twice.
void sent_values::add_quoted(const std::string& name, std::string_view value) {
  for (auto at = value.find('"'); at < value.size(); at = value.find('"', at)) {
    std::string text;
    bool has_escapes = false;
    for (++at; at < value.size(); ++at) {
      const char c = value[at], next = at + 1 < value.size() ? value[at + 1] : '\0';
      if (c == '"' && next != '"')
        break;
      if (c != '"' && c != '\\') {
        text += c;
        continue;
      }
      has_escapes = true;
      ++at;
      constexpr std::string_view letters = "bfnrt", meanings = "\b\f\n\r\t";
      if (c == '\\' && next == 'u') {
        at = append_escaped_character(text, value, at);
      } else if (const auto i = letters.find(next); c == '\\' && i != letters.npos) {
        text += meanings[i];
      } else {
        text += next;
      }
    }
    at = std::min(at + 1, value.size());
    if (has_escapes)
      secrets_.push_back({name, unescaped_.emplace_back(std::move(text))});
  }
}

std::size_t bytes_of(const std::vector<secret>& values) noexcept {
  std::size_t sum = 0;
  for (const auto& x : values)
    sum += x.text.size();
  return sum;
}

server_error::server_error(const PGresult* r)
  : severity(severity_of(r)), sqlstate(diagnostic(r, PG_DIAG_SQLSTATE)),
    message(diagnostic(r, PG_DIAG_MESSAGE_PRIMARY)), detail(diagnostic(r, PG_DIAG_MESSAGE_DETAIL)),
    hint(diagnostic(r, PG_DIAG_MESSAGE_HINT)), context(diagnostic(r, PG_DIAG_CONTEXT)),
    position(diagnostic(r, PG_DIAG_STATEMENT_POSITION)), internal_query(diagnostic(r, PG_DIAG_INTERNAL_QUERY)),
    table(diagnostic(r, PG_DIAG_TABLE_NAME)), column(diagnostic(r, PG_DIAG_COLUMN_NAME)),
    constraint(diagnostic(r, PG_DIAG_CONSTRAINT_NAME)) {
  for (const auto name :
       {diagnostic(r, PG_DIAG_SCHEMA_NAME), table, column, diagnostic(r, PG_DIAG_DATATYPE_NAME), constraint})
    if (!name.empty())
      names.push_back(name);
}

bool refuses_types(const server_error& e) noexcept {
  constexpr std::string_view sqlstates[] = {"42883", "42804", "42725", "42846"};
  return is_of_the_sql(e) && std::find(std::begin(sqlstates), std::end(sqlstates), e.sqlstate) != std::end(sqlstates);
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
  const auto told = [&](std::string_view words, sheaf::repeats by_it) {
    how.repeats = by_it;
    return knows_values && !words.empty() ? redacted(words, how) : std::string{words};
  };
  const auto input = f.of_value ? repeated_under(e.sqlstate) : repeats::nothing;
  f.message = to_one_line(told(e.message, input));
  if (!e.hint.empty())
    f.message += " (" + to_one_line(told(e.hint, repeats::nothing)) + ')'; // it quotes what is right
  std::size_t position = 0;
  std::from_chars(e.position.data(), e.position.data() + e.position.size(), position);
  if (position > 0 && is_of_the_sql(e))
    f.position = text.position_in_source(position);
  if (knows_values && bytes_of(how.secrets) > looked_through_bytes_max)
    return f;
  f.detail = to_lines(told(e.detail, repeated_in_detail(e, f.of_value)));
  f.context = to_lines(told(without_parameters(e.context), input));
  how.names.clear(); // `raise` may give a value for a name
  f.table = to_one_line(told(e.table, repeats::nothing));
  f.column = to_one_line(told(e.column, repeats::nothing));
  f.constraint = to_one_line(told(e.constraint, repeats::nothing));
  return f;
}

failure failure_of(const PGresult* r, const parsed_statement& text, const parameters& values) {
  const server_error e{r};
  if (e.sqlstate.empty())
    return {.code = errc::connection_lost,
            .phase = phase::execute,
            .message = to_one_line(PQresultErrorMessage(r)),
            .reached_server = true};
  const sent_values sent{text, values};
  return failure_of(e, text, sent.secrets());
}

notice notice_of(const server_error& e, std::string_view sql, const std::vector<secret>& values) {
  const redaction how{.secrets = values, .names = e.names, .sql = sql};
  const auto told = [&](std::string_view words) {
    return to_lines(values.empty() || words.empty() ? std::string{words} : redacted(words, how));
  };
  return {.severity = std::string{e.severity},
          .sqlstate = std::string{e.sqlstate},
          .message = told(e.message),
          .detail = told(e.detail),
          .hint = told(e.hint),
          .context = told(without_parameters(e.context))};
}

notice notice_of(const server_error& e) {
  return {.severity = std::string{e.severity},
          .sqlstate = std::string{e.sqlstate},
          .message = e.context.empty() ? to_lines(without_values(e.message)) : "…"};
}

} // namespace sheaf
