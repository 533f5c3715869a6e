// SPDX-License-Identifier: BSD-3-Clause
//
// SQLite's own handle of a session of SOCI's.

#pragma once

namespace soci {
class session;
}

namespace sqlite_api { // SOCI's header puts sqlite3.h here
struct sqlite3;
}

namespace sheaf {

/// The session's handle, which it keeps owning; null when a C++ task has closed it.
sqlite_api::sqlite3* native_sqlite(soci::session& s) noexcept;

} // namespace sheaf
