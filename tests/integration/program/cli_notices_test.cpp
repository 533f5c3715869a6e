// SPDX-License-Identifier: BSD-3-Clause
//
// What a PostgreSQL server says beside the rows, as the program shows it.

#include "integration/program/sheaf_file_command.hpp"
#include "support/postgresql_server.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

namespace {

using namespace sheaf::test;
using testing::HasSubstr;
namespace json = boost::json;

class CliNotices : public cli::SheafFileCommand {
protected:
  CliNotices() {
    schema.server(R"(
create function say(said text) returns int language plpgsql as $$ begin
  raise notice 'a notice';
  raise warning '%', 'line one' || chr(10) || 'and ' || chr(27) || ' two' using detail = 'a detail', hint = 'a hint';
  return 7; end $$;
create function tell(said text) returns int language plpgsql as $$ begin
  raise warning 'told %', said using hint = 'a hint';
  return 7; end $$;
create function say_much() returns int language plpgsql as $$ begin
  for i in 1..193 loop raise notice '%', i; end loop; return 7; end $$;
create table book (id int primary key);
insert into book values (1))");
    write("said.yaml", "databases: {main: {url: " + json::serialize(json::string{schema.url()}) +
                           "}}\nrequests: {r: {queries: {q: select say('x') as n}}}\n"
                           "scenarios: {s: {steps: [{request: r}]}}\n");
  }

  static constexpr const char* said =
      "NOTICE:  a notice\nWARNING:  line one\nand   two\nDETAIL:  a detail\nHINT:  a hint\n";

  postgresql_schema schema;
};

TEST_F(CliNotices, AreOnStderrAsPsqlHasThem) {
  auto x = sheaf({"query", schema.url(), "select say('x') as n"});
  EXPECT_EQ(x.exit_code, 0);
  EXPECT_EQ(x.err, said);
  EXPECT_THAT(x.out, HasSubstr("(1 row)"));
  for (const char* request_or_scenario : {"r", "s"})
    EXPECT_EQ(sheaf({"run", "said.yaml", request_or_scenario}).err, said) << request_or_scenario;
  x = sheaf({"query", schema.url(), "much=select say_much()", "one=select 1", "--format", "csv"});
  EXPECT_THAT(x.err, HasSubstr("query \"much\": NOTICE:  100\nquery \"much\": … and 93 more notices\n"));
}

TEST_F(CliNotices, AreInJson) {
  auto x = sheaf({"query", schema.url(), "a=select say('x') as n", "b=select say_much()", "--format", "json"});
  EXPECT_EQ(x.exit_code, 0) << x.err;
  const auto all = json::parse(x.out).as_object();
  const auto& of_a = all.at("notices").at("a").as_array();
  ASSERT_EQ(of_a.size(), 2u);
  EXPECT_EQ(of_a[1].at("severity").as_string(), "WARNING");
  EXPECT_EQ(of_a[1].at("sqlstate").as_string(), "01000");
  EXPECT_EQ(of_a[1].at("message").as_string(), "line one\nand   two");
  EXPECT_EQ(of_a[1].at("detail").as_string(), "a detail");
  EXPECT_EQ(of_a[1].at("hint").as_string(), "a hint");
  EXPECT_EQ(all.at("notices").at("b").as_array().size(), 100u);
  EXPECT_EQ(all.at("notices_left_out").at("b").as_int64(), 93);
  EXPECT_FALSE(all.at("notices_left_out").as_object().contains("a"));
  x = sheaf({"query", schema.url(), "a=select say('x') as n", "--format", "ndjson"});
  EXPECT_THAT(x.out, HasSubstr("{\"query\": \"a\", \"notice\": {\"severity\": \"NOTICE\", \"sqlstate\": \"00000\", "
                               "\"message\": \"a notice\", "));
  x = sheaf({"query", schema.url(), "select 1", "--format", "json"});
  EXPECT_FALSE(json::parse(x.out).as_object().contains("notices"));
}

TEST_F(CliNotices, AreInReports) {
  write("steps.yaml", "databases: {main: {url: " + json::serialize(json::string{schema.url()}) +
                          "}}\nrequests:\n  fine: {queries: {q: select 1}}\n"
                          "  good: {parameters: {x: {}}, queries: {q: \"select tell(:x)\"}}\n"
                          "  bad: {parameters: {x: {}}, queries: {q: \"select tell(:x) / 0\", much: select say_much()},"
                          " on_error: partial}\n"
                          "scenarios: {s: {steps: [{request: fine}, {request: good, with: {x: a secret}},"
                          " {request: bad, with: {x: a secret}}]}}\n");
  auto x = sheaf({"run", "steps.yaml", "s", "--format", "json", "--timeline", "bad.html"});
  EXPECT_EQ(x.exit_code, 99) << x.err;
  const auto steps = json::parse(x.out).at("steps").as_array();
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_FALSE(steps[0].as_object().contains("notices"));
  for (const std::size_t i : {1u, 2u}) {
    const auto& of_q = steps[i].at("notices").at("q").as_array();
    ASSERT_EQ(of_q.size(), 1u) << i;
    EXPECT_EQ(of_q[0].at("severity").as_string(), "WARNING");
    EXPECT_EQ(of_q[0].at("message").as_string(), "told ‹:x›");
    EXPECT_EQ(of_q[0].at("hint").as_string(), "a hint");
  }
  EXPECT_EQ(steps[2].at("notices_left_out").at("much").as_int64(), 93);
  const auto page = cli::text_of(at("bad.html"));
  EXPECT_THAT(page, HasSubstr("query &quot;q&quot;: WARNING:  told ‹:x›\nHINT:  a hint\n"));
  EXPECT_THAT(page, HasSubstr("query &quot;much&quot;: … and 93 more notices\n"));
  for (const auto& shown : {x.out, x.err, page})
    EXPECT_EQ(shown.find("a secret"), std::string::npos) << shown;
}

TEST_F(CliNotices, AndFailuresHaveTheirDetails) {
  auto x = sheaf({"query", schema.url(), "insert into book values (1)"});
  EXPECT_EQ(x.exit_code, 2);
  EXPECT_EQ(x.err, "sheaf: query \"q1\": constraint_violated: duplicate key value violates unique constraint "
                   "\"book_pkey\"\nDETAIL:  Key (id)=(1) already exists.\n");
  x = sheaf({"query", schema.url(), "insert into book values (1)", "--format", "json"});
  const auto all = json::parse(x.out);
  const auto& error = all.at("errors").at("q1").as_object();
  EXPECT_EQ(error.at("detail").as_string(), "Key (id)=(1) already exists.");
  EXPECT_EQ(error.at("table_name").as_string(), "book");
  EXPECT_EQ(error.at("constraint_name").as_string(), "book_pkey");
}

} // namespace
