// SPDX-License-Identifier: BSD-3-Clause
//
// The names of failures, and what a caller may do next. Pure functions, any thread.

#include "sheaf/error.hpp"

#include "sheaf/base/error_text.hpp"

#include <algorithm>

namespace sheaf {
namespace {

constexpr bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> heads) noexcept {
  return std::any_of(heads.begin(), heads.end(), [text](std::string_view head) { return text.starts_with(head); });
}

// SQLSTATEs without a code of their own that are the server's trouble and not the statement's: resources (53), a lock
// that was not available (55P03), an operator (57), a system error (58), the server's configuration (F0).
bool is_server_trouble(std::string_view sqlstate) noexcept {
  return starts_with_any(sqlstate, {"53", "55P03", "57", "58", "F0"});
}

} // namespace

std::string_view to_string(errc code) noexcept {
  switch (code) {
  case errc::invalid_request:
    return "invalid_request";
  case errc::rejected_sql:
    return "rejected_sql";
  case errc::constraint_violated:
    return "constraint_violated";
  case errc::permission_denied:
    return "permission_denied";
  case errc::serialization_failure:
    return "serialization_failure";
  case errc::deadlock_detected:
    return "deadlock_detected";
  case errc::query_canceled:
    return "query_canceled";
  case errc::deadline_exceeded:
    return "deadline_exceeded";
  case errc::connection_lost:
    return "connection_lost";
  case errc::connect_failed:
    return "connect_failed";
  case errc::too_many_connections:
    return "too_many_connections";
  case errc::pool_timeout:
    return "pool_timeout";
  case errc::pool_queue_full:
    return "pool_queue_full";
  case errc::overloaded:
    return "overloaded";
  case errc::pool_closed:
    return "pool_closed";
  case errc::result_too_large:
    return "result_too_large";
  case errc::in_doubt:
    return "in_doubt";
  case errc::internal:
    return "internal";
  case errc::disk_full:
    return "disk_full";
  case errc::bad_read:
    return "bad_read";
  }
  return "unknown"; // A number off the wire that this version does not know.
}

std::string_view to_string(phase where) noexcept {
  switch (where) {
  case phase::none:
    return "none";
  case phase::queue:
    return "queue";
  case phase::connect:
    return "connect";
  case phase::execute:
    return "execute";
  case phase::fetch:
    return "fetch";
  }
  return "unknown";
}

std::string to_string(const failure& why) {
  std::string line{to_string(why.code)};
  line.append(": ").append(why.message);
  std::string_view separator = " (";
  const auto add = [&](std::string_view label, std::string_view text) {
    line.append(std::exchange(separator, ", ")).append(label).append(text);
  };
  if (!why.query.empty())
    add("query ", why.query);
  if (why.phase != phase::none)
    add("phase ", to_string(why.phase));
  if (!why.sqlstate.empty())
    add("SQLSTATE ", why.sqlstate);
  if (separator != " (")
    line += ')';
  // Servers and callers put line breaks into messages and names.
  blank_controls(line);
  return line;
}

// PostgreSQL manual, appendix A.
errc code_of_sqlstate(std::string_view sqlstate) noexcept {
  if (sqlstate == "40001")
    return errc::serialization_failure;
  if (sqlstate == "40P01")
    return errc::deadlock_detected;
  if (sqlstate == "40003") // statement_completion_unknown
    return errc::in_doubt;
  if (sqlstate == "57014")
    return errc::query_canceled;
  if (sqlstate == "53300")
    return errc::too_many_connections;
  if (sqlstate == "53100")
    return errc::disk_full;
  if (sqlstate == "42501" || sqlstate.starts_with("28"))
    return errc::permission_denied;
  if (sqlstate.starts_with("23"))
    return errc::constraint_violated;
  // A statement whose $1 was given no value. The session lives on, unlike after the rest of class 08.
  if (sqlstate == "08P01")
    return errc::rejected_sql;
  // The server ends the session by itself: shutdown, crash, starting up, and its time-outs for idle sessions, idle
  // transactions and (from 17 on) long transactions.
  if (starts_with_any(sqlstate, {"08", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04"}))
    return errc::connection_lost;
  // The server's own defect or damaged data. Nothing in the request is to be changed, which `rejected_sql` would say.
  if (sqlstate.starts_with("XX"))
    return errc::internal;
  return errc::rejected_sql;
}

bool safe_to_retry(const failure& why) noexcept {
  if (why.may_have_effect)
    return false;
  switch (why.code) {
  case errc::serialization_failure:
  case errc::deadlock_detected:
  case errc::too_many_connections:
    return true; // The server has undone it, or never began.
  case errc::in_doubt:
  case errc::internal:  // A C++ task that threw may have done anything before.
  case errc::disk_full: // So may one that found no room; and nothing makes any by trying again.
  case errc::bad_read:  // So may one that misread its rows; and it would read them so again.
  case errc::result_too_large:
    return false;
  default:
    break;
  }
  if (why.sqlstate == "57P03") // cannot_connect_now: the server is starting or stopping
    return true;
  // A server that gave an SQLSTATE was reached, unless that was while connecting.
  return !why.reached_server && (why.sqlstate.empty() || why.phase == phase::connect);
}

bool is_client_fault(const failure& why) noexcept {
  switch (why.code) {
  case errc::invalid_request:
  case errc::constraint_violated:
  case errc::permission_denied:
  case errc::result_too_large:
    return true;
  case errc::rejected_sql:
    return !is_server_trouble(why.sqlstate);
  default:
    return false;
  }
}

} // namespace sheaf
