// SPDX-License-Identifier: BSD-3-Clause

#include "support/sqlite_functions.hpp"

#include "support/meeting.hpp"

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace sheaf::test {

namespace {

std::atomic<std::shared_ptr<meeting_place>> place;
std::atomic<int> endless_statements = 0;

void finish(sqlite3_context* context, bool in_time) {
  if (in_time)
    sqlite3_result_int(context,
                       static_cast<int>(reinterpret_cast<std::uintptr_t>(sqlite3_context_db_handle(context)) >> 4));
  else
    sqlite3_result_error(context, "the others did not come", -1);
}

void meet(sqlite3_context* context, int, sqlite3_value** values) {
  finish(context, place.load()->meet(sqlite3_value_int64(values[0])));
}

void in_turn(sqlite3_context* context, int, sqlite3_value** values) {
  finish(context, place.load()->in_turn(sqlite3_value_int64(values[0])));
}

/// SQLite destroys what is attached to an argument when the statement is over.
void endless(sqlite3_context* context, int, sqlite3_value**) {
  if (!sqlite3_get_auxdata(context, 0)) {
    ++endless_statements;
    sqlite3_set_auxdata(context, 0, &endless_statements, [](void*) { --endless_statements; });
  }
  sqlite3_result_int(context, 1);
}

int install(sqlite3* db, const char**, const void*) {
  sqlite3_create_function(db, "meet", 1, SQLITE_UTF8, nullptr, meet, nullptr, nullptr);
  sqlite3_create_function(db, "in_turn", 1, SQLITE_UTF8, nullptr, in_turn, nullptr, nullptr);
  return sqlite3_create_function(db, "endless", 1, SQLITE_UTF8, nullptr, endless, nullptr, nullptr);
}

} // namespace

void add_sqlite_functions() {
  place = std::make_shared<meeting_place>();
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(install)); // once more changes nothing
}

int endless_sqlite_statements() { return endless_statements; }

} // namespace sheaf::test
