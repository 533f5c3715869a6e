// SPDX-License-Identifier: BSD-3-Clause
//
// sheaf_bench: figures when all went well; one clear line, an exit code and no figure when not.

#include "integration/program/cli_process.hpp"

#include "support/counting.hpp"
#include "support/postgresql_test.hpp"

#include <gmock/gmock.h>

namespace {

using namespace sheaf::test;
using testing::HasSubstr;

class Bench : public testing::Test {
protected:
  Bench() {
    schema.server("set search_path = " + schema.name());
    schema.server("create table world (id int primary key, randomnumber int not null)");
    schema.server("insert into world select i, i from generate_series(1, 10000) i");
  }

  static std::string program() {
    return std::filesystem::path{cli::program()}.parent_path().parent_path() / "bench" / "sheaf_bench";
  }

  cli::words command(const cli::words& options, const std::string& seconds = "1") const {
    cli::words all{program(), "--conninfo", schema.url(), "--seconds", seconds, "--n", "3", "--concurrency", "2"};
    all.insert(all.end(), options.begin(), options.end());
    return all;
  }

  cli::finished run(const cli::words& options, const std::string& seconds = "1") const {
    return cli::run(command(options, seconds));
  }

  void expect_refusal(const cli::words& options, int exit_code, const std::string& why) const {
    const auto x = run(options);
    EXPECT_EQ(x.exit_code, exit_code);
    EXPECT_EQ(x.out, "");
    EXPECT_THAT(x.err, HasSubstr(why));
    EXPECT_EQ(std::count(x.err.begin(), x.err.end(), '\n'), 1) << x.err;
  }

  postgresql_schema schema;
};

TEST_F(Bench, PrintsOneLineOfJson) {
  for (const std::string peer : {"sheaf", "run", "scoped", "actor", "raw"}) {
    const auto x = run({"--peer", peer, "--workload", "world", "--pool", "4"});
    EXPECT_EQ(x.exit_code, 0) << x.err;
    EXPECT_THAT(x.out, HasSubstr(R"({"peer": ")" + peer + R"(", "workload": "world", "n_queries": 3, "pool": 4, )"));
    for (const std::string name :
         {"concurrency", "requests", "req_per_s", "p50_us", "p99_us", "client_cpu_us_per_request", "max_rss_mb"})
      EXPECT_THAT(x.out, HasSubstr('"' + name + "\": "));
    EXPECT_EQ(x.out.find('\n'), x.out.size() - 1);
  }
}

TEST_F(Bench, RunsAllWorkloads) {
  schema.server(
      "create table book (id int primary key, title text not null, author text not null, price float8 not null,"
      " published timestamp not null)");
  schema.server(
      "insert into book select i, 'Book', 'Author', i / 4.0, timestamp '2000-01-01' from generate_series(1, 100) i");
  for (const std::string workload : {"count", "wide", "mixed", "tasks"})
    EXPECT_EQ(run({"--workload", workload, "--pool", "2"}).exit_code, 0) << workload;
  EXPECT_EQ(run({"--workload", "sleep", "--pool", "2"}, "2").exit_code, 0);
}

TEST_F(Bench, RefusesWhatItDoesNotKnow) {
  expect_refusal({"--workload", "none"}, 3, "no such workload");
  expect_refusal({"--peer", "none"}, 3, "no such peer");
  expect_refusal({"--pool", "1", "--loops", "2"}, 1, "--loops 2 is more than --pool 1");
}

TEST_F(Bench, SaysThatTheServerHasNoPlaceForItsPool) {
  for (const std::string peer : {"sheaf", "raw"})
    expect_refusal({"--peer", peer, "--pool", "300"}, 2, "");
}

TEST_F(Bench, GivesNoFiguresWhenTheServerGoesAway) {
  for (const std::string peer : {"sheaf", "raw"}) {
    cli::child bench{command({"--peer", peer, "--pool", "2"}, "60")};
    EXPECT_TRUE(eventually([&] { // both are open, and measure
      return schema.server.number("select count(*) from pg_stat_activity where query like '%randomnumber%' and "
                                  "application_name = '" +
                                  schema.name() + "'") == 2;
    }));
    schema.server("select pg_terminate_backend(pid) from pg_stat_activity where application_name = '" + schema.name() +
                  "'");
    const auto x = bench.finish();
    EXPECT_EQ(x.exit_code, 2) << peer;
    EXPECT_EQ(x.out, "");
    EXPECT_EQ(std::count(x.err.begin(), x.err.end(), '\n'), 1) << x.err;
  }
}

} // namespace
