// SPDX-License-Identifier: BSD-3-Clause
//
// sheaf_bench and sheaf_overload: figures when all went well; one clear line, an exit code and no figure when not.

#include "integration/program/cli_process.hpp"

#include "support/counting.hpp"
#include "support/postgresql_test.hpp"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

namespace {

using namespace sheaf::test;
using nlohmann::json;
using testing::HasSubstr;

std::string program_of_bench(const std::string& name) {
  return std::filesystem::path{cli::program()}.parent_path().parent_path() / "bench" / name;
}

void expect_no_figures(const cli::finished& x, int exit_code, const std::string& why) {
  EXPECT_EQ(x.exit_code, exit_code);
  EXPECT_EQ(x.out, "");
  EXPECT_THAT(x.err, HasSubstr(why));
  EXPECT_EQ(std::count(x.err.begin(), x.err.end(), '\n'), 1) << x.err;
}

class Bench : public testing::Test {
protected:
  Bench() {
    schema.server("set search_path = " + schema.name());
    schema.server("create table world (id int primary key, randomnumber int not null)");
    schema.server("insert into world select i, i from generate_series(1, 10000) i");
  }

  cli::words command(const cli::words& options, const std::string& seconds = "1") const {
    cli::words all{program_of_bench("sheaf_bench"),
                   "--conninfo",
                   schema.url(),
                   "--seconds",
                   seconds,
                   "--n",
                   "3",
                   "--concurrency",
                   "2"};
    all.insert(all.end(), options.begin(), options.end());
    return all;
  }

  cli::finished run(const cli::words& options, const std::string& seconds = "1") const {
    return cli::run(command(options, seconds));
  }

  void expect_refusal(const cli::words& options, int exit_code, const std::string& why) const {
    expect_no_figures(run(options), exit_code, why);
  }

  postgresql_schema schema;
};

TEST_F(Bench, PrintsOneLineOfJson) {
  for (const std::string peer : {"sheaf", "run", "scoped", "actor", "raw", "pipeline", "pipeline_each"}) {
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

TEST_F(Bench, RunsSqliteInALoopAndPacked) {
  const temporary_folder folder;
  const auto url = "sqlite:" + folder / "world.db";
  ASSERT_EQ(
      cli::run_sheaf({"query", url + "?mode=rwc",
                      "create table world as with recursive n(id) as (select 1 union all select id + 1 from n where id "
                      "< 10000) select id, id as randomnumber from n"})
          .exit_code,
      0);
  for (const cli::words& how : {cli::words{"--peer", "loop"}, cli::words{"--pack", "always"}}) {
    cli::words all{
        program_of_bench("sheaf_bench"), "--conninfo", url, "--workload", "sqlite", "--seconds", "1", "--pool", "2"};
    all.insert(all.end(), how.begin(), how.end());
    const auto x = cli::run(all);
    EXPECT_EQ(x.exit_code, 0) << x.err;
  }
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
    cli::child bench{command({"--peer", peer, "--pool", "2", "--pack", "never"}, "60")};
    EXPECT_TRUE(eventually([&] { // both are open, and measure
      return schema.server.number("select count(*) from pg_stat_activity where query like '%randomnumber%' and "
                                  "application_name = '" +
                                  schema.name() + "'") == 2;
    }));
    schema.server("select pg_terminate_backend(pid) from pg_stat_activity where application_name = '" + schema.name() +
                  "'");
    SCOPED_TRACE(peer);
    expect_no_figures(bench.finish(), 2, "");
  }
}

class OverloadBench : public testing::Test {
protected:
  static cli::finished run(const std::string& conninfo, const cli::words& options) {
    cli::words all{program_of_bench("sheaf_overload")};
    all.insert(all.end(), {"--conninfo", conninfo, "--sessions", "2", "--service-ms", "2", "--seconds", "0.3"});
    all.insert(all.end(), options.begin(), options.end());
    return cli::run(all);
  }

  json figures(const cli::words& options) const {
    const auto x = run(schema.url(), options);
    EXPECT_EQ(x.exit_code, 0) << x.err;
    EXPECT_EQ(x.out.find('\n'), x.out.size() - 1);
    return json::parse(x.out);
  }

  postgresql_schema schema;
};

TEST_F(OverloadBench, CountsEachRequestOnce) {
  const auto got = figures({"--load", "4", "--queries", "3", "--loops", "2", "--priorities", "mixed"});
  for (const std::string phase : {"overload", "after"}) {
    const auto& p = got[phase];
    std::size_t failed = 0, asked = 0, in_time = 0;
    for (const auto& count : p["failures"])
      failed += count.get<std::size_t>();
    for (const auto& of : p["priorities"]) {
      asked += of["asked"].get<std::size_t>();
      in_time += of["in_time"].get<std::size_t>();
    }
    EXPECT_GT(p["asked"], 0) << phase;
    EXPECT_EQ(p["asked"], p["in_time"].get<std::size_t>() + failed) << p;
    EXPECT_EQ(p["asked"], asked) << p;
    EXPECT_EQ(p["in_time"], in_time) << p;
    EXPECT_GE(p["statements"], p["cancelled"]) << p;
  }
}

TEST_F(OverloadBench, OffersWhatItWasAskedFor) {
  for (const std::string arrivals : {"even", "poisson"}) {
    EXPECT_EQ(figures({"--arrivals", arrivals, "--load", "0.5"})["overload"]["asked"], 150);
    EXPECT_EQ(figures({"--arrivals", arrivals, "--load", "3"})["overload"]["asked"], 900);
  }
}

TEST_F(OverloadBench, SaysInOneLineWhyItGivesNoFigures) {
  expect_no_figures(run(schema.url(), {"--loops", "3"}), 1, "--loops 3 is more than --sessions 2");
  expect_no_figures(run("host=127.0.0.1 port=1", {}), 2, "connect_failed");
}

} // namespace
