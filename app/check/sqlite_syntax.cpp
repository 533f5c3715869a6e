// SPDX-License-Identifier: BSD-3-Clause

#include "app/check/sqlite_syntax.hpp"

#include "app/base/text.hpp"
#include "app/check/sql_syntax.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

#include <limits>
#include <memory>
#include <string_view>

namespace sheaf::app {

namespace {

using namespace sqlite_api; // NOLINT(google-build-using-namespace): SQLite's own names

using empty_database = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;

/// Some pragmas take effect as they are prepared, even for the whole process.
int allow_all_but_pragmas(void*, int action, const char*, const char*, const char*, const char*) {
  return action == SQLITE_PRAGMA ? SQLITE_DENY : SQLITE_OK;
}

empty_database open_empty() {
  sqlite3* made = nullptr;
  const bool failed =
      sqlite3_open_v2(":memory:", &made, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, nullptr) != SQLITE_OK;
  empty_database owner{made, &sqlite3_close};
  if (failed)
    return {nullptr, &sqlite3_close};
  sqlite3_set_authorizer(made, allow_all_but_pragmas, nullptr);
  return owner;
}

/// SQLite tells kinds of errors by their words alone (parse.y, tokenize.c).
bool is_about_syntax(std::string_view message) {
  return message.ends_with(": syntax error") || message == "incomplete input" ||
         message.starts_with("unrecognized token: ");
}

/// True when there is something but blanks, comments and semicolons.
bool more_than_blanks(sqlite3* db, const char* text) {
  while (*text != '\0') {
    sqlite3_stmt* made = nullptr;
    const int code = sqlite3_prepare_v2(db, text, -1, &made, &text);
    sqlite3_finalize(made);
    if (code != SQLITE_OK || made)
      return true;
  }
  return false;
}

} // namespace

std::optional<sqlite_refusal> sqlite_refusal_of(const std::string& text) {
  const auto database = open_empty();
  if (!database || text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return {};
  sqlite3_stmt* made = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v3(database.get(), text.data(), static_cast<int>(text.size()), 0, &made, &rest);
  sqlite3_finalize(made);
  if (code == SQLITE_OK)
    return more_than_blanks(database.get(), rest) ? std::optional<sqlite_refusal>{{several_statements}} : std::nullopt;
  const std::string message = sqlite3_errmsg(database.get());
  if (!is_about_syntax(message))
    return {};
  const int at = sqlite3_error_offset(database.get());
  return sqlite_refusal{message, at < 0 ? 0 : position_of(text, static_cast<std::size_t>(at))};
}

} // namespace sheaf::app
