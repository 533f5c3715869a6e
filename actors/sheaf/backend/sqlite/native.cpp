// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/sqlite/native.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

namespace sheaf {

sqlite_api::sqlite3* native_sqlite(soci::session& s) noexcept {
  auto* backend = static_cast<soci::sqlite3_session_backend*>(s.get_backend());
  return backend ? backend->conn_ : nullptr;
}

} // namespace sheaf
