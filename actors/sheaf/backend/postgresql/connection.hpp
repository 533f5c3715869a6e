// SPDX-License-Identifier: BSD-3-Clause
//
// A connection to a PostgreSQL server, and SOCI's session on it for C++ tasks.

#pragma once

#include "sheaf/backend/postgresql/native.hpp"

#include <memory>
#include <string>

namespace soci {
class backend_factory;
class session;
} // namespace soci

namespace sheaf {

/// Owns a PGconn; ends it on the thread that destroys this, which may wait. One thread at a time.
class postgresql_connection {
public:
  /// `url` is the server's, with which a task may open its session anew once it has closed it. `is_shared` says that
  /// the next statement may have another server connection.
  postgresql_connection(pgconn_ptr open, std::string url, bool is_shared);
  ~postgresql_connection();

  postgresql_connection(const postgresql_connection&) = delete;
  postgresql_connection& operator=(const postgresql_connection&) = delete;

  /// Null when a C++ task has closed it.
  PGconn* native() const noexcept;

  /// SOCI's session on this connection, made when it is first asked for; it owns the connection from then on. May wait,
  /// though not for the server. Throws what SOCI and the system throw; then nothing has changed.
  soci::session& soci();

private:
  pgconn_ptr conn_; ///< Until SOCI has it.
  const std::string url_;
  std::unique_ptr<soci::backend_factory> factory_;
  std::unique_ptr<soci::session> soci_;
};

} // namespace sheaf
