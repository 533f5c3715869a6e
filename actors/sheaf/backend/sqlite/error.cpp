// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/sqlite/error.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

namespace sheaf {

// Extended codes hold their primary code in the lowest byte.
errc code_of_sqlite(int result_code) noexcept {
  switch (result_code & 0xff) {
  case SQLITE_CONSTRAINT:
    return errc::constraint_violated;
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_AUTH:
    return errc::permission_denied;
  case SQLITE_INTERRUPT:
    return errc::query_canceled;
  case SQLITE_BUSY:
  case SQLITE_PROTOCOL: // the same, while a WAL file is being recovered
  case SQLITE_SCHEMA:   // another session keeps changing the schema
    return errc::serialization_failure;
  case SQLITE_IOERR:
  case SQLITE_NOTADB:
    return errc::connection_lost;
  case SQLITE_FULL:
    return errc::disk_full;
  case SQLITE_INTERNAL:
  case SQLITE_MISUSE:
  case SQLITE_RANGE:
  case SQLITE_NOMEM:
  case SQLITE_CORRUPT:
    return errc::internal;
  default:
    return errc::rejected_sql;
  }
}

} // namespace sheaf
