// SPDX-License-Identifier: BSD-3-Clause
//
// The private PostgreSQL as a test sees it, past sheaf: over a connection of the test's own, with libpq alone.

#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

struct pg_conn; // libpq's PGconn

namespace sheaf::test {

/// A variable of those that tests/support/with_postgres sets; throws when it is not there.
std::string environment(const char* name);

/// One blocking connection.
class observer {
public:
  explicit observer(const std::string& conninfo = environment("SHEAF_TEST_POSTGRES"));

  /// Runs `sql`, which may be several statements, and gives the last one's first cell; "" when there is none. Throws
  /// the server's message.
  std::string operator()(const std::string& sql);

  int number(const std::string& sql) { return std::stoi((*this)(sql)); }

private:
  std::unique_ptr<pg_conn, void (*)(pg_conn*)> connection_;
};

/// A schema of the test's own, which goes with it. Its sessions have an application name of their own, by which the
/// server's view of them is known.
///
/// It has two functions: `meet(n)` returns once n calls of it have come, `in_turn(n)` once n others have returned; both
/// give `pg_backend_pid()`.
class postgresql_schema {
public:
  postgresql_schema();
  ~postgresql_schema();

  postgresql_schema(const postgresql_schema&) = delete;
  postgresql_schema& operator=(const postgresql_schema&) = delete;

  const std::string& name() const noexcept { return name_; }

  /// A connection string; tables without a schema are in this one. `more` is appended.
  std::string url(std::string_view more = {}) const;

  void reconnect(); ///< After the server has been away.

  int backends(); ///< As pg_stat_activity has them.
  int running();  ///< Those that run a statement, but for those that each session begins with.

  observer server;

private:
  std::string name_;
};

} // namespace sheaf::test
