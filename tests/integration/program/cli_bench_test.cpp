// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf bench`, and comparisons, as their user has them: reports, thresholds, progress, interrupts.

#include "integration/program/cli_process.hpp"
#include "support/postgresql_server.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp> // its sources are in cli_format_test.cpp

#include <fmt/format.h>

#include <fstream>

namespace {

using namespace cli;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

const std::filesystem::path source = SHEAF_SOURCE_DIR;

class BenchCommand : public ::testing::Test {
protected:
  void write(const std::string& name, std::string_view text) {
    std::ofstream{std::filesystem::path{folder.path()} / name} << text;
  }

  void write_scenario(std::string_view scenario, std::string_view url = "sqlite:b.db?mode=rwc",
                      std::string_view sql = "select :n as n") {
    write("b.yaml", fmt::format(R"(databases:
  main: {{url: "{}", pool: {{max_size: 2}}}}
requests:
  one:
    parameters: {{n: {{type: int, default: 1}}}}
    queries: {{q: "{}"}}
scenarios:
  busy:
{})",
                                url, sql, scenario));
  }

  finished sheaf(words arguments, setting how = {}) {
    arguments.insert(arguments.begin(), program());
    how.directory = folder.path();
    return run(arguments, how);
  }

  boost::json::object report() const {
    return boost::json::parse(text_of(std::filesystem::path{folder.path()} / "report.json")).as_object();
  }

  sheaf::app::temporary_directory folder;
};

TEST_F(BenchCommand, CountsTheClientsOfTheCommandLineWhereAPoolIsTooLarge) {
  write_scenario("\n    steps: [{request: one}]\n    load: {duration: 10ms}\n");
  const auto alone = sheaf({"bench", "b.yaml"}), two = sheaf({"bench", "b.yaml", "--clients", "2"}),
             at_a_rate = sheaf({"bench", "b.yaml", "--rate", "100/s"});
  EXPECT_THAT(alone.err, HasSubstr("pool.max_size of main is 2, and a request or scenario of this file, run by itself, "
                                   "uses 1 session at most"));
  for (const auto* more : {&two, &at_a_rate}) {
    EXPECT_EQ(more->exit_code, 0);
    EXPECT_EQ(more->err, "");
  }
}

TEST_F(BenchCommand, ReportsToPeopleAndPrograms) {
  write_scenario(R"(
    steps: [{request: one, with: {n: "${random(1, 9)}"}, expect: {q.rows: 1}}]
    load: {clients: 3, duration: 300ms, warm_up: 50ms}
    thresholds: {errors: 0, request.one.count: "> 0", query.q.max: "< 1h"}
)");
  const auto said = sheaf({"bench", "b.yaml", "--seed", "7", "--output", "report.json"});
  EXPECT_EQ(said.exit_code, 0) << said.out << said.err;
  EXPECT_EQ(said.err, "") << "no line of progress but on a terminal";
  EXPECT_THAT(said.out,
              testing::ContainsRegex("busy: 3 clients for [0-9.]+ m?s after [0-9.]+ m?s of warm-up, seed 7\n"));
  EXPECT_THAT(said.out, testing::ContainsRegex("\none +[0-9]+ +[0-9.]+( [kM])?/s( +[0-9.]+ [mu]?s){5} +0\n"));
  EXPECT_THAT(said.out, testing::ContainsRegex("\n  q +[0-9]+ +[0-9.]+( [kM])?/s( +[0-9.]+ [mu]?s){5} +0\n"));
  EXPECT_THAT(said.out, HasSubstr("main: "));
  EXPECT_THAT(said.out, HasSubstr("  held  errors: 0  (it is 0)\n"));
  const auto json = report();
  EXPECT_EQ(json.at("scenario"), "busy");
  EXPECT_EQ(json.at("seed"), 7);
  EXPECT_EQ(json.at("held"), true);
  const auto& one = json.at("requests").at("one");
  const auto& times = one.at("latency_ms");
  EXPECT_GT(times.at("count").as_int64(), 0);
  EXPECT_EQ(times.at("count"), one.at("queries").at("q").at("executing_ms").at("count"));
  EXPECT_EQ(times.at("count"), json.at("expectations").at("checked"));
  double before = 0; // percentiles do not fall
  for (const auto* name : {"min", "p50", "p90", "p95", "p99", "p99.9", "max"}) {
    const auto now = times.at(name).to_number<double>();
    EXPECT_GE(now, before) << name;
    before = now;
  }
  EXPECT_EQ(json.at("pools").as_array().size(), 1u);
  EXPECT_EQ(json.at("statements").at(0).at("query").as_string(), "q");
  EXPECT_EQ(json.at("statements").at(0).at("sql").as_string(), "select :n as n");
  EXPECT_DOUBLE_EQ(json.at("statements").at(0).at("share").to_number<double>(), 1);
  EXPECT_THAT(said.out, testing::ContainsRegex("\n  q +[0-9]+ +1 +[0-9.]+ .*100.0 %\n"));
  for (const auto& line : lines_of(said.out))
    EXPECT_LE(line.size(), 80u) << line;
  EXPECT_EQ(json.at("thresholds").as_array().size(), 3u);
}

TEST_F(BenchCommand, SaysWhatIsMissed) {
  write_scenario(R"(
    steps: [{request: one, expect: {q.rows: 2}}]
    load: {duration: 50ms}
    thresholds: {rate: "< 0", missed: 1}
)");
  const auto said = sheaf({"bench", "b.yaml", "busy", "--output", "report.json"});
  EXPECT_EQ(said.exit_code, 99);
  EXPECT_THAT(said.out, HasSubstr("  MISSED  rate: < 0  (it is "));
  EXPECT_THAT(said.out, HasSubstr("  held  missed: 1  (it is 1)"));
  EXPECT_THAT(said.out, HasSubstr("  MISSED  q.rows: 2 (step 1, line 10) "));
  EXPECT_EQ(report().at("held"), false);
}

TEST_F(BenchCommand, EndsWith2WhenNothingSucceeded) {
  write_scenario(R"(
    steps: [{request: one}]
    load: {duration: 100ms}
    thresholds: {request.p99: "< 50ms", rate: "> 1"}
)",
                 "sqlite:nowhere.db");
  const auto said = sheaf({"bench", "b.yaml", "--output", "report.json"});
  EXPECT_EQ(said.exit_code, 2) << said.out;
  EXPECT_THAT(said.err, HasSubstr("b.yaml:12:18: warning: the thresholds of \"busy\" say nothing of errors"));
  EXPECT_THAT(said.err, HasSubstr("sheaf: nothing succeeded; the first failure is connect_failed"));
  EXPECT_THAT(said.out, HasSubstr("  MISSED  request.p99: < 50ms  (it is nothing was answered)\n"));
  EXPECT_THAT(said.out, HasSubstr("  MISSED  rate: > 1  (it is 0/s)\n"));
  EXPECT_THAT(said.out, HasSubstr("Not among these: "));
  const auto json = report();
  EXPECT_EQ(json.at("latency_ms").at("count"), 0);
  EXPECT_EQ(json.at("errors"), json.at("failed_ms").at("count"));
  EXPECT_EQ(json.at("thresholds").at(0).at("found"), nullptr);
  EXPECT_EQ(json.at("thresholds").at(1).at("unit"), "1/s");
}

TEST_F(BenchCommand, CountsWhatTimesOutUntilItIsGivenUp) {
  sheaf::test::postgresql_schema schema;
  write("t.yaml", fmt::format(R"x(databases: {{main: {{url: "{}"}}}}
requests:
  late: {{on_error: partial, queries: {{q: {{sql: "select pg_sleep(1000)", timeout: 500ms, required: false}}}}}}
scenarios:
  busy:
    steps: [{{request: late}}]
    load: {{clients: 2, duration: 300ms}}
    thresholds:
      query.q.min: ">= 400ms"
      query.q.executing.max: ">= 100ms"
      query.q.errors: 1
      failed.count: 0
      not_begun: 0
)x",
                              schema.url()));
  const auto said = sheaf({"bench", "t.yaml"});
  EXPECT_EQ(said.exit_code, 0) << said.out << said.err;
}

TEST_F(BenchCommand, BeginsOneAtARateThatIsNextToNothing) {
  write_scenario(
      "    steps: [{request: one}]\n    load: {duration: 50ms}\n    thresholds: {request.count: 1, errors: 0}\n");
  const auto said = sheaf({"bench", "b.yaml", "--rate", "0.0000001/h"});
  EXPECT_EQ(said.exit_code, 0) << said.out << said.err;
}

TEST_F(BenchCommand, KnowsWhatCannotBeCompared) {
  write_scenario(R"(
    steps:
      - {request: one, expect: {elapsed: "< 2", ok: 1, q.rows: "< 1s", q.scalar: 1, q.elapsed: 2s}}
      - {request: one, expect: {elapsed: "< 2 * slowest", overlap: "> 1", error: "= null", ok: "it and q.rows > 0"}}
    load: {duration: 50ms}
    thresholds: {request.p99: 50ms, errors: "< 5ms", query.q.p99: "< 5", rate: 1000, query.q.max: "< 2 * query.q.p50"}
)");
  const auto said = sheaf({"check", "b.yaml"});
  EXPECT_EQ(said.exit_code, 1);
  for (const auto* wrong : {"error: elapsed: \"< 2\": < cannot compare a duration with a number: a duration has a unit",
                            "error: ok: \"1\": == cannot be applied to ",
                            "error: q.rows: \"< 1s\": < cannot compare a number with a duration",
                            "error: q.elapsed: a time is never exactly 2s; write \"< 2s\"",
                            "error: request.p99: a time is never exactly 50ms; write \"< 50ms\"",
                            "error: errors: \"< 5ms\": < cannot compare a number with a duration",
                            "error: query.q.p99: \"< 5\": < cannot compare a duration with a number",
                            "error: rate: a rate is never exactly 1000; write \"> 1000\""})
    EXPECT_THAT(said.out, HasSubstr(wrong));
  EXPECT_THAT(said.out, HasSubstr("b.yaml:11:"));
  EXPECT_THAT(said.out, Not(HasSubstr("b.yaml:12:")));
  EXPECT_THAT(said.out, Not(HasSubstr("query.q.max")));
  EXPECT_THAT(said.out, Not(HasSubstr("q.scalar")));
}

TEST_F(BenchCommand, ReadsTheTimeOfAWarmUp) {
  write_scenario("    steps: [{request: one}]\n    load: {duration: 10ms}\n");
  for (const auto& [text, ms] : std::initializer_list<std::pair<const char*, double>>{
           {"0", 0}, {"0s", 0}, {"00ms", 0}, {"0.02s", 20}, {"20ms", 20}}) {
    EXPECT_EQ(sheaf({"bench", "b.yaml", "--warm-up", text, "--output", "report.json"}).exit_code, 0) << text;
    EXPECT_EQ(report().at("warm_up_ms").to_number<double>(), ms) << text;
  }
  EXPECT_THAT(sheaf({"bench", "b.yaml", "--output", "-"}).err, HasSubstr("name a file"));
}

TEST_F(BenchCommand, CountsErrorsByTheirCode) {
  write_scenario("    steps: [{request: one, expect: {error: \"'rejected_sql'\"}}]\n    load: {duration: 50ms}\n",
                 "sqlite:b.db?mode=rwc", "select * from absent where :n");
  const auto said = sheaf({"bench", "b.yaml", "--output", "report.json"});
  EXPECT_EQ(said.exit_code, 0) << "it is expected" << said.out << said.err;
  EXPECT_THAT(said.out, HasSubstr("(100 %): "));
  EXPECT_THAT(said.out, HasSubstr(" rejected_sql\n"));
  EXPECT_EQ(report().at("errors"), report().at("error_codes").at("rejected_sql"));
}

TEST_F(BenchCommand, RefusesWhatCannotRun) {
  write_scenario("    steps: [{compare: {request: one}}]\n");
  EXPECT_THAT(sheaf({"bench", "b.yaml"}).err, HasSubstr("scenario busy has a comparison, which is no load"));
  write_scenario("    steps: [{compare: {request: one}}]\n    load: {}\n");
  EXPECT_THAT(sheaf({"check", "b.yaml"}).err + sheaf({"check", "b.yaml"}).out, HasSubstr("which is no load"));
  write_scenario("    steps: [{request: one}]\n    load: {clients: 2}\n");
  EXPECT_THAT(sheaf({"bench", "b.yaml", "bsy"}).err, HasSubstr("b.yaml has no scenario bsy; did you mean \"busy\"?"));
  for (const words& wrong : {words{"--rate", "5"}, words{"--duration", "5"}, words{"--clients", "0"},
                             words{"--warm-up", "x"}, words{"--output", "nowhere/x.json"}}) {
    words all{"bench", "b.yaml", "--duration", "1s"};
    if (wrong[0] == "--duration")
      all.resize(2);
    all.insert(all.end(), wrong.begin(), wrong.end());
    const auto said = sheaf(all);
    EXPECT_EQ(said.exit_code, wrong[0] == "--output" ? 2 : 1) << wrong[0];
    EXPECT_EQ(said.out, "") << wrong[0];
    EXPECT_EQ(lines_of(said.err).size(), 1u) << said.err;
  }
  write_scenario("    steps: [{request: one, with: {n: \"${1 / 0}\"}}]\n");
  const auto said = sheaf({"bench", "b.yaml"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.err, HasSubstr("one: \"n\": "));
}

TEST_F(BenchCommand, FindsWhatIsWrongInALoad) {
  write_scenario(R"(
    steps: [{request: one}]
    load: {clients: 0, rate: 5, duration: 5}
)");
  const auto first = sheaf({"check", "b.yaml"});
  EXPECT_EQ(first.exit_code, 1);
  EXPECT_THAT(first.out, HasSubstr("b.yaml:11:21: error: clients is 0; set it to between 1 and 10000"));
  EXPECT_THAT(first.out, HasSubstr("b.yaml:11:30: error: rate: a rate is a number and a unit, as in 500/s"));
  EXPECT_THAT(first.out, HasSubstr("b.yaml:11:43: error: duration: a duration needs a unit"));
  write_scenario(R"(
    steps:
      - compare: {request: one, modes: [own_sessions, own_session, own_sessions], expect: {shared_session: 1}}
)");
  const auto second = sheaf({"check", "b.yaml"});
  EXPECT_THAT(second.out, HasSubstr("did you mean \"own_sessions\"?"));
  EXPECT_THAT(second.out, HasSubstr("modes has \"own_sessions\" twice"));
  write_scenario(R"(
    steps:
      - compare: {request: one, modes: [own_sessions], expect: {shared_session: 1}}
    thresholds: {request.p98: 1, errors: "< nothing"}
)");
  const auto third = sheaf({"check", "b.yaml"});
  EXPECT_THAT(third.out, HasSubstr("the comparison has no \"shared_session\"; it has own_sessions"));
  EXPECT_THAT(third.out, HasSubstr("there is no request.p98"));
  EXPECT_THAT(third.out, HasSubstr("there is no nothing"));
}

TEST_F(BenchCommand, ShowsALineOnATerminal) {
  write_scenario("    steps: [{request: one}]\n    load: {duration: 1200ms}\n");
  const auto said = sheaf({"bench", "b.yaml"}, {.columns = 120});
  EXPECT_THAT(said.out, HasSubstr("\rmeasuring    1 s  "));
  EXPECT_THAT(said.out, testing::ContainsRegex("/s  p50 .*  p99 .*  0 errors  main [0-9]/2"));
  EXPECT_THAT(said.out, HasSubstr("\r\x1b[K"));
}

TEST_F(BenchCommand, ReportsWhenItIsInterruptedAndLeavesNothingBehind) {
  sheaf::test::postgresql_schema schema;
  schema.server(fmt::format("create table {}.left_behind(n int)", schema.name()));
  write_scenario(fmt::format(R"(
    steps: [{{request: one}}]
    load: {{clients: 2, duration: 1h}}
    teardown: [{{sql: drop table {}.left_behind}}]
)",
                             schema.name()),
                 schema.url(), "select pg_sleep(1000), :n::int");
  cli::child command{{program(), "bench", "b.yaml", "--output", "report.json"}, {.directory = folder.path()}};
  while (schema.running() != 2) {
  }
  command.send(SIGINT);
  command.send(SIGTERM); // and at once
  const auto said = command.finish();
  EXPECT_THAT(said.exit_code, AnyOf(128 + SIGINT, 128 + SIGTERM));
  EXPECT_THAT(said.err, HasSubstr("sheaf: interrupted\n"));
  EXPECT_THAT(said.out, HasSubstr("(interrupted)"));
  EXPECT_THAT(said.out, HasSubstr("2 query_canceled"));
  EXPECT_EQ(report().at("interrupted"), true);
  while (schema.running() != 0) {
  }
  EXPECT_EQ(schema.server(fmt::format("select to_regclass('{}.left_behind') is null", schema.name())), "t");
}

TEST_F(BenchCommand, ComparesAtOnceWithOneAfterAnother) {
  // Two queries that wait for each other are answered when they run at once, and only then.
  sheaf::test::postgresql_schema schema;
  write("c.yaml", fmt::format(R"(databases: {{main: {{url: "{}"}}}}
requests: {{two: {{deadline: 2s, queries: {{a: select meet(2), b: select meet(2)}}}}}}
scenarios:
  own: {{steps: [{{compare: {{request: two, modes: [own_sessions], times: 2, expect: {{own_sessions: "> 0s"}}}}}}]}}
  shared: {{steps: [{{compare: {{request: two, modes: [shared_session], times: 2, expect: {{shared_session: "> 0s"}}}}}}]}}
)",
                              schema.url()));
  const auto own = sheaf({"run", "c.yaml", "own"});
  EXPECT_EQ(own.exit_code, 0) << own.out << own.err;
  EXPECT_THAT(own.out, HasSubstr("\n  own_sessions  "));
  const auto shared = sheaf({"run", "c.yaml", "shared"});
  EXPECT_EQ(shared.exit_code, 99) << shared.out << shared.err;
  EXPECT_THAT(shared.out, HasSubstr("deadline_exceeded"));
}

TEST_F(BenchCommand, TimesALoadBothWays) {
  sheaf::test::postgresql_schema schema;
  write("c.yaml", fmt::format(R"(databases: {{main: {{url: "{}"}}}}
requests: {{two: {{queries: {{a: select pg_sleep(0.05), b: select pg_sleep(0.05)}}}}}}
scenarios: {{busy: {{steps: [{{request: two}}], load: {{duration: 1s}}, thresholds: {{errors: 0}}}}}}
)",
                              schema.url()));
  const auto said = sheaf({"bench", "c.yaml", "--compare", "--output", "report.json"});
  EXPECT_EQ(said.exit_code, 0) << said.out << said.err;
  EXPECT_THAT(said.out, testing::ContainsRegex("Speed-up +two: [0-9.]+ times as fast as in turn \\(p50 [0-9.]+ m?s "
                                               "at once, [0-9.]+ m?s in turn\\)"));
  const auto both = report().at("speed_up").at("two");
  EXPECT_GE(both.at("in_turn_ms").at("min").to_number<double>(), 100) << "one sleeps behind the other";
  EXPECT_EQ(both.at("at_once_ms").at("count"), report().at("latency_ms").at("count"));
  EXPECT_NEAR(both.at("ratio").to_number<double>(),
              both.at("in_turn_ms").at("p50").to_number<double>() / both.at("at_once_ms").at("p50").to_number<double>(),
              1e-6);
}

TEST_F(BenchCommand, RunsTheExamples) {
  for (const auto* url : {"", "postgresql"}) {
    for (const auto* name : {"compare.yaml", "load.yaml"})
      write(name, text_of(source / "examples/files" / name));
    sheaf::test::postgresql_schema schema;
    const setting how{.environment = {{"DATABASE_URL", *url ? schema.url() : ""}}};
    EXPECT_EQ(sheaf({"check", "compare.yaml", "load.yaml"}, how).out, "");
    const auto compared = sheaf({"run", "compare.yaml", "sessions"}, how);
    EXPECT_THAT(compared.exit_code, AnyOf(0, 99)) << compared.out << compared.err; // the ratio is the machine's
    EXPECT_THAT(compared.out, testing::ContainsRegex("\n  shared_session +[0-9.]+ m?s\n  own_sessions +[0-9.]+ m?s  \\("
                                                     "[0-9.]+ of shared_session\\)\n"));
    EXPECT_THAT(compared.out, HasSubstr("  held  authors.scalar: 7  (it is 7)"));
    const auto loaded = sheaf({"bench", "load.yaml", "shop", "--duration", "500ms", "--warm-up", "0"}, how);
    EXPECT_THAT(loaded.exit_code, AnyOf(0, 99)) << loaded.out << loaded.err; // as are the times
    EXPECT_THAT(loaded.out, testing::ContainsRegex("Expected +[0-9]+ expectations, 0 missed"));
    for (const auto* held : {"  held  errors: < 1%  (it is 0)\n", "  held  missed: 0  (it is 0)\n"})
      EXPECT_THAT(loaded.out, HasSubstr(held));
  }
}

} // namespace
