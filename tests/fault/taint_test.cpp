// SPDX-License-Identifier: BSD-3-Clause
//
// Nothing that the engine says of a failure has a parameter's value in it, whatever language the server speaks.

#include "fault/fault_test.hpp"

#include "support/captured_log.hpp"
#include "support/tainted_queries.hpp"

#include <soci/soci.h>

#include <cstdlib>

namespace {

using namespace sheaf;
using namespace sheaf::test;

class FaultTaint : public PostgresqlFault, public testing::WithParamInterface<const char*> {
protected:
  /// A server reads LANGUAGE as it starts, and obeys it in every locale but C itself.
  void SetUp() override {
    schema.server(taint_schema);
    flush();
    observer{environment("SHEAF_TEST_POSTGRES_ADMIN")}("alter role sheaf set lc_messages = 'C.UTF-8'; alter role sheaf "
                                                       "set log_parameter_max_length_on_error = 12");
    ::setenv("LANGUAGE", GetParam(), 1);
    control.restart();
    reconnect();
    PostgresqlFault::SetUp();
  }

  void TearDown() override {
    PostgresqlFault::TearDown();
    ::unsetenv("LANGUAGE");
    observer{environment("SHEAF_TEST_POSTGRES_ADMIN")}("alter role sheaf reset lc_messages; alter role sheaf reset "
                                                       "log_parameter_max_length_on_error");
    control.restart();
    reconnect();
  }

  server_control control;
};

TEST_P(FaultTaint, NoFailureAndNoLineOfTheLogHasAValue) {
  captured_log lines;
  open([&](options& how) { how.logger = lines.logger; });
  std::size_t notices = 0;
  for (const auto& [sql, value] : tainted_on_postgresql) {
    for (int i = 0; i < 3; ++i) { // prepared without a name, with one, and from the cache
      const auto x = run(sql, {{"x", value}});
      EXPECT_FALSE(is_tainted(words_of(x))) << sql << "\n" << words_of(x);
      EXPECT_FALSE(x.failure.value_or(failure{}).sqlstate.empty()) << sql << "\n" << words_of(x);
      notices += x["q"].notices.kept.size();
    }
    const auto task = run(query::of_task("task", [sql = sql, value = value](soci::session& s) {
      std::string bound = value;
      soci::statement run = (s.prepare << sql, soci::use(bound, "x"));
      run.execute(true);
    }));
    ASSERT_TRUE(task.failure) << sql;
    EXPECT_FALSE(is_tainted(words_of(task))) << sql << "\n" << words_of(task);
    notices += task.outcomes[0].notices.kept.size();
  }
  EXPECT_EQ(lines.count("event=notice "), notices);
  EXPECT_EQ(notices, 2u * 4 * 4) << "two queries, four times each, four notices";
  EXPECT_FALSE(is_tainted(lines.text())) << lines.text();
  EXPECT_GT(lines.count("request_failed"), 100u);
}

INSTANTIATE_TEST_SUITE_P(Languages, FaultTaint, testing::Values("en", "de", "fr"),
                         [](const auto& x) { return std::string{x.param}; });

} // namespace
