// SPDX-License-Identifier: BSD-3-Clause
//
// The engine's reports about itself: its counters as text, and its log.

#include "support/captured_log.hpp"
#include "support/postgresql_test.hpp"

#include <gmock/gmock.h>

#include <map>
#include <sstream>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class Metrics : public PostgresqlTest {
protected:
  /// Each sample's value, by its name with its labels.
  std::map<std::string, double> samples() const {
    std::map<std::string, double> all;
    std::istringstream text{e->metrics_text()};
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with('#'))
        continue;
      const auto blank = line.rfind(' ');
      EXPECT_TRUE(all.emplace(line.substr(0, blank), std::stod(line.substr(blank + 1))).second) << "twice: " << line;
    }
    return all;
  }

  static std::string of_pool(const std::string& name, const std::string& more = "") {
    return name + "{db_client_connection_pool_name=\"main\",db_system_name=\"postgresql\"" + more + "}";
  }
};

TEST_F(Metrics, CountWhatHappened) {
  open([](options& how) {
    how.databases[0].pool.max_size = 2;
    how.databases[0].pool.acquire_timeout = 1s; // a session is opened in less, on a busy machine too
    how.loops = 2;
  });
  run("select 1");
  run("select pg_sleep(0.02)");
  refused("select 1/0");
  auto endless = query{"q", "select pg_sleep(60)"};
  endless.timeout = 100ms;
  run(endless);
  auto now = samples();
  const auto operations = [&](const std::string& error = "") {
    return now[of_pool("db_client_operation_duration_seconds_count",
                       error.empty() ? "" : ",error_type=\"" + error + "\"")];
  };
  EXPECT_EQ(operations(), 2);
  EXPECT_EQ(operations("rejected_sql"), 1);
  EXPECT_EQ(operations("deadline_exceeded"), 1);
  EXPECT_GT(now[of_pool("db_client_operation_duration_seconds_sum")], 0.02);
  EXPECT_EQ(now[of_pool("db_client_operation_duration_seconds_bucket", ",le=\"+Inf\"")], 2);
  EXPECT_LE(now[of_pool("db_client_operation_duration_seconds_bucket", ",le=\"0.01\"")], 1);
  EXPECT_EQ(now[of_pool("sheaf_cancels_total")], 1);
  EXPECT_EQ(now[of_pool("db_client_connection_max")], 2);
  EXPECT_GE(now[of_pool("db_client_connection_create_time_seconds_count")], 1);
  EXPECT_EQ(now[of_pool("db_client_connection_wait_time_seconds_count")], 4);
  EXPECT_EQ(now["sheaf_request_duration_seconds_count"], 2);
  EXPECT_EQ(now["sheaf_request_duration_seconds_count{error_type=\"rejected_sql\"}"], 1);

  EXPECT_TRUE(eventually([&] { return stats().cancelling == 0; }));
  auto three = request_of(3, [](int) { return query{"", "select pg_sleep(60)"}; });
  three.width = 3;
  const auto x = e->run(std::move(three));
  EXPECT_EQ(x.failure.value_or(failure{}).code, errc::pool_timeout);
  EXPECT_TRUE(eventually([&] { return stats().cancelling == 0; }));
  now = samples();
  EXPECT_EQ(now[of_pool("db_client_connection_timeouts_total")], 1);
  EXPECT_EQ(now[of_pool("db_client_connections", ",state=\"used\"")], 0);
  EXPECT_EQ(now[of_pool("db_client_connections", ",state=\"idle\"")], stats().idle);
  EXPECT_EQ(now[of_pool("db_client_connection_use_time_seconds_count")],
            now[of_pool("db_client_connection_wait_time_seconds_count")]);
}

TEST_F(Metrics, HaveAHelpAndATypeForEachName) {
  open();
  run("select 1");
  std::istringstream text{e->metrics_text()};
  std::string helped, typed;
  for (std::string line, word, name; std::getline(text, line);) {
    std::istringstream words{line};
    words >> word >> name;
    if (word == "#" && name == "HELP")
      words >> helped;
    else if (word == "#" && name == "TYPE")
      words >> typed;
    else
      EXPECT_TRUE(word.starts_with(helped) && word.starts_with(typed)) << line;
  }
}

TEST_F(Metrics, LogTellsWhichQueryOfWhichRequestFailedAndWhere) {
  captured_log lines;
  open([&](options& how) { how.logger = lines.logger; });
  auto asked =
      request_of({query{"good", "select 1"}, query{"bad one", "select :secret::int", {{"secret", "hunter2"}}}});
  asked.id = "order 66";
  e->run(std::move(asked));
  e->run(request_of({query{"q", "select 1"}}));
  EXPECT_EQ(lines.count("warning event=request_failed request=\"order 66\" ms="), 1u) << lines.text();
  EXPECT_THAT(lines.text(), HasSubstr(" query=\"bad one\" phase=execute code=rejected_sql sqlstate=22P02 message=\""));
  EXPECT_EQ(lines.count("debug event=request_answered request=r1 ms="), 1u) << lines.text();
  EXPECT_THAT(lines.text(), Not(HasSubstr("hunter2")));
}

TEST_F(Metrics, LogOfPartialRequestsHasEachFailure) {
  captured_log lines;
  open([&](options& how) { how.logger = lines.logger; });
  auto asked = request_of({query{"a", "select 1/0"}, query{"b", "select 2/0"}}, error_policy::partial);
  asked.queries[0].required = asked.queries[1].required = false;
  EXPECT_TRUE(e->run(std::move(asked)).ok());
  EXPECT_EQ(lines.count("debug event=query_failed request=r1 query="), 2u) << lines.text();
}

TEST_F(Metrics, LogTellsOfALostSession) {
  captured_log lines;
  open([&](options& how) { how.logger = lines.logger; });
  const auto pid = std::to_string(backend_pid());
  schema.server("select pg_terminate_backend(" + pid + ")");
  EXPECT_TRUE(
      eventually([&] { return lines.count("warning event=session_lost pool=main session=" + pid + "\n") == 1; }));
  EXPECT_EQ(stats().lost, 1u);
}

} // namespace
