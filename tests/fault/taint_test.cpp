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
    observer{environment("SHEAF_TEST_POSTGRES_ADMIN")}("alter role sheaf set lc_messages = 'C.UTF-8'");
    ::setenv("LANGUAGE", GetParam(), 1);
    control.restart();
    reconnect();
    PostgresqlFault::SetUp();
  }

  void TearDown() override {
    PostgresqlFault::TearDown();
    ::unsetenv("LANGUAGE");
    observer{environment("SHEAF_TEST_POSTGRES_ADMIN")}("alter role sheaf reset lc_messages");
    control.restart();
    reconnect();
  }

  server_control control;
};

TEST_P(FaultTaint, NoFailureAndNoLineOfTheLogHasAValue) {
  captured_log lines;
  open([&](options& how) { how.logger = lines.logger; });
  for (const auto& [sql, value] : tainted_on_postgresql) {
    for (int i = 0; i < 3; ++i) { // prepared without a name, with one, and from the cache
      const auto why = refused(sql, {{"x", value}});
      EXPECT_FALSE(is_tainted(to_string(why))) << sql << "\n" << to_string(why);
      EXPECT_FALSE(why.sqlstate.empty()) << sql << "\n" << to_string(why);
    }
    const auto task = run(query::of_task("task", [sql = sql, value = value](soci::session& s) {
      std::string bound = value;
      soci::statement run = (s.prepare << sql, soci::use(bound, "x"));
      run.execute(true);
    }));
    ASSERT_TRUE(task.failure) << sql;
    EXPECT_FALSE(is_tainted(to_string(*task.failure))) << sql << "\n" << to_string(*task.failure);
  }
  EXPECT_FALSE(is_tainted(lines.text())) << lines.text();
  EXPECT_GT(lines.count("request_failed"), 100u);
}

INSTANTIATE_TEST_SUITE_P(Languages, FaultTaint, testing::Values("en", "de", "fr"),
                         [](const auto& x) { return std::string{x.param}; });

} // namespace
