// SPDX-License-Identifier: BSD-3-Clause
//
// Sheaf files: their content as it is read, and findings with their places and words.

#include "app/base/duration.hpp"
#include "app/check/file_check.hpp"
#include "app/file/file_keys.hpp"
#include "app/file/file_reader.hpp"
#include "app/file/map_reader.hpp"
#include "app/file/yaml_tree.hpp"
#include "support/database_under_test.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <fstream>
#include <regex>
#include <sys/stat.h>

namespace {

using namespace sheaf;
using namespace sheaf::app;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class SheafFile : public ::testing::Test {
protected:
  void write(const std::string& name, std::string_view text) { std::ofstream{folder / name} << text; }

  read_result read(std::string_view text, const variables& given = {}) {
    write("file.yaml", text);
    return read_sheaf_file(folder / "file.yaml", given);
  }

  /// `LINE:COLUMN: MESSAGE` of everything that is wrong.
  std::vector<std::string> findings(std::string_view text, const variables& given = {}) {
    auto x = read(text, given);
    if (!has_errors(x.findings))
      for (auto& more : check_file(x.file, given))
        x.findings.push_back(std::move(more));
    std::vector<std::string> all;
    for (const auto& f : x.findings)
      all.push_back(to_text(f, "").substr(1));
    return all;
  }

  /// The same for a request with these queries and more.
  std::vector<std::string> findings_in_request(std::string_view text) {
    return findings(
        "databases: {main: {url: 'sqlite::memory:'}, pg: {url: 'postgresql://nowhere'}}\nrequests:\n  r:\n" +
        std::string{text});
  }

  test::temporary_folder folder;
};

TEST_F(SheafFile, SaysWhatItSays) {
  write("two.sql", "select 2");
  const auto x = read(R"(
databases:
  main: {url: "${DB:-sqlite:a.db}", pool: {max_size: 8, acquire_timeout: 250ms}, statement_cache_size: 0, journal_mode: keep}
  other: {url: postgresql://host/db, pooler: transaction, reset: always}
requests:
  r:
    parameters: {a: {type: "int[]", default: [1, 2]}, b: {}}
    deadline: 2s
    width: 3
    on_error: first
    first: 2
    priority: low
    max_bytes: 2KiB
    queries:
      one: select :b
      two: {sql_file: two.sql, database: other, timeout: 1s, required: false, read_only: true, max_rows: 7}
      each: {sql: "select :x", for_each: {x: "{a}"}}
scenarios:
  s:
    setup: [{sql: create table t (x int)}]
    steps:
      - {request: r, with: {b: "${n}"}, expect: {one.rows: 1}, capture: {n: one.scalar}}
      - {repeat: {times: 3, of: [{parallel: [{request: r}]}]}}
)");
  ASSERT_THAT(x.findings, testing::IsEmpty()) << to_text(x.findings.front(), "");
  ASSERT_EQ(x.file.databases.size(), 2u);
  EXPECT_EQ(x.file.databases[0].url, "sqlite:" + folder / "a.db") << "from where the file is";
  EXPECT_EQ(x.file.databases[0].pool.max_size, 8u);
  EXPECT_EQ(x.file.databases[0].pool.acquire_timeout, 250ms);
  EXPECT_EQ(x.file.databases[0].statement_cache_size, 0u);
  EXPECT_EQ(x.file.databases[0].pooler, pooler::automatic);
  EXPECT_EQ(x.file.databases[0].journal_mode, journal_mode::keep);
  EXPECT_EQ(x.file.databases[1].journal_mode, journal_mode::wal);
  EXPECT_EQ(x.file.databases[1].pooler, pooler::transaction);
  EXPECT_EQ(x.file.databases[0].reset, session_reset::when_needed);
  EXPECT_EQ(x.file.databases[1].reset, session_reset::always);
  const auto* r = x.file.find_request("r");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->settings.deadline, 2s);
  EXPECT_EQ(r->settings.width, 3u);
  EXPECT_EQ(r->settings.on_error, error_policy::first);
  EXPECT_EQ(r->settings.first, 2u);
  EXPECT_EQ(r->settings.priority, priority::low);
  EXPECT_EQ(r->settings.max_bytes, 2048u);
  ASSERT_EQ(r->parameters.size(), 2u);
  EXPECT_TRUE(r->parameters[0].default_value);
  EXPECT_EQ(r->parameters[1].type, "text");
  EXPECT_FALSE(r->parameters[1].default_value);
  ASSERT_EQ(r->queries.size(), 3u);
  EXPECT_EQ(r->queries[0].query.statement.sql(), "select :b");
  EXPECT_EQ(r->queries[1].query.statement.sql(), "select 2");
  EXPECT_EQ(r->queries[1].query.database, "other");
  EXPECT_EQ(r->queries[1].query.timeout, 1s);
  EXPECT_FALSE(r->queries[1].query.required);
  EXPECT_TRUE(r->queries[1].query.read_only);
  EXPECT_EQ(r->queries[1].query.max_rows, 7u);
  EXPECT_EQ(r->queries[2].for_each->second, "a");
  const auto* s = x.file.find_scenario("s");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->setup.front().sql, "create table t (x int)");
  ASSERT_EQ(s->steps.size(), 2u);
  EXPECT_EQ(std::get<request_step>(s->steps[0].kind).capture.front().second.text, "one.scalar");
  EXPECT_EQ(std::get<repeat_step>(s->steps[1].kind).times, 3u);
}

TEST_F(SheafFile, TakesVariablesFromTheCommandLineBeforeTheEnvironment) {
  const std::string text = "databases: {main: {url: \"${HOME:-none}/${NOT_THERE:-d}/$${x}\"}}";
  EXPECT_EQ(read(text, {{"HOME", "postgresql://h"}}).file.databases.front().url, "postgresql://h/d/${x}");
  EXPECT_THAT(findings("databases: {main: {url: \"${NOT_THERE}\"}}"),
              ElementsAre("1:25: error: there is no variable NOT_THERE: give -D NOT_THERE=VALUE, set it in the "
                          "environment, or write ${NOT_THERE:-DEFAULT}"));
  EXPECT_THAT(findings("databases: {main: {url: \"a${b\"}}"),
              ElementsAre("1:25: error: this ${ has no }; write $${ for a ${ as it stands"));
}

TEST_F(SheafFile, NamesTheNearestKey) {
  EXPECT_THAT(findings("database: {}\n"), ElementsAre("1:1: error: a sheaf file has no key \"database\"; did you mean "
                                                      "\"databases\"?",
                                                      "1:1: error: there are no databases"));
  EXPECT_THAT(findings("databases: {main: {url: a, pool: {max_sise: 8}}}"),
              ElementsAre(HasSubstr("a pool has no key \"max_sise\"; did you mean \"max_size\"?")));
  EXPECT_THAT(findings_in_request("    queries: {a: {sql: select x, y from t}}"),
              ElementsAre("4:34: error: a query has no key \"y from t\"; within { } a comma ends a value that has no "
                          "quotes"));
  EXPECT_THAT(findings_in_request("    queries: {a: {sqll: select 1}}"),
              ElementsAre("4:15: error: query \"a\" has neither sql nor sql_file",
                          HasSubstr("a query has no key \"sqll\"; did you mean \"sql\"?")));
}

TEST_F(SheafFile, RefusesValuesOfAnotherType) {
  EXPECT_THAT(findings_in_request("    deadline: 5\n    width: many\n    on_error: partail\n    max_bytes: 1Q\n"
                                  "    parameters: {p: {type: txt}, q: {type: int, default: x}}\n"
                                  "    queries: {a: {sql: 'select :p, :q', required: yes, timeout: 3}, b: [1]}"),
              ElementsAre("4:15: error: deadline: a duration needs a unit, as in 250ms, 5s or 1m",
                          "5:12: error: width is a whole number, and this is \"many\"",
                          "6:15: error: on_error is one of fail, partial, first, and this is \"partail\"; did you mean "
                          "\"partial\"?",
                          "7:16: error: max_bytes is a size such as 64MiB, and this is \"1Q\"",
                          HasSubstr("8:28: error: type is one of text, int, double"),
                          "8:58: error: parameter \"q\": int takes a whole number of 64 bits",
                          "9:51: error: required is true or false, and this is \"yes\"",
                          "9:65: error: timeout: a duration needs a unit, as in 250ms, 5s or 1m",
                          "9:72: error: a query is a map, and this is a list"));
}

TEST_F(SheafFile, FindsParametersThatDoNotFit) {
  EXPECT_THAT(findings_in_request("    parameters: {author: {}, unused: {default: x}, ids: {type: 'int[]'}}\n"
                                  "    queries:\n"
                                  "      a: select :athor, :author\n"
                                  "      b: {sql: 'select :id', for_each: {id: '{ids}'}}\n"
                                  "      c: {sql: 'select :id', for_each: {id: '{author}'}}\n"
                                  "      d: {sql: 'select 1', for_each: {id: '{nope}'}}\n"),
              ElementsAre("4:30: warning: no query of r uses the parameter \"unused\"",
                          "6:10: error: query \"a\": r declares no parameter :athor; did you mean \"author\"?",
                          "8:7: error: query \"c\": for_each goes over \"author\", which is text and no list",
                          "9:7: error: query \"d\": for_each goes over \"nope\", which r does not declare",
                          "9:16: error: query \"d\": for_each binds :id, which its statement does not have"));
}

TEST_F(SheafFile, FindsSqlThatItsDatabaseDoesNotParse) {
  EXPECT_THAT(findings_in_request("    parameters: {a: {}}\n"
                                  "    queries:\n"
                                  "      good: {sql: \"select :a::int from t where x = any('{1}')\", database: pg}\n"
                                  "      bad: {sql: \"select :a::int\\n fro x y\", database: pg}\n"
                                  "      names: select a from nowhere where nope(:a)\n"
                                  "      other: select 1 fro x y\n"
                                  "      marked: \"\\uFEFFselect 1\"\n"
                                  "      several: select 1; select 2\n"
                                  "      many: {sql: select 1; select 2, database: pg}\n"),
              ElementsAre("7:18: error: query \"bad\": syntax error at or near \"x\" (line 2, column 6 of its SQL)",
                          "9:14: error: query \"other\": near \"x\": syntax error (line 1, column 14 of its SQL)",
                          "10:15: error: query \"marked\" begins with a byte order mark (U+FEFF), which nobody sees: "
                          "remove it",
                          "11:16: error: query \"several\": several statements: a query is one",
                          "12:19: error: query \"many\": several statements: a query is one"));
}

TEST_F(SheafFile, FindsStatementsAndDatabasesThatDoNotFit) {
  EXPECT_THAT(findings_in_request("    on_error: first\n    first: 9\n    queries:\n"
                                  "      a: {sql: select 1, database: mian}\n"
                                  "      b: {sql: delete from x, read_only: true}\n"
                                  "      c: '-- nothing'\n"
                                  "      d: {sql_file: nope.sql}\n"),
              ElementsAre(HasSubstr("10:21: error: ")));
  EXPECT_THAT(findings_in_request("    on_error: first\n    first: 9\n    queries:\n"
                                  "      a: {sql: select 1, database: mian}\n"
                                  "      b: {sql: delete from x, read_only: true}\n"
                                  "      c: '-- nothing'\n"),
              ElementsAre("3:3: error: first is 9; set it to between 1 and the number of queries",
                          "7:7: error: there is no database \"mian\"; did you mean \"main\"?",
                          "8:16: error: query \"b\" is declared read_only, but its statement is no query",
                          "9:10: error: query \"c\" is an empty statement"));
}

TEST_F(SheafFile, FindsQueriesThatGetInEachOthersWay) {
  EXPECT_THAT(
      findings_in_request("    queries:\n"
                          "      reads: select * from book join author on true\n"
                          "      writes: update public.book set x = 1\n"
                          "      elsewhere: {sql: delete from book, database: pg}\n"
                          "      other: with book as (select 1) insert into shop select * from book\n"
                          "      more: insert into shop values (1)\n"
                          "      alone: insert into log values (1) returning (select 1 from log)\n"
                          "      unknown: replace into author values (1)\n"),
      ElementsAre("6:15: warning: query \"writes\" writes book, which query \"reads\" reads: they run at once, in "
                  "no order",
                  "8:14: warning: query \"other\" writes shop, which query \"more\" writes: they run at once, in "
                  "no order",
                  "9:13: warning: query \"more\" writes shop, which query \"other\" writes: they run at once, "
                  "in no order"));
}

TEST_F(SheafFile, FindsPoolsThatAreLargerThanNeeded) {
  const auto of = [&](std::string_view requests, std::string_view scenarios = "") {
    return findings(fmt::format("databases: {{main: {{url: 'sqlite::memory:', pool: {{max_size: 8}}}}}}\n"
                                "requests: {{{}}}\nscenarios: {{{}}}\n",
                                requests, scenarios));
  };
  const auto larger = [](std::string_view n) {
    return ElementsAre(
        fmt::format("1:13: warning: pool.max_size of main is 8, and a request or scenario of this file, run by itself, "
                    "uses {} at most",
                    n));
  };
  const std::string two = "r: {queries: {a: select 1, b: select 2}}";
  EXPECT_THAT(of(two), larger("2 sessions"));
  EXPECT_THAT(of("r: {queries: {a: select 1}}"), larger("1 session"));
  const std::string each = "parameters: {ids: {type: 'int[]', default: [1]}}, "
                           "queries: {a: {sql: 'select :i', for_each: {i: '{ids}'}}}";
  EXPECT_THAT(of("r: {" + each + "}"), testing::IsEmpty()) << "a list may be as long as it likes";
  EXPECT_THAT(of("r: {width: 3, " + each + "}"), larger("3 sessions"));
  const std::string r = "{request: r}";
  EXPECT_THAT(of(two, "s: {steps: [" + r + ", {repeat: {times: 3, of: [" + r + ", {parallel: [" + r + ", " + r + ", " +
                          r + "]}]}}]}"),
              larger("6 sessions"));
  EXPECT_THAT(of(two, "s: {steps: [{parallel: [" + r + ", " + r + ", " + r + ", " + r + "]}]}"), testing::IsEmpty());
}

class Scenario : public SheafFile {
protected:
  std::vector<std::string> findings_in_steps(std::string_view steps) {
    return findings("databases: {main: {url: 'sqlite::memory:'}}\n"
                    "requests: {r: {parameters: {a: {}, b: {type: int, default: 1}}, queries: {q: 'select :a, :b'}}}\n"
                    "scenarios: {s: {steps: [\n" +
                    std::string{steps} + "]}}");
  }
};

TEST_F(Scenario, NeedsRequestsAndParametersThatThereAre) {
  EXPECT_THAT(findings_in_steps("{request: rr}, {request: r},\n{request: r, with: {a: 1, b: x, c: 3}},\n"
                                "{request: r, with: {a: [1]}}, {repeat: {times: 0, of: [{request: r, with: {a: 1}}]}}"),
              ElementsAre("6:48: error: times is 0; set it to between 1 and 1000000"));
  EXPECT_THAT(findings_in_steps("{request: rr}, {request: r},\n{request: r, with: {a: 1, b: x, c: 3}},\n"
                                "{request: r, with: {a: [1]}}"),
              ElementsAre("4:1: error: there is no request \"rr\"",
                          "4:16: error: r needs a value for \"a\": add it to with",
                          "5:30: error: \"b\": int takes a whole number of 64 bits",
                          "5:36: error: r declares no parameter \"c\"",
                          "6:24: error: \"a\": text takes one value, and this is a list"));
}

TEST_F(Scenario, NeedsExpectationsThatCanHold) {
  EXPECT_THAT(
      findings_in_steps("{request: r, with: {a: 1}, expect: {q.scaler: 1, t.rows: 1, q.rows: '> ', elapsed: '< 2 * "
                        "slowst'}},\n{request: r, with: {a: '${n}'}, capture: {n: q.scalar}},\n"
                        "{request: r, with: {a: '${n + 1}'}, expect: {q.scalar: '== n'}},\n"
                        "{request: r, with: {a: '${1 +}'}}"),
      ElementsAre("4:37: error: a query's answer has no \"scaler\"; did you mean \"scalar\"?",
                  HasSubstr("4:50: error: request r has no query \"t\""), HasSubstr("4:69: error: \"> \": "),
                  "4:84: error: the reply to r has no \"slowst\"; did you mean \"slowest\"?",
                  HasSubstr("5:24: error: nothing is called \"n\" here"), HasSubstr("7:24: error: ${1 +}: ")));
}

TEST_F(Scenario, IsBounded) {
  EXPECT_THAT(findings_in_steps(
                  "{repeat: {times: 1000000, of: [{repeat: {times: 1000000, of: [{request: r, with: {a: 1}}]}}]}}"),
              ElementsAre("3:13: error: scenario \"s\" would run more than 100000 requests"));
  EXPECT_THAT(
      findings_in_steps("{parallel: [{repeat: {times: 1, of: [{request: r, with: {a: 1}}]}}]}, {parallel: []}, {}"),
      ElementsAre("4:13: error: parallel takes requests", "4:82: error: parallel has no steps",
                  "4:87: error: a step is one of request, parallel, repeat and compare"));
}

TEST_F(Scenario, HasNoCapturesLeftForItsThresholds) {
  EXPECT_THAT(findings("databases: {main: {url: 'sqlite::memory:'}}\nrequests: {r: {queries: {q: select 1}}}\n"
                       "scenarios: {s: {steps: [{request: r, capture: {n: q.scalar}}], thresholds: {errors: '> n'}}}"),
              ElementsAre(HasSubstr("there is no n; ")));
}

// -- what YAML may do

TEST_F(SheafFile, RefusesWhatIsNoYamlOrTooMuchOfIt) {
  const std::pair<std::string, std::string> bad[] = {
      {"a: \"\xff\"", "1:5: error: the byte 0xff is not UTF-8"},
      {std::string{"a: \0", 4}, "1:4: error: a NUL character"},
      {"a: 1\nb: 2\na: 3\n", "3:1: error: \"a\" is here twice; it stands in line 1 already"},
      {"a: *b", "1:4: "},
      {"a: &b [*b]", "1:8: error: this alias stands within what it stands for"},
      {"a: !!int 3", "1:4: error: the tag "},
      {"a: 1\n---\nb: 2\n", "error: a second document begins here; one file is one document"},
      {"", "1:1: error: a sheaf file is a map, and this is nothing"},
      {"[1]", "1:1: error: a sheaf file is a map, and this is a list"},
      {"? [a]\n: 1", "error: a list cannot be a key"},
      {"{a: 1,\nb: {c: 1}\n", "1:1: error: a map cannot be a key; if it is none, its closing bracket is missing"},
      {"a: " + std::string(100'000, '[') + std::string(100'000, ']'), "error: nested deeper than 32 levels"},
      {"a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
       "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
       "error: more than 100000 values, with those that aliases repeat"},
      {"a: &a '" + std::string(1 << 20, 'x') + "'\nb: [*a, *a, *a, *a]\n",
       "error: more than 4 MiB of text in values, with those that aliases repeat"},
      {"a: &a [&b [&c [&d [&e '" + std::string(1 << 20, 'x') + "']]]]\n",
       "error: more than 4 MiB of text in values, behind anchors"},
  };
  for (const auto& [text, why] : bad) {
    const auto found = findings(text);
    ASSERT_FALSE(found.empty()) << text.substr(0, 100);
    EXPECT_THAT(found.front(), HasSubstr(why));
  }
}

TEST_F(SheafFile, SaysWhatIsWrongWithYamlAndWhatMendsIt) {
  const std::string quote = "error: this quote has no end: all that follows belongs to it";
  const std::string colon =
      "error: a colon with a space behind it, in a value without quotes: put the value into quotes";
  const std::pair<std::string, std::string> bad[] = {
      {"a:\n  b: \"x\n  c: 1\n", "2:6: " + quote},
      {"a:\n  b: 'it''s\n  c: 1\n", "2:6: " + quote},
      {"a: \"x\\\"", "1:4: " + quote},
      {"a: &name # why\n  \"x\nb: 1\n", "1:4: " + quote},
      {"\"a: 1\n", "1:1: " + quote},
      {"a:\n  b: \"x\n  c: \"y\"\n", "; the quote that begins in line 2 ends in line 3: should it?"},
      {"a: select 'b: c'\n", "1:13: " + colon},
      {"a: 1\n\tb: 2\n", "error: a tab indents line 2: YAML takes spaces alone"},
      {"a:\n\tb: 1\n", "error: a tab indents line 2: YAML takes spaces alone"},
      {"a: 1\nb: {c: [1, 2}\n", "2:13: error: this bracket closes nothing that is open"},
      {"a: 1\nb: {c: 1\n", "2:4: error: this bracket has no end: a }, or a comma before it, is missing"},
      {"a: [1", "1:4: error: this bracket has no end: a ], or a comma before it, is missing"},
      {"a: 1\n b: 2\n", "error: "},
      {std::string{"a\0:\0", 4}, "1:1: error: the file is UTF-16: save it as UTF-8"},
      {std::string{"\0a\0:", 4}, "1:1: error: the file is UTF-16: save it as UTF-8"},
      {"\xff\xfe" + std::string{"a\0", 2}, "1:1: error: the file is UTF-16: save it as UTF-8"},
  };
  for (const auto& [text, why] : bad) {
    const auto found = findings(text);
    ASSERT_FALSE(found.empty()) << text;
    EXPECT_THAT(found.front(), HasSubstr(why)) << text;
  }
  for (const char* good : {"databases: {main: {url: \"a\\\"b\"}}", "databases: {main: {url: 'it''s'}}",
                           "databases: {main: {url: !  \"a\"}}", "databases: {main: {\"url\": \"a\n\n b\"}}",
                           "databases:\n  main:\n    url: >\n      \"a\n"})
    EXPECT_THAT(read(good).findings,
                testing::Not(testing::Contains(testing::Field(&finding::message, HasSubstr("quote")))))
        << good;
}

TEST_F(SheafFile, TakesNullForADefault) {
  const auto x = read("databases: {main: {url: 'sqlite::memory:'}}\n"
                      "requests: {r: {parameters: {a: {default: null}, b: {type: int, default: ~}, c: {type: 'int[]', "
                      "default: [1, null]}, d: {type: 'int[]', default: null}}, queries: {q: 'select :a, :b'}}}");
  ASSERT_THAT(x.findings, testing::IsEmpty());
  const auto& all = x.file.requests.front().parameters;
  for (const std::size_t i : {0u, 1u, 3u}) {
    ASSERT_TRUE(all[i].default_value) << all[i].name;
    EXPECT_TRUE(all[i].default_value->is_null()) << all[i].name;
  }
  const auto& list = std::get<value::array>(all[2].default_value->data());
  EXPECT_FALSE(list[0].is_null());
  EXPECT_TRUE(list[1].is_null());
}

TEST_F(SheafFile, RefusesNamesAndValuesThatCannotBeShown) {
  EXPECT_THAT(findings_in_request("    parameters: {d: {type: double, default: inf}}\n    queries: {q: select :d}"),
              ElementsAre("4:45: error: parameter \"d\": a default is a finite number"));
  EXPECT_THAT(findings_in_request("    queries: {\"q\\e[31m\": select 1}"),
              ElementsAre("4:15: error: a name in queries has a control character"));
  EXPECT_THAT(findings("databases: {\"m\\n\": {url: 'sqlite::memory:'}}\nrequests: {\"r\\x9b\": {queries: {q: select "
                       "1}}}\n"),
              ElementsAre("1:13: error: a name in databases has a control character",
                          "2:12: error: a name in requests has a control character"));
}

/// What one query's for_each binds is none of another's parameters: there `id` may be a column.
TEST_F(SheafFile, KnowsWhichQueryAForEachIsOf) {
  EXPECT_THAT(
      findings("databases: {main: {url: 'postgresql://h/d'}}\nrequests:\n  r:\n    parameters: {ids: {type: 'int[]', "
               "default: [1]}}\n    queries:\n      one: {sql: 'select :id', for_each: {id: '{ids}'}}\n"
               "      two: {sql: 'select a[1:id] from t'}\n"),
      testing::IsEmpty());
}

TEST_F(SheafFile, TakesNoListOfNullForOneValue) {
  EXPECT_THAT(
      findings("databases: {main: {url: 'sqlite::memory:'}}\nrequests: {r: {parameters: {n: {type: int, default: "
               "[null]}}, queries: {q: 'select :n'}}}"),
      ElementsAre(HasSubstr("int takes one value, and this is a list")));
}

TEST_F(SheafFile, WarnsOfOneNameForTwoThings) {
  EXPECT_THAT(
      findings("databases: {main: {url: 'sqlite::memory:'}}\nrequests: {r: {queries: {q: select 1}}}\n"
               "scenarios: {r: {steps: [{request: r}]}}"),
      ElementsAre("3:13: warning: \"r\" is a request and a scenario: sheaf run takes the scenario; rename one"));
}

TEST_F(SheafFile, ReadsPlainFilesAlone) {
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(folder / "folder");
  for (const char* path : {"pipe", "folder", "/dev/zero"})
    EXPECT_THAT(findings_in_request(fmt::format("    queries: {{q: {{sql_file: {}}}}}", path)),
                ElementsAre(HasSubstr(": it is no plain file")))
        << path;
  write("large.sql", "select '" + std::string(15 << 20, 'x') + "'");
  std::string queries;
  for (int i = 0; i < 5; ++i)
    queries += fmt::format("      q{}: {{sql_file: large.sql}}\n", i);
  EXPECT_THAT(read("databases: {main: {url: 'sqlite::memory:'}}\nrequests:\n  r:\n    queries:\n" + queries).findings,
              ElementsAre(testing::Field(&finding::message,
                                         HasSubstr("the files that this one names are larger than 64 MiB in all"))));
}

TEST_F(SheafFile, CountsColumnsInCharacters) {
  EXPECT_THAT(findings("databases: {größe: {url: a, pol: {}}, 本: {url: a, pol: {}}}\n"),
              ElementsAre("1:29: error: a database has no key \"pol\"; did you mean \"pool\"?",
                          "1:51: error: a database has no key \"pol\"; did you mean \"pool\"?"));
  EXPECT_THAT(findings("databases: {ö: {url:\ta, pol: {}}}\n"), ElementsAre(HasSubstr("1:25: error: ")))
      << "a tab is one";
  EXPECT_THAT(findings("# ö\r\nä: *b"), ElementsAre(HasSubstr("2:4: error: "))) << "what the parser refuses, too";
  EXPECT_THAT(findings("ä: \"ö\xff\""), ElementsAre("1:6: error: the byte 0xff is not UTF-8"));
  std::string many; // of which each place is found without counting from the line's begin
  for (int i = 0; i < 20'000; ++i)
    many += "'" + std::string(10, ' ') + "öööööööööö', ";
  EXPECT_THAT(findings("a: [" + many + "*b]"), ElementsAre(HasSubstr(fmt::format("1:{}: ", 5 + 20'000 * 24))));
}

TEST_F(SheafFile, RefusesAFileThatIsNotThereOrTooLarge) {
  EXPECT_EQ(read_sheaf_file(folder / "nope.yaml", {}).findings.front().message, "No such file or directory");
  write("large.yaml", "");
  std::filesystem::resize_file(folder / "large.yaml", std::uintmax_t{1} << 30); // takes no room
  EXPECT_EQ(read_sheaf_file(folder / "large.yaml", {}).findings.front().message, "larger than 4 MiB");
}

TEST_F(SheafFile, TakesAliasesAsIfTheyWereWrittenOut) {
  const auto x = read("databases: {main: {url: a, pool: &p {max_size: 3}}, other: {url: b, pool: *p}}");
  EXPECT_THAT(x.findings, testing::IsEmpty());
  EXPECT_EQ(x.file.databases[1].pool.max_size, 3u);
}

/// The schema cannot call the reader.
TEST_F(SheafFile, HasPatternsForWhatItReads) {
  const std::regex duration{duration_pattern}, size{size_pattern}, rate{rate_pattern};
  for (const char* text : {"5s",  "250ms", "1.5m", "2h", "10us", "5.s", ".5s",  "0.5s", "00.10s", "",
                           "5",   "s",     "-5s",  "0s", "5 s",  "5d",  "infs", "nans", "1e3s",   "5s ",
                           " 5s", "5ss",   "+5s",  ".s", "1,5s", "5S",  "0.0s", "0m",   "5sec",   "1.2.3s"})
    EXPECT_EQ(parse_duration(text).has_value(), std::regex_search(text, duration)) << text;
  for (const char* text :
       {"500/s", "30/m", "1.8/h", ".5/s", "5./s", "0/s", "5", "/s", "5/", "5 /s", "5/d", "-5/s", "1e3/s", "5/ms"})
    EXPECT_EQ(parse_rate(text).has_value(), std::regex_search(text, rate)) << text;
  for (const char* text :
       {"1",  "64MiB", "64 MiB", "64mib", "1k", "1kb",   "1KB", "5b",  "5 B", "3G",  "3gib", "1T", "1p ki",
        "-1", "1.5k",  "k",      "MiB",   "1Q", "1 k b", "0x1", "1ki", "1ib", "1bb", "x1",   "1kk"})
    EXPECT_EQ(findings_in_request(fmt::format("    max_bytes: '{}'\n    queries: {{a: select 1}}", text)).empty(),
              std::regex_search(text, size))
        << text;
}

TEST(FileKeys, NameEachKeyOnce) {
  for (const auto x : all_sections()) {
    std::set<std::string_view> names;
    for (const auto& key : keys_of(x)) {
      EXPECT_TRUE(names.insert(key.name).second) << key.name;
      EXPECT_TRUE(key.meaning.ends_with('.')) << key.name;
      EXPECT_EQ(key.type == key_type::choice || key.type == key_type::choice_list, !key.choices.empty()) << key.name;
    }
  }
}

} // namespace
