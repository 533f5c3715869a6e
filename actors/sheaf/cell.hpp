// SPDX-License-Identifier: BSD-3-Clause
//
// One cell of a result as it is stored, and the columns. Plain data, no thread of its own.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// The form of a cell's bytes.
enum class encoding : std::uint8_t {
  null,
  text,    ///< The database's text for the value, UTF-8.
  binary,  ///< PostgreSQL's binary format for the column's type (only types that `postgresql::binary_is_exact` names).
  integer, ///< 8 bytes, a native std::int64_t (SQLite).
  real,    ///< 8 bytes, a native double (SQLite).
  blob,    ///< Raw bytes (SQLite).
};

/// One cell as it is stored. `data` lives as long as a table that shares it.
struct cell {
  sheaf::encoding encoding = sheaf::encoding::null;
  std::uint32_t oid = 0; ///< PostgreSQL type, 0 for SQLite.
  const char* data = nullptr;
  std::size_t size = 0;

  std::string_view bytes() const noexcept { return {data, size}; }
};

struct column {
  std::string name;
  std::uint32_t oid = 0; ///< PostgreSQL type, 0 for other databases.
  std::string type;      ///< `int4`, `text[]`, `oid 16412` for types unknown to us; SQLite's declared type, or empty.
};

/// The columns of a table, shared by all results of a statement. Never null.
using column_list = std::shared_ptr<const std::vector<column>>;

} // namespace sheaf
