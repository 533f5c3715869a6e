// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/soci_task.hpp"

#include "sheaf/base/error_text.hpp"

#include <soci/error.h>

#include <exception>
#include <string_view>
#include <typeinfo>

namespace sheaf {

namespace {

/// An error that SOCI found by itself. Its text may go on with what libpq said about a connection on further lines, and
/// once with a whole connection string (`connection_parameters`).
failure failure_of(const soci::soci_error& e) {
  if (typeid(e) != typeid(soci::soci_error))
    return task_failure(errc::internal, "the C++ task had an error of a database that is not its session's");
  auto text = e.get_error_message();
  if (constexpr std::string_view no_backend = "No backend name found in "; text.starts_with(no_backend))
    text = std::string{no_backend} + "the connection string";
  return task_failure(errc::internal, to_one_line(std::string_view{text}.substr(0, text.find('\n'))));
}

/// The failure for the exception that is being handled, which is none of sheaf's.
failure failure_of_exception(task_error_reader read) {
  if (auto known = read())
    return std::move(*known);
  try {
    throw;
  } catch (const soci::soci_error& e) {
    return failure_of(e);
  } catch (const std::bad_cast&) { // also SOCI's row::get
    return task_failure(errc::internal, "the C++ task read a value as another type than it has");
  } catch (const std::exception& e) {
    return task_failure(errc::internal, "the C++ task threw: " + to_one_line(e.what()));
  } catch (...) { // no exception leaves a task's thread
    return task_failure(errc::internal, "the C++ task threw something that is not a std::exception");
  }
}

} // namespace

failure task_failure(errc code, std::string message) {
  return {.code = code, .phase = phase::execute, .message = std::move(message), .reached_server = true};
}

/// SOCI 4.0.3 (statement.cpp): `… "SQL" with :name="text", :other=1.`. What a value may have of that itself only cuts
/// it into pieces.
std::vector<secret> values_in_what(std::string_view text) {
  std::vector<secret> all;
  constexpr std::string_view begins = "\" with :", goes_on = ", :";
  auto at = text.find(begins);
  if (at == text.npos)
    return all;
  text.remove_prefix(at + begins.size());
  if (text.ends_with('.'))
    text.remove_suffix(1);
  while (!text.empty()) {
    at = text.find(goes_on);
    auto value = text.substr(0, at);
    text.remove_prefix(at == text.npos ? text.size() : at + goes_on.size());
    const auto equals = value.find('=');
    std::string name = ":" + std::string{value.substr(0, equals == value.npos ? 0 : equals)};
    value.remove_prefix(equals == value.npos ? 0 : equals + 1);
    if (value.starts_with('"'))
      value.remove_prefix(1);
    if (value.ends_with('"'))
      value.remove_suffix(1);
    all.push_back({std::move(name), value});
  }
  return all;
}

answer run_task(const task& run, soci::session& session, task_error_reader read) noexcept {
  try {
    auto value = run(session);
    if (auto* rows = std::any_cast<table>(&value))
      return std::move(*rows);
    return value;
  } catch (const error& e) {
    return e.why();
  } catch (...) { // told by its type
    return failure_of_exception(read);
  }
}

} // namespace sheaf
