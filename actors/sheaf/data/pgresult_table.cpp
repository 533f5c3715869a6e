// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/data/pgresult_table.hpp"

#include "sheaf/data/pgresult_rows.hpp"

#include <cassert>
#include <utility>

namespace sheaf {

table table_of(pgresult_ptr rows, column_list columns) {
  assert(rows);
  if (!columns)
    columns = columns_of(*rows);
  if (packed_rows::suits(*rows))
    return table{packed_rows::make(*rows, std::move(columns))};
  return table{new libpq_rows{std::move(rows), std::move(columns)}};
}

} // namespace sheaf
