// SPDX-License-Identifier: BSD-3-Clause
//
// Where rows are kept: in a PGresult that is shared, or in memory of our own, filled cell by cell.

#include "sheaf/table.hpp"

#include "sheaf/postgresql_types.hpp"

#include <libpq-fe.h>

#include <bit>
#include <cassert>
#include <charconv>
#include <cstring>
#include <utility>

namespace sheaf {

namespace {

/// libpq counts in int, and some of its getters take no const although they only read.
PGresult* mutable_pointer(const std::shared_ptr<const pg_result>& x) noexcept { return const_cast<PGresult*>(x.get()); }

/// What libpq has to be asked for once, so that reading a cell takes two of its calls.
struct pg_column {
  const char* name;
  std::uint32_t oid;
  sheaf::encoding encoding;
};

/// A cell in memory of our own. Numbers stand in `place` itself, all else in the arena from there.
struct own_cell {
  std::uint64_t place;
  std::uint64_t encoding : 8;
  std::uint64_t size : 56;
};

} // namespace

/// Either `result` and `pg_columns` are used, or all that stands below them.
class table::storage {
public:
  std::size_t rows = 0;
  std::size_t columns = 0;

  std::shared_ptr<const pg_result> result;
  std::vector<pg_column> pg_columns;

  std::vector<column> own_columns;
  std::vector<own_cell> cells; // row by row
  std::string arena;
  std::size_t bytes = 0;
  std::uint64_t affected_rows = 0;

  bool has_name(std::size_t column, std::string_view name) const noexcept {
    if (!result)
      return own_columns[column].name == name;
    const auto* rest = pg_columns[column].name;
    for (char x : name)
      if (x == '\0' || x != *rest++)
        return false;
    return *rest == '\0';
  }

  void locate_pg(std::size_t row, std::size_t column, cell& x) const noexcept {
    const auto r = static_cast<int>(row);
    const auto c = static_cast<int>(column);
    const int size = PQgetlength(result.get(), r, c);
    x.oid = pg_columns[column].oid;
    // libpq gives a NULL's length as 0, so most cells need no third call.
    if (size == 0 && PQgetisnull(result.get(), r, c))
      return;
    x.encoding = pg_columns[column].encoding;
    x.data = PQgetvalue(result.get(), r, c);
    x.size = static_cast<std::size_t>(size);
  }

  void locate_own(std::size_t row, std::size_t column, cell& x) const noexcept {
    const auto& from = cells[row * columns + column];
    x.oid = own_columns[column].oid;
    x.encoding = static_cast<sheaf::encoding>(from.encoding);
    x.size = from.size;
    if (x.encoding == encoding::integer || x.encoding == encoding::real)
      x.data = reinterpret_cast<const char*>(&from.place);
    else if (x.encoding != encoding::null)
      x.data = arena.data() + from.place;
  }
};

table table::from_pgresult(std::shared_ptr<const pg_result> rows) {
  assert(rows);
  auto made = std::make_shared<storage>();
  made->rows = static_cast<std::size_t>(PQntuples(rows.get()));
  made->columns = static_cast<std::size_t>(PQnfields(rows.get()));
  made->pg_columns.resize(made->columns);
  for (std::size_t i = 0; i < made->columns; ++i) {
    const auto c = static_cast<int>(i);
    made->pg_columns[i] = {PQfname(rows.get(), c), PQftype(rows.get(), c),
                           PQfformat(rows.get(), c) == 0 ? encoding::text : encoding::binary};
  }
  made->result = std::move(rows);
  return table{std::move(made)};
}

std::size_t table::rows() const noexcept { return storage_ ? storage_->rows : 0; }

std::size_t table::columns() const noexcept { return storage_ ? storage_->columns : 0; }

column table::column_at(std::size_t index) const {
  if (index >= columns())
    throw error(
        {.code = errc::invalid_request,
         .message = "there is no column " + std::to_string(index) + "; the table has " + std::to_string(columns())});
  if (!storage_->result)
    return storage_->own_columns[index];
  const auto& of = storage_->pg_columns[index];
  return {of.name, of.oid, postgresql::type_name(of.oid)};
}

/// The one column of that name; `columns()` when there is none, or several.
std::size_t table::index_of(std::string_view name) const noexcept {
  const auto count = columns();
  auto found = count;
  for (std::size_t i = 0; i < count; ++i) {
    if (!storage_->has_name(i, name))
      continue;
    if (found != count)
      return count;
    found = i;
  }
  return found;
}

result<std::size_t> table::find_column(std::string_view name) const {
  const auto index = index_of(name);
  return index != columns() ? result<std::size_t>{index} : result<std::size_t>{explain_name(name)};
}

std::uint64_t table::affected_rows() const noexcept {
  if (!storage_ || !storage_->result)
    return storage_ ? storage_->affected_rows : 0;
  const std::string_view count{PQcmdTuples(mutable_pointer(storage_->result))};
  std::uint64_t x = 0;
  std::from_chars(count.data(), count.data() + count.size(), x);
  return x;
}

std::string_view table::command_tag() const noexcept {
  return storage_ && storage_->result ? PQcmdStatus(mutable_pointer(storage_->result)) : std::string_view{};
}

std::size_t table::bytes() const noexcept {
  if (!storage_ || !storage_->result)
    return storage_ ? storage_->bytes : 0;
  std::size_t sum = 0;
  for (std::size_t row = 0; row < rows(); ++row)
    for (std::size_t column = 0; column < columns(); ++column)
      sum += static_cast<std::size_t>(
          PQgetlength(storage_->result.get(), static_cast<int>(row), static_cast<int>(column)));
  return sum;
}

bool table::locate(std::size_t row, std::size_t column, cell& x) const noexcept {
  const auto* from = storage_.get();
  if (!from || row >= from->rows || column >= from->columns) [[unlikely]]
    return false;
  if (from->result)
    from->locate_pg(row, column, x);
  else
    from->locate_own(row, column, x);
  return true;
}

cell table::cell_at(std::size_t row, std::size_t column) const noexcept {
  cell x;
  locate(row, column, x);
  return x;
}

bool table::is_null(std::size_t row, std::size_t column) const noexcept {
  return cell_at(row, column).encoding == encoding::null;
}

std::optional<std::string> table::text(std::size_t row, std::size_t column) const {
  std::string out;
  return append_text(out, row, column) ? std::optional{std::move(out)} : std::nullopt;
}

bool table::append_text(std::string& out, std::size_t row, std::size_t column) const {
  cell x;
  const auto status = !locate(row, column, x)       ? decoding::no_cell
                      : !sheaf::append_text(out, x) ? decoding::malformed
                                                    : decoding::ok;
  if (status != decoding::ok)
    throw error(explain(status, row, column, "text"));
  return x.encoding != encoding::null;
}

table_builder::table_builder(std::vector<column> columns) : storage_(std::make_shared<table::storage>()) {
  storage_->columns = columns.size();
  storage_->own_columns = std::move(columns);
}

table_builder::table_builder(table_builder&&) noexcept = default;
table_builder& table_builder::operator=(table_builder&&) noexcept = default;
table_builder::~table_builder() = default;

void table_builder::add_null() { add_bytes(encoding::null, nullptr, 0); }

void table_builder::add_integer(std::int64_t x) {
  add_bytes(encoding::integer, reinterpret_cast<const char*>(&x), sizeof x);
}

void table_builder::add_real(double x) { add_bytes(encoding::real, reinterpret_cast<const char*>(&x), sizeof x); }

void table_builder::add_text(std::string_view x) { add_bytes(encoding::text, x.data(), x.size()); }

void table_builder::add_blob(std::string_view x) { add_bytes(encoding::blob, x.data(), x.size()); }

void table_builder::add(const cell& x) { add_bytes(x.encoding, x.data, x.size); }

void table_builder::add_bytes(encoding how, const char* data, std::size_t size) {
  assert(storage_->columns != 0);
  own_cell to{.place = storage_->arena.size(), .encoding = static_cast<std::uint64_t>(how), .size = size};
  if (how == encoding::integer || how == encoding::real) {
    assert(size == sizeof to.place);
    std::memcpy(&to.place, data, sizeof to.place);
  } else if (size != 0) {
    storage_->arena.append(data, size);
  }
  storage_->cells.push_back(to);
  storage_->bytes += size;
  if (storage_->cells.size() == (storage_->rows + 1) * storage_->columns)
    ++storage_->rows;
}

void table_builder::add_empty_rows(std::size_t count) {
  assert(storage_->columns == 0);
  storage_->rows += count;
}

std::size_t table_builder::rows() const noexcept { return storage_->rows; }

std::size_t table_builder::bytes() const noexcept { return storage_->bytes; }

table table_builder::finish(std::uint64_t affected_rows) {
  storage_->affected_rows = affected_rows;
  assert(storage_->cells.size() == storage_->rows * storage_->columns);
  auto made = std::exchange(storage_, std::make_shared<table::storage>());
  return table{std::move(made)};
}

} // namespace sheaf
