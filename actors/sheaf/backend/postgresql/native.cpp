// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/native.hpp"

#include "sheaf/base/error_text.hpp"
#include "sheaf/data/counted_bytes.hpp"
#include "sheaf/data/pgresult_table.hpp"
#include "sheaf/data/postgresql_types.hpp"
#include "sheaf/session/result_budget.hpp"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace sheaf {

namespace {

std::string field(const PGresult* r, int code) {
  const char* text = PQresultErrorField(r, code);
  return text ? text : "";
}

bool is_in_name(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

/// True when a message, in any language and with any quotes, names this very statement.
bool names(std::string_view message, std::string_view name) noexcept {
  for (auto at = message.find(name); at != message.npos; at = message.find(name, at + 1)) {
    const auto end = at + name.size();
    if ((at == 0 || !is_in_name(message[at - 1])) && (end == message.size() || !is_in_name(message[end])))
      return true;
  }
  return false;
}

/// A floating-point number stays untyped: as float8 it would lose digits on its way into a numeric column, whose index
/// would not be used. So does a timestamp: as timestamptz a column without a time zone would be read in the session's.
Oid declared_type(const value& x) noexcept {
  if (std::holds_alternative<std::int64_t>(x.data()))
    return postgresql::oid_int8;
  if (std::holds_alternative<bool>(x.data()))
    return postgresql::oid_bool;
  if (std::holds_alternative<bytes>(x.data()))
    return postgresql::oid_bytea;
  if (std::holds_alternative<date>(x.data()))
    return postgresql::oid_date;
  return 0;
}

cell cell_of(const PGresult& rows, int row, int column) noexcept {
  cell x{.oid = PQftype(&rows, column)};
  if (PQgetisnull(&rows, row, column))
    return x;
  x.encoding = PQfformat(&rows, column) == 1 ? encoding::binary : encoding::text;
  x.data = PQgetvalue(&rows, row, column);
  x.size = static_cast<std::size_t>(PQgetlength(&rows, row, column));
  return x;
}

std::size_t counted_bytes(const PGresult& rows) noexcept {
  std::size_t sum = 0;
  for (int r = 0; r < PQntuples(&rows); ++r)
    for (int c = 0; c < PQnfields(&rows); ++c)
      sum += counted_bytes(cell{.oid = PQftype(&rows, c), .size = static_cast<std::size_t>(PQgetlength(&rows, r, c))});
  return sum;
}

} // namespace

PGconn* native_connection(soci::session& s) noexcept {
  auto* backend = s.get_backend();
  if (!backend || backend->get_backend_name() != "postgresql")
    return nullptr;
  return static_cast<soci::postgresql_session_backend*>(backend)->conn_;
}

parameter_texts::parameter_texts(const parsed_statement& text, const parameters& values) {
  constexpr auto null = static_cast<std::size_t>(-1);
  boost::container::small_vector<std::size_t, 8> offsets;
  types_.reserve(text.names.size());
  for (std::size_t i = 0; i < text.names.size(); ++i) {
    const auto& name = text.names[i];
    // Most callers give the values in the order of the names; without this, thousands of parameters would take long.
    const auto* x = i < values.size() && values[i].first == name ? &values[i].second : find(values, name);
    types_.push_back(declared_type(*x));
    declares_types_ |= types_.back() != 0;
    if (x->is_null()) {
      offsets.push_back(null);
      continue;
    }
    offsets.push_back(texts_.size());
    append_postgresql_text(texts_, *x);
    texts_ += '\0';
  }
  for (const auto offset : offsets) // only now: the text does not move any more
    pointers_.push_back(offset == null ? nullptr : texts_.data() + offset);
}

bool parameter_texts::declare(const std::vector<Oid>& types) const noexcept {
  for (std::size_t i = 0; i < types_.size(); ++i)
    if (pointers_[i] && types_[i] != types[i])
      return false;
  return true;
}

/// The routines are PostgreSQL's FetchPreparedStatement (prepare.c) and RevalidateCachedQuery (plancache.c), both
/// called when a statement is bound, before it runs (exec_bind_message in postgres.c).
staleness staleness_of(const PGresult* r, std::string_view name) {
  const auto sqlstate = field(r, PG_DIAG_SQLSTATE), routine = field(r, PG_DIAG_SOURCE_FUNCTION);
  const bool is_unknown = sqlstate == "26000" && routine == "FetchPreparedStatement";
  const bool has_changed = sqlstate == "0A000" && routine == "RevalidateCachedQuery";
  if (!is_unknown && !has_changed)
    return staleness::none;
  if (!field(r, PG_DIAG_CONTEXT).empty() || (is_unknown && !names(field(r, PG_DIAG_MESSAGE_PRIMARY), name)))
    return staleness::possible;
  return is_unknown ? staleness::unknown : staleness::changed;
}

bool may_be_retyped(const failure& why) noexcept {
  constexpr std::string_view sqlstates[] = {"22003", "22007", "22008", "22P02", "42883", "42804", "42704"};
  return std::find(std::begin(sqlstates), std::end(sqlstates), why.sqlstate) != std::end(sqlstates) ||
         (why.sqlstate == "XX000" && why.message.find("cache lookup failed for type") != std::string::npos);
}

bool are_columns_of(const PGresult& rows, const std::vector<column>& columns) noexcept {
  const int count = PQnfields(&rows);
  if (static_cast<std::size_t>(count) != columns.size())
    return false;
  for (int i = 0; i < count; ++i) {
    const auto& known = columns[static_cast<std::size_t>(i)];
    if (PQftype(&rows, i) != known.oid || known.name != PQfname(&rows, i))
      return false;
  }
  return true;
}

std::string last_error(const PGconn* conn) { return to_one_line(PQerrorMessage(conn)); }

answer checked_table(pgresult_ptr rows, column_list columns, const execution& job) {
  const auto count = static_cast<std::size_t>(PQntuples(rows.get()));
  if (count > job.max_rows)
    return too_large("max_rows", job.max_rows);
  // libpq takes as much for each cell, and more besides: mostly it need not be counted.
  if (job.budget || PQresultMemorySize(rows.get()) > job.max_bytes) {
    const auto bytes = counted_bytes(*rows);
    if (bytes > job.max_bytes)
      return too_large("max_bytes", job.max_bytes);
    if (auto wrong = job.budget ? job.budget->draw(count, bytes) : std::nullopt)
      return std::move(*wrong);
  }
  return table_of(std::move(rows), std::move(columns));
}

std::size_t bytes_that_fit(const execution& job, std::size_t columns) noexcept {
  constexpr std::size_t row_at_least = 7, null = 4;
  static_assert(sizeof(std::size_t) == 8); // or the product of two bounds might not fit
  const auto rows = std::min(job.max_rows, job.budget ? job.budget->max_rows() : job.max_rows);
  const auto bytes = std::min(job.max_bytes, job.budget ? job.budget->max_bytes() : job.max_bytes);
  return std::min(rows * (row_at_least + null * columns), bytes / (counted_bytes(cell{}) / null));
}

bool add_row(table_builder& to, const PGresult& row, std::size_t bytes_max) {
  const int columns = PQnfields(&row);
  for (int i = 0; i < columns; ++i) {
    const auto x = cell_of(row, 0, i);
    if (x.size > bytes_max) // or the copy alone could be too much
      return false;
    to.add(x);
    if (to.bytes() > bytes_max)
      return false;
  }
  if (columns == 0)
    to.add_empty_rows(1);
  return true;
}

bool has_iso_dates(const PGconn* conn) noexcept {
  const char* style = PQparameterStatus(conn, "DateStyle");
  return style && std::string_view{style}.starts_with("ISO");
}

bool is_date_or_timestamp(Oid type) noexcept {
  return type == postgresql::oid_date || type == postgresql::oid_timestamp;
}

} // namespace sheaf
