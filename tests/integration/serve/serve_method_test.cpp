// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf serve` and the methods of HTTP: what a link, a picture or a form in somebody's page can ask for changes
// nothing.

#include "integration/serve/serve_test.hpp"

namespace {

using namespace sheaf::test;
using testing::HasSubstr;

namespace json = boost::json;

class ServeMethod : public ServeTest {
protected:
  void SetUp() override {
    schema.server("create table t (n int)");
    schema.server("insert into t values (1)");
    schema.server("create function sneak(n int) returns int language sql as 'insert into t values (n) returning n'");
    schema.server("create function twice(n int) returns int language sql as 'select 2 * n'");
    schema.server("create function open_up() returns int language plpgsql as "
                  "'begin set local transaction_read_only = off; insert into t values (7); return 7; end'");
  }

  long rows() { return schema.server.number("select count(*) from t"); }

  http_answer head(const std::string& target) const {
    http_client c{port};
    c.send("HEAD " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return c.receive(true);
  }

  void expect_post_only(const std::string& target) {
    const auto got = get(target);
    EXPECT_EQ(got.status, 405) << target << got.body;
    EXPECT_EQ(got.field("allow"), "POST, OPTIONS") << target;
    EXPECT_EQ(head(target).status, 405) << target;
    EXPECT_EQ(rows(), 1) << target;
  }

  postgresql_schema schema;
};

TEST_F(ServeMethod, ThatReadsIsNotForWhatWritesByItsWords) {
  serve_postgresql(schema, R"yaml(
  insert: {queries: {n: insert into t values (2)}}
  within: {queries: {n: "with x as (insert into t values (2) returning n) select * from x"}}
  among: {queries: {a: select 1, b: delete from t}}
  lock: {queries: {n: select n from t for update}}
  call: {queries: {n: "do $$ begin insert into t values (3); end $$"}}
  read: {queries: {n: select n from t}}
)yaml");
  for (const auto* name : {"insert", "within", "among", "lock", "call"})
    expect_post_only(std::string{"/requests/"} + name);
  const auto asked = http_client{port}.ask("OPTIONS /requests/insert HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(asked.field("allow"), "POST, OPTIONS");
  EXPECT_EQ(get("/requests/read").status, 200);
  EXPECT_EQ(head("/requests/read").status, 200);
  EXPECT_EQ(post("/requests/insert", "").status, 200);
  EXPECT_EQ(rows(), 2);
}

TEST_F(ServeMethod, ThatReadsLetsNoFunctionWrite) {
  serve_postgresql(schema, R"yaml(
  sneak: {parameters: {n: {type: int}}, queries: {n: "select sneak(:n)"}}
  stream: {queries: {n: {sql: "select sneak(2)", stream: true}}}
  open_up: {queries: {n: "select open_up()"}}
  draw: {queries: {n: "select nextval('s')"}}
  twice: {parameters: {n: {type: int}}, queries: {n: "select twice(:n) as m, g from generate_series(1, 3) g"}}
)yaml",
                   {}, "max_size: 1");
  schema.server("create sequence s");
  for (int i = 0; i < 4; ++i) { // the first time, once it is prepared, and with columns that are known
    expect_post_only("/requests/sneak?n=2");
    expect_post_only("/requests/stream");
    expect_post_only("/requests/open_up");
    expect_post_only("/requests/draw");
    const auto read = get("/requests/twice?n=21");
    EXPECT_EQ(read.status, 200) << read.body;
    EXPECT_THAT(read.body, HasSubstr("[[42,1],[42,2],[42,3]]")) << "the type of its parameter is not that of its value";
    EXPECT_EQ(read.body.find("set_config"), std::string::npos);
    EXPECT_EQ(post("/requests/twice", R"({"n": 4})").status, 200);
  }
  for (long i = 0; i < 3; ++i) {
    EXPECT_EQ(post("/requests/sneak", R"({"n": 5})").status, 200) << "nothing of it is left in the session";
    EXPECT_EQ(rows(), 2 + i);
  }
}

TEST_F(ServeMethod, IsWhatTheFileSays) {
  serve_postgresql(schema, R"yaml(
  counted: {method: get, queries: {n: insert into t values (2)}}
  called: {method: get, queries: {n: "select sneak(3)"}}
  kept: {method: post, queries: {n: select n from t}}
)yaml");
  expect_post_only("/requests/kept");
  EXPECT_EQ(post("/requests/kept", "").status, 200);
  EXPECT_EQ(get("/requests/counted").status, 200);
  EXPECT_EQ(get("/requests/called").status, 200);
  EXPECT_EQ(rows(), 3);
  EXPECT_EQ(post("/requests/counted", "").status, 200);
}

TEST_F(ServeMethod, ThatReadsWritesNoSqliteFile) {
  serve_sqlite("  make: {queries: {n: create table t (n)}}\n"
               "  fill: {queries: {n: insert into t values (1)}}\n"
               "  swap: {queries: {n: replace into t values (1)}}\n"
               "  read: {queries: {n: \"select count(*), replace('a', 'a', 'b') from t\"}}\n");
  EXPECT_EQ(post("/requests/make", "").status, 200);
  EXPECT_EQ(get("/requests/fill").status, 405);
  EXPECT_EQ(get("/requests/swap").status, 405);
  EXPECT_THAT(get("/requests/read").body, HasSubstr("[[0,\"b\"]]"));
}

/// A form has a type of its own and perhaps no body; a script's POST without one has its Origin. To a service within a
/// net, over plain HTTP, a browser says no more than that.
TEST_F(ServeMethod, ThatWritesIsNotForPagesOfOtherSites) {
  serve_postgresql(schema, "  insert: {queries: {n: insert into t values (2)}}\n");
  const auto ask = [&](const std::string& fields) {
    return http_client{port}.ask("POST /requests/insert HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: 0\r\n" +
                                 fields + "\r\n");
  };
  EXPECT_EQ(ask("Content-Type: application/x-www-form-urlencoded\r\n").status, 415);
  EXPECT_EQ(ask("Content-Type: text/plain\r\n").status, 415);
  for (const auto* origin : {"http://evil.example", "http://localhost:3000", "null"})
    EXPECT_EQ(ask(std::string{"Origin: "} + origin + "\r\n").status, 403) << origin;
  EXPECT_EQ(rows(), 1);
  EXPECT_EQ(ask("Origin: http://localhost:8080\r\n").status, 200);
  EXPECT_EQ(ask("").status, 200);
  EXPECT_EQ(rows(), 3);
}

TEST_F(ServeMethod, ThatReadsTakesNullToo) {
  serve_sqlite(
      "  echo: {parameters: {t: {type: text, default: a}, n: {type: int}}, queries: {x: \"select :t, :n\"}}\n");
  EXPECT_THAT(get("/requests/echo?t&n").body, HasSubstr("[[null,null]]"));
  EXPECT_THAT(get("/requests/echo?t=&n=1").body, HasSubstr("[[\"\",1]]"));
}

} // namespace
