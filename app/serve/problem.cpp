// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/problem.hpp"

#include "app/base/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>

namespace sheaf::app::serve {

namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_json_string(out, name);
  out += ':';
  append_json_string(out, text);
}

/// Whole seconds (RFC 9110, 10.2.3): at least one, and not so many that nobody comes back.
std::string retry_after(std::chrono::nanoseconds t) {
  return fmt::format("Retry-After: {}\r\n",
                     std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(t).count(), 1, 60));
}

/// True when the same request may well succeed a moment later.
bool is_passing(http::status status) {
  return status == http::status::too_many_requests || status == http::status::service_unavailable;
}

/// Nothing that a client could mend: SQL that did not get as far as to be run, or that PostgreSQL has put into
/// class 42, unless it was a value that it could not read (`to_tsquery(:q)`).
bool is_mistake_of_the_file(const failure& why) {
  return why.code == errc::rejected_sql && !why.of_value && (!why.reached_server || why.sqlstate.starts_with("42"));
}

} // namespace

response make_problem(http::status status, std::string_view code, std::string_view detail, std::string_view id) {
  response made{.status = status, .type = "application/problem+json", .code = std::string{code}};
  auto& out = made.body;
  const std::string_view title = http::obsolete_reason(status);
  append_member(out += '{', "title", title);
  fmt::format_to(std::back_inserter(out), ",\"status\":{}", static_cast<unsigned>(status));
  append_member(out += ',', "code", code);
  append_member(out += ',', "detail", detail);
  append_member(out += ',', "request_id", id);
  out += '}';
  if (is_passing(status))
    made.fields += retry_after({});
  return made;
}

response make_problem(const std::vector<bad_argument>& bad, std::string_view id) {
  auto made = make_problem(http::status::bad_request, "invalid_request", "the parameters do not fit the request", id);
  auto& out = made.body;
  out.pop_back();
  out += ",\"parameters\":[";
  for (std::size_t i = 0; i < bad.size(); ++i) {
    append_member(out += i > 0 ? ",{" : "{", "name", bad[i].name);
    append_member(out += ',', "reason", bad[i].reason);
    out += '}';
  }
  out += "]}";
  return made;
}

response make_problem(const failure& why, std::string_view id) {
  auto made = make_problem(status_of(why), to_string(why.code), public_message(why), id);
  made.detail = to_string(why);
  if (why.may_have_effect) // to send it again could do something twice
    made.fields.clear();
  else if (why.code == errc::overloaded)
    made.fields = retry_after(why.retry_after);
  return made;
}

std::string_view public_message(const failure& why) noexcept {
  switch (why.code) {
  case errc::invalid_request:
    return "the request cannot be run with these parameters";
  case errc::rejected_sql:
    return is_mistake_of_the_file(why) ? "the request's SQL is wrong"
                                       : "the database refuses the statement with these values";
  case errc::constraint_violated:
    return "the data does not allow it: a constraint of the database is violated";
  case errc::permission_denied:
    return "the service may not do this in its database";
  case errc::serialization_failure:
  case errc::deadlock_detected:
    return why.may_have_effect ? "it met another transaction, and part of it may have been done"
                               : "it met another transaction and was undone; send it again";
  case errc::query_canceled:
    return "it was cancelled";
  case errc::deadline_exceeded:
    return "it was not answered within its deadline";
  case errc::connection_lost:
  case errc::connect_failed:
    return "the database cannot be reached";
  case errc::too_many_connections:
  case errc::pool_timeout:
  case errc::pool_queue_full:
    return why.may_have_effect ? "the database had no session free for all of it, and part of it may have been done"
                               : "the database has no session free; send it again later";
  case errc::overloaded:
    return why.may_have_effect ? "there is too much to do for all of it, and part of it may have been done"
                               : "there is too much to do to answer it in time; send it again later";
  case errc::pool_closed:
    return "the service ends";
  case errc::result_too_large:
    return "the result is larger than allowed";
  case errc::in_doubt:
    return "the connection was lost, and whether the change was made is not known";
  case errc::disk_full:
    return "the database has no room for it";
  case errc::bad_read: // of code of ours or in a task: nobody who asks can mend it
  case errc::internal:
    return "an error of the service";
  }
  return "an error of the service";
}

http::status status_of(const failure& why) noexcept {
  switch (why.code) {
  case errc::invalid_request:
    return http::status::bad_request;
  case errc::rejected_sql:
    return is_mistake_of_the_file(why) ? http::status::internal_server_error : http::status::unprocessable_entity;
  case errc::constraint_violated:
  case errc::result_too_large:
    return http::status::unprocessable_entity;
  case errc::pool_queue_full:
    return http::status::too_many_requests;
  case errc::serialization_failure:
  case errc::deadlock_detected:
  case errc::query_canceled:
  case errc::connection_lost:
  case errc::connect_failed:
  case errc::too_many_connections:
  case errc::pool_timeout:
  case errc::overloaded:
  case errc::pool_closed:
    return http::status::service_unavailable;
  case errc::deadline_exceeded:
    return http::status::gateway_timeout;
  case errc::disk_full:
    return http::status::insufficient_storage;
  case errc::permission_denied:
  case errc::in_doubt:
  case errc::bad_read:
  case errc::internal:
    break;
  }
  return http::status::internal_server_error;
}

} // namespace sheaf::app::serve
