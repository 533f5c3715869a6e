// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/error.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <set>

namespace sheaf {
namespace {

failure from_server(std::string_view sqlstate, phase where = phase::execute) {
  return {
      .code = code_of_sqlstate(sqlstate), .phase = where, .sqlstate = std::string{sqlstate}, .reached_server = true};
}

TEST(Error, HasANameForEveryCode) {
  std::set<std::string_view> names;
  for (int code = 1; code <= static_cast<int>(errc_last); ++code) {
    const auto name = to_string(static_cast<errc>(code));
    EXPECT_NE(name, "unknown") << code;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(names.size(), 20u);
  EXPECT_TRUE(names.contains("pool_queue_full"));
  EXPECT_EQ(to_string(static_cast<errc>(200)), "unknown");
}

TEST(Error, HasANameForEveryPhase) {
  EXPECT_EQ(to_string(phase::none), "none");
  EXPECT_EQ(to_string(phase::queue), "queue");
  EXPECT_EQ(to_string(phase::connect), "connect");
  EXPECT_EQ(to_string(phase::execute), "execute");
  EXPECT_EQ(to_string(phase::fetch), "fetch");
  EXPECT_EQ(to_string(static_cast<phase>(200)), "unknown");
}

TEST(Error, IsOneLineThatSaysWhatIsKnown) {
  EXPECT_EQ(to_string(failure{.code = errc::pool_closed, .message = "the engine is shutting down"}),
            "pool_closed: the engine is shutting down");
  EXPECT_EQ(to_string(failure{.code = errc::rejected_sql,
                              .phase = phase::execute,
                              .query = "books",
                              .sqlstate = "42P01",
                              .message = "no such table"}),
            "rejected_sql: no such table (query books, phase execute, SQLSTATE 42P01)");
  EXPECT_EQ(to_string(failure{.code = errc::deadline_exceeded, .phase = phase::queue, .message = "too late"}),
            "deadline_exceeded: too late (phase queue)");
}

TEST(Error, StaysOneLineWhateverTheServerSays) {
  const auto line = to_string(failure{.query = "a\nb",
                                      .message = "first\r\nsecond\tthird\x1b[31m größer\xc2\x9b"
                                                 "31m\xc2\x85\xc2\xa0\xc3\x9b\xc2"});
  for (const unsigned char c : line)
    EXPECT_FALSE(std::iscntrl(c)) << line;
  EXPECT_NE(line.find("größer  31m  \xc2\xa0\xc3\x9b\xc2"), line.npos)
      << line; // C1's controls, and not their neighbours
}

TEST(Error, TakesItsCodeFromTheSqlstate) {
  const std::pair<std::string_view, errc> expected[] = {
      {"42601", errc::rejected_sql},          // syntax_error
      {"42P01", errc::rejected_sql},          // undefined_table
      {"22012", errc::rejected_sql},          // division_by_zero
      {"23505", errc::constraint_violated},   // unique_violation
      {"42501", errc::permission_denied},     // insufficient_privilege
      {"28000", errc::permission_denied},     // invalid_authorization_specification
      {"28P01", errc::permission_denied},     // invalid_password
      {"40001", errc::serialization_failure}, // serialization_failure
      {"40P01", errc::deadlock_detected},     // deadlock_detected
      {"40003", errc::in_doubt},              // statement_completion_unknown
      {"57014", errc::query_canceled},        // query_canceled
      {"08006", errc::connection_lost},       // connection_failure
      {"08P01", errc::rejected_sql},          // protocol_violation: parameters without a value
      {"57P01", errc::connection_lost},       // admin_shutdown
      {"57P02", errc::connection_lost},       // crash_shutdown
      {"57P03", errc::connection_lost},       // cannot_connect_now
      {"57P05", errc::connection_lost},       // idle_session_timeout
      {"25P03", errc::connection_lost},       // idle_in_transaction_session_timeout
      {"53300", errc::too_many_connections},  // too_many_connections
      {"53100", errc::disk_full},             // disk_full
      {"25006", errc::rejected_sql},          // read_only_sql_transaction
      {"0A000", errc::rejected_sql},          // feature_not_supported
      {"P0001", errc::rejected_sql},          // raise_exception
      {"XX000", errc::internal},              // internal_error
      {"XX001", errc::internal},              // data_corrupted
      {"", errc::rejected_sql},
      {"4", errc::rejected_sql},
  };
  for (const auto& [sqlstate, code] : expected)
    EXPECT_EQ(code_of_sqlstate(sqlstate), code) << sqlstate;
}

TEST(Error, MayBeRetriedWhenNothingReachedTheServer) {
  EXPECT_TRUE(safe_to_retry({.code = errc::pool_timeout, .phase = phase::queue}));
  EXPECT_TRUE(safe_to_retry({.code = errc::connect_failed, .phase = phase::connect}));
  EXPECT_TRUE(safe_to_retry({.code = errc::connection_lost, .phase = phase::execute, .reached_server = false}));
  EXPECT_FALSE(safe_to_retry({.code = errc::connection_lost, .phase = phase::execute, .reached_server = true}));
  EXPECT_FALSE(safe_to_retry({.code = errc::deadline_exceeded, .phase = phase::execute, .reached_server = true}));
}

TEST(Error, MayBeRetriedWhenTheServerSaidThatItDidNothing) {
  EXPECT_TRUE(safe_to_retry(from_server("40001")));
  EXPECT_TRUE(safe_to_retry(from_server("40P01")));
  EXPECT_TRUE(safe_to_retry(from_server("53300", phase::connect)));
  EXPECT_TRUE(safe_to_retry(from_server("57P03", phase::connect)));
  EXPECT_FALSE(safe_to_retry(from_server("57P01"))); // The statement may have been committed before its session ended.
  EXPECT_FALSE(safe_to_retry(from_server("23505")));
}

TEST(Error, IsNeverRetriedWhenAnythingMayHaveHappened) {
  EXPECT_FALSE(safe_to_retry({.code = errc::in_doubt}));
  EXPECT_FALSE(safe_to_retry({.code = errc::internal})); // A task may have written before it threw.
  EXPECT_FALSE(safe_to_retry({.code = errc::result_too_large}));
  EXPECT_FALSE(safe_to_retry({.code = errc::disk_full}));
  EXPECT_FALSE(safe_to_retry({.code = errc::bad_read}));
  // An SQLSTATE is an answer, so the server was reached, even if the failure does not say so.
  EXPECT_FALSE(safe_to_retry({.code = errc::connection_lost, .phase = phase::execute, .sqlstate = "57P01"}));
}

TEST(Error, IsNeverRetriedWhereMoreThanTheFailedStatementMayHaveHappened) {
  for (const auto code : {errc::serialization_failure, errc::deadlock_detected, errc::pool_timeout,
                          errc::too_many_connections, errc::connect_failed, errc::invalid_request}) {
    EXPECT_TRUE(safe_to_retry({.code = code})) << to_string(code);
    EXPECT_FALSE(safe_to_retry({.code = code, .may_have_effect = true})) << to_string(code);
  }
}

TEST(Error, IsTheClientsFaultWhenTheRequestHasToChange) {
  for (const auto code : {errc::invalid_request, errc::rejected_sql, errc::constraint_violated, errc::permission_denied,
                          errc::result_too_large})
    EXPECT_TRUE(is_client_fault({.code = code})) << to_string(code);
  for (const auto code : {errc::serialization_failure, errc::deadlock_detected, errc::query_canceled,
                          errc::deadline_exceeded, errc::connection_lost, errc::connect_failed,
                          errc::too_many_connections, errc::pool_timeout, errc::pool_queue_full, errc::overloaded,
                          errc::pool_closed, errc::in_doubt, errc::internal, errc::disk_full, errc::bad_read})
    EXPECT_FALSE(is_client_fault({.code = code})) << to_string(code);
}

TEST(Error, IsNotTheClientsFaultWhenTheServerIsInTrouble) {
  EXPECT_TRUE(is_client_fault(from_server("42601")));
  EXPECT_TRUE(is_client_fault(from_server("P0001")));
  EXPECT_TRUE(is_client_fault(from_server("55000"))); // object_not_in_prerequisite_state
  for (const auto sqlstate : {"53100", "53200", "55P03", "57P04", "58030", "F0001", "XX000"})
    EXPECT_FALSE(is_client_fault(from_server(sqlstate))) << sqlstate;
}

TEST(Error, IsThrownByAResultWithoutAValue) {
  const result<int> none = failure{.code = errc::pool_closed, .query = "a", .message = "gone"};
  try {
    (void)none.value();
    FAIL() << "nothing was thrown";
  } catch (const error& e) {
    EXPECT_EQ(e.why().code, errc::pool_closed);
    EXPECT_STREQ(e.what(), "pool_closed: gone (query a)");
  }
}

} // namespace
} // namespace sheaf
