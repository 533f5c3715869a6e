// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/sqlite/task_error.hpp"

#include "sheaf/backend/soci_task.hpp"
#include "sheaf/backend/sqlite/error.hpp"
#include "sheaf/base/error_text.hpp"
#include "sheaf/base/redaction.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

#include <string>
#include <string_view>

namespace sheaf {

namespace {

/// SOCI 4.0.3: `<function>: <sqlite3_errmsg>`. While a statement runs, that may quote a value that was bound.
failure failure_of(const soci::sqlite3_soci_error& e) {
  const auto whole = e.get_error_message();
  std::string_view text = whole;
  bool running = false;
  for (const std::string_view function : {"prepare: ", "loadOne: ", "loadRS: "})
    if (const auto at = text.find(function); text.starts_with("sqlite3_statement_backend::") && at != text.npos) {
      text.remove_prefix(at + function.size());
      running = function != "prepare: ";
      break;
    }
  const auto told = [&]() -> std::string {
    if (!running || (e.result() & 0xff) == SQLITE_CONSTRAINT) // that one has names of the schema
      return std::string{text};
    auto bound = values_in_what(e.what());
    return bound.empty() ? without_values(text)
                         : redacted(text, {.secrets = std::move(bound), .repeats = repeats::input});
  };
  return task_failure(code_of_sqlite(e.result()), to_one_line(told()));
}

} // namespace

std::optional<failure> read_sqlite_task_error() {
  try {
    throw;
  } catch (const soci::sqlite3_soci_error& e) {
    return failure_of(e);
  } catch (...) { // none of SQLite's: the caller looks further
    return {};
  }
}

} // namespace sheaf
