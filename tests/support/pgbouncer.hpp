// SPDX-License-Identifier: BSD-3-Clause
//
// A PgBouncer of the test's own in front of the private PostgreSQL.

#pragma once

#include "support/database_under_test.hpp"

#include <string>
#include <string_view>
#include <sys/types.h>

namespace sheaf::test {

class pgbouncer {
public:
  /// `mode` is `session`, `transaction` or `statement`. Returns when it takes connections, at `address`.
  explicit pgbouncer(std::string_view mode, int server_connections = 2, std::string_view address = "127.0.0.1");
  ~pgbouncer();

  pgbouncer(const pgbouncer&) = delete;
  pgbouncer& operator=(const pgbouncer&) = delete;

  /// A connection string. It takes no `options`, so it cannot name a schema.
  std::string url(std::string_view more = {}) const;

  void restart(); ///< Ends all connections, of both sides. It has the same port afterwards.

private:
  void start();
  void stop() noexcept;

  temporary_folder folder_;
  std::string mode_, address_;
  int server_connections_;
  int port_ = 0;
  pid_t process_ = 0;
};

} // namespace sheaf::test
