// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/sqlite/rows.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

#include <cstddef>

namespace sheaf {

using namespace sqlite_api;

std::vector<column> columns_of(sqlite3_stmt* statement) {
  std::vector<column> columns(static_cast<std::size_t>(sqlite3_column_count(statement)));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto text_or_empty = [](const char* x) { return x ? x : ""; };
    columns[i].name = text_or_empty(sqlite3_column_name(statement, static_cast<int>(i)));
    columns[i].type = text_or_empty(sqlite3_column_decltype(statement, static_cast<int>(i)));
  }
  return columns;
}

bool add_row(table_builder& rows, sqlite3_stmt* statement, std::size_t bytes_max) {
  const int columns = sqlite3_column_count(statement);
  for (int i = 0; i < columns; ++i) {
    switch (sqlite3_column_type(statement, i)) {
    case SQLITE_INTEGER:
      rows.add_integer(sqlite3_column_int64(statement, i));
      break;
    case SQLITE_FLOAT:
      rows.add_real(sqlite3_column_double(statement, i));
      break;
    case SQLITE_NULL:
      rows.add_null();
      break;
    case SQLITE_TEXT: {
      const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, i));
      if (size > bytes_max) // or the copy alone could be too much
        return false;
      rows.add_text({data, size});
      break;
    }
    default: {
      const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, i));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, i));
      if (size > bytes_max)
        return false;
      rows.add_blob({data, size});
    }
    }
    if (rows.bytes() > bytes_max)
      return false;
  }
  return true;
}

} // namespace sheaf
