// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/soci_task.hpp"

#include "sheaf/error_text.hpp"
#include "sheaf/sqlite_error.hpp"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <exception>
#include <string>
#include <string_view>
#include <typeinfo>

namespace sheaf {

namespace {

failure failed(errc code, std::string message) {
  // What the task did before it threw is unknown.
  return {.code = code, .phase = phase::execute, .message = std::move(message), .reached_server = true};
}

/// SOCI 4.0.3: `<what it did>. Fatal error. [Connection failed.] <severity>:  <message>`, then `LINE`, `DETAIL` (the
/// values of the offending row), `HINT` and `CONTEXT`, a line each. The message itself holds values only in class 22.
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
  auto f = failed(code_of_sqlstate(sqlstate),
                  sqlstate.starts_with("22") ? to_one_line(without_values(text)) : to_one_line(text));
  if (sqlstate.find(' ') == sqlstate.npos) // SOCI's stand-in where the server gave none
    f.sqlstate = sqlstate;
  else
    f.code = errc::internal;
  return f;
}

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
  const bool may_quote = running && (e.result() & 0xff) != SQLITE_CONSTRAINT; // that one quotes the schema
  return failed(code_of_sqlite(e.result()), to_one_line(may_quote ? without_values(text) : std::string{text}));
}

/// An error that SOCI found by itself. Its text may go on with what libpq said about a connection on further lines, and
/// once with a whole connection string (`connection_parameters`).
failure failure_of(const soci::soci_error& e) {
  auto text = e.get_error_message();
  if (constexpr std::string_view no_backend = "No backend name found in "; text.starts_with(no_backend))
    text = std::string{no_backend} + "the connection string";
  return failed(errc::internal, to_one_line(std::string_view{text}.substr(0, text.find('\n'))));
}

} // namespace

answer run_task(const task& run, soci::session& session) noexcept {
  try {
    auto value = run(session);
    if (auto* rows = std::any_cast<table>(&value))
      return std::move(*rows);
    return value;
  } catch (const error& e) {
    return e.why();
  } catch (const soci::postgresql_soci_error& e) {
    return failure_of(e);
  } catch (const soci::sqlite3_soci_error& e) {
    return failure_of(e);
  } catch (const soci::soci_error& e) {
    return failure_of(e);
  } catch (const std::bad_cast&) { // also SOCI's row::get
    return failed(errc::internal, "the C++ task read a value as another type than it has");
  } catch (const std::exception& e) {
    return failed(errc::internal, "the C++ task threw: " + to_one_line(e.what()));
  } catch (...) {
    return failed(errc::internal, "the C++ task threw something that is not a std::exception");
  }
}

} // namespace sheaf
