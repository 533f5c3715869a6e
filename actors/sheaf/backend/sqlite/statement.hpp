// SPDX-License-Identifier: BSD-3-Clause
//
// One SQL statement on SQLite's own handle: prepared, kept for the next time, its parameters bound. On the blocking
// executor.

#pragma once

#include "sheaf/base/redaction.hpp"
#include "sheaf/error.hpp"
#include "sheaf/sql/recent_statements.hpp"
#include "sheaf/value.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sqlite_api { // SOCI's header puts sqlite3.h here
struct sqlite3;
struct sqlite3_stmt;
} // namespace sqlite_api

namespace sheaf {

/// The failure that a database handle reports while no value is bound.
failure sqlite_failure(sqlite_api::sqlite3* db, int result_code);

/// The failure of a statement that runs with these values, without them.
failure sqlite_failure(sqlite_api::sqlite3* db, int result_code, const std::string& sql, std::vector<secret> values);
failure sqlite_failure(sqlite_api::sqlite3* db, int result_code, const parsed_statement& parsed,
                       const parameters& values);

/// A prepared statement, finalized when it goes.
class sqlite_statement {
public:
  /// Prepares `parsed`, which has to be one statement: text with none, and text with more after it, is `rejected_sql`,
  /// and nothing of it has run. A syntax error has its position.
  static result<sqlite_statement> prepare(sqlite_api::sqlite3* db, const parsed_statement& parsed, bool keep);

  sqlite_api::sqlite3_stmt* get() const noexcept { return handle_.get(); }

  /// `pragma`, `explain pragma`: SQLite runs some of them, and reads the values of others, while it prepares them.
  bool pragma() const noexcept { return pragma_; }

  /// `invalid_request` unless its parameters are `parsed.names`, each by its number.
  std::optional<failure> check_names(const parsed_statement& parsed) const;

  /// True for what writes into a database; pragmas aside, which may be about its journal.
  bool writes() const noexcept;

  /// True for what only opens another file: it has written nothing when it fails.
  bool attaches() const noexcept { return attaches_; }

  /// `sqlite3_step`, but that `attach` creates no missing file unless its name says so (`file:NAME?mode=rwc`).
  int step() noexcept;

  /// A failure of `step`, which may be that of another file.
  failure explained(failure f, int result_code) const;

  /// Binds a value to each of `parsed.names`. Text and bytes are not copied: they live until `release`. Values that
  /// SQLite has no form for (arrays, NaN, years beyond 9999) are `invalid_request`.
  std::optional<failure> bind(const parsed_statement& parsed, const parameters& values);

  /// Resets the statement and forgets the bound values.
  void release() noexcept;

private:
  struct finalizer {
    void operator()(sqlite_api::sqlite3_stmt* x) const noexcept;
  };

  sqlite_statement(sqlite_api::sqlite3_stmt* handle, bool pragma, bool attaches)
    : handle_(handle), pragma_(pragma), attaches_(attaches) {}

  std::unique_ptr<sqlite_api::sqlite3_stmt, finalizer> handle_;
  bool pragma_ = false, attaches_ = false;
};

/// The statements of one session that were used last, by text.
class sqlite_statement_cache {
public:
  explicit sqlite_statement_cache(std::size_t size_max) : size_max_(size_max) {}

  /// Finds or prepares a statement; one with parameters other than `:name` is `invalid_request`. It belongs to the
  /// cache, and lives until the next call.
  result<sqlite_statement*> get(sqlite_api::sqlite3* db, const parsed_statement& parsed);

  /// Finalizes all statements; false when there were none.
  bool clear();

private:
  struct entry {
    parsed_statement text;
    sqlite_statement statement;
  };

  std::size_t size_max_;
  recent_statements<entry> kept_;
  std::optional<sqlite_statement> not_kept_;
};

} // namespace sheaf
