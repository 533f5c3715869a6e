// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/data/pgresult.hpp"

#include "sheaf/data/postgresql_types.hpp"

#include <libpq-fe.h>

namespace sheaf {

void pgresult_delete::operator()(pg_result* x) const noexcept { PQclear(x); }

column_list columns_of(const pg_result& rows) {
  std::vector<column> columns;
  const int count = PQnfields(&rows);
  columns.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    columns.push_back({PQfname(&rows, i), PQftype(&rows, i), postgresql::type_name(PQftype(&rows, i))});
  return std::make_shared<const std::vector<column>>(std::move(columns));
}

} // namespace sheaf
