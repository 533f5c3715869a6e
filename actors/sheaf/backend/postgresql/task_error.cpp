// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/task_error.hpp"

#include "sheaf/backend/postgresql/server_error.hpp"
#include "sheaf/backend/soci_task.hpp"
#include "sheaf/base/error_text.hpp"
#include "sheaf/base/redaction.hpp"

#include <soci/postgresql/soci-postgresql.h>

#include <string>
#include <string_view>

namespace sheaf {

namespace {

/// A message without the values that the task has bound, as far as SOCI tells them, and without what may be one.
std::string without_values_of(const soci::postgresql_soci_error& e, std::string_view message) {
  const std::string_view known = e.what();
  const redaction how{.secrets = values_in_what(known), .repeats = repeated_under(e.sqlstate())};
  const bool is_data_error = std::string_view{e.sqlstate()}.starts_with("22");
  if (how.secrets.empty() && is_data_error && how.repeats == repeats::input)
    return without_values(message);
  return redacted(message, {.secrets = how.secrets, .repeats = is_data_error ? how.repeats : repeats::nothing});
}

/// SOCI 4.0.3: `<what it did>. Fatal error. [Connection failed.] <severity>:  <message>`, then `LINE`, `DETAIL` (the
/// values of the offending row), `HINT` and `CONTEXT`, a line each.
failure failure_of(const soci::postgresql_soci_error& e) {
  const auto sqlstate = e.sqlstate();
  const auto whole = e.get_error_message();
  std::string_view text = whole;
  text = text.substr(0, text.find('\n'));
  for (const std::string_view mark : {":  ", "Fatal error. "}) // libpq's own messages have no severity
    if (const auto at = text.find(mark); at != text.npos) {
      text.remove_prefix(at + mark.size());
      break;
    }
  auto f = task_failure(code_of_sqlstate(sqlstate), to_one_line(without_values_of(e, text)));
  if (sqlstate.find(' ') == sqlstate.npos) // SOCI's stand-in where the server gave none
    f.sqlstate = sqlstate;
  else
    f.code = errc::internal;
  return f;
}

} // namespace

std::optional<failure> read_postgresql_task_error() {
  try {
    throw;
  } catch (const soci::postgresql_soci_error& e) {
    return failure_of(e);
  } catch (...) { // none of PostgreSQL's: the caller looks further
    return {};
  }
}

} // namespace sheaf
