// SPDX-License-Identifier: BSD-3-Clause
//
// The things that the page looks at: which requests may write, the last requests, plans, and events while something
// runs.

#include "integration/serve/serve_test.hpp"

namespace {

using namespace sheaf::test;
using testing::HasSubstr;
using testing::Not;

namespace json = boost::json;

class ServeLook : public ServeTest {
protected:
  void SetUp() override { schema.server("create table t (n int); insert into t values (1)"); }

  /// What is known of the last request of this id, once it is.
  json::value recent(const std::string& id) const {
    json::value found;
    EXPECT_TRUE(eventually([&] {
      found = json::parse(get("/api/recent?id=" + id).body);
      return found.is_object();
    }));
    return found;
  }

  json::object catalogue() const {
    json::object by_name;
    const auto got = json::parse(get("/api/requests").body);
    for (const auto& x : got.at("requests").as_array())
      by_name[x.at("name").as_string()] = x;
    return by_name;
  }

  postgresql_schema schema;
};

TEST_F(ServeLook, TellsWhichRequestsMayWriteByTheirWords) {
  serve_postgresql(schema, R"yaml(
  read: {about: The rows, queries: {a: select n from t, b: select 2}}
  insert: {queries: {a: select 1, b: insert into t values (2)}}
  lock: {queries: {a: select n from t for update}}
  called: {queries: {a: "select own(1)"}}
  declared: {queries: {a: {sql: "select own(1)", read_only: true}}}
  posted: {method: post, queries: {a: select 1}}
  gotten: {method: get, queries: {a: insert into t values (2)}}
)yaml");
  const auto all = catalogue();
  const std::pair<const char*, const char*> effects[]{
      {"read", "reads"},     {"insert", "writes"},    {"lock", "writes"},  {"called", "may_write"},
      {"declared", "reads"}, {"posted", "may_write"}, {"gotten", "writes"}};
  for (const auto& [name, effect] : effects)
    EXPECT_EQ(all.at(name).at("effect").as_string(), effect) << name;
  EXPECT_EQ(all.at("read").at("about").as_string(), "The rows");
  EXPECT_EQ(all.at("read").at("queries").at(0).at("sql").as_string(), "select n from t");
}

TEST_F(ServeLook, KeepsTheLastRequestsWithTheTimesOfTheirQueries) {
  serve_postgresql(schema, R"yaml(
  both: {on_error: partial, queries: {good: select n from t, bad: {sql: "select 1 / (n - 1) from t", required: false}}}
)yaml");
  EXPECT_EQ(get("/requests/both?session=shared", "X-Request-Id: looked-at\r\n").status, 200);
  const auto x = recent("looked-at");
  EXPECT_EQ(x.at("request").as_string(), "both");
  EXPECT_EQ(x.at("timing").at("session").as_string(), "shared");
  const auto& queries = x.at("timing").at("queries").as_array();
  ASSERT_EQ(queries.size(), 2);
  EXPECT_EQ(queries[0].at("name").as_string(), "good");
  EXPECT_EQ(queries[0].at("rows").as_int64(), 1);
  EXPECT_GE(queries[0].at("times").at("answered_ms").to_number<double>(), 0);
  EXPECT_EQ(queries[1].at("code").as_string(), "rejected_sql");
  EXPECT_THAT(queries[1].at("detail").as_string().c_str(), HasSubstr("division by zero"));
  EXPECT_EQ(get("/api/recent?id=another").body, "null");
}

TEST_F(ServeLook, TellsNothingOfTheDatabaseWhereOthersMayAsk) {
  const auto request = R"yaml(
  bad: {queries: {bad: "select 1 / (n - 1) from t"}}
)yaml";
  for (const cli::words& more :
       {cli::words{"--allow-host", "books.example"}, {"--cors-origin", "https://shop.example"}}) {
    serve_postgresql(schema, request, more);
    EXPECT_EQ(get("/requests/bad", "X-Request-Id: failed\r\n").status, 422);
    recent("failed");
    EXPECT_THAT(get("/api/recent?id=failed").body, Not(HasSubstr("zero")));
    EXPECT_THAT(get("/api/requests").body, Not(HasSubstr("select")));
    EXPECT_EQ(post("/api/explain?request=bad&query=bad", "{}").status, 404);
    end();
  }
}

TEST_F(ServeLook, ExplainsAQueryAndRunsNothing) {
  const auto requests = R"yaml(
  change:
    parameters: {n: {type: int}, all: {type: "int[]", default: [1, 2]}}
    queries:
      add: insert into t values (:n)
      each: {sql: "select :one + n from t where n = :one", for_each: {one: "{all}"}}
      set: set search_path to public
)yaml";
  serve_postgresql(schema, requests);
  const auto ask = [&](const std::string& query, std::string_view body = "{\"n\": 7}") {
    return post("/api/explain?request=change&query=" + query, body);
  };
  EXPECT_THAT(ask("add").body, HasSubstr("Insert on"));
  EXPECT_THAT(ask("each").body, HasSubstr("Scan on"));
  EXPECT_EQ(schema.server.number("select count(*) from t"), 1);
  EXPECT_EQ(ask("add", "{}").status, 400) << "a parameter is missing";
  EXPECT_EQ(ask("none").status, 400);
  EXPECT_GE(ask("set").status, 400);
  EXPECT_EQ(get("/api/explain?request=change&query=add").status, 405);
  EXPECT_EQ(post("/api/explain?request=none&query=add", "{}").status, 404);
  end();

  serve_postgresql(schema, requests, {"--hide-sql"});
  EXPECT_EQ(ask("add").status, 404);
  EXPECT_THAT(get("/api/requests").body, Not(HasSubstr("insert into")));
}

TEST_F(ServeLook, TellsOfThePoolsMoreOftenWhileSomethingRuns) {
  serve_postgresql(schema, "  long: {queries: {a: select pg_sleep(100)}}\n");
  http_client ears{port}, one{port};
  ears.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(ears.read_until("\"recent\":[]}\n\n"));
  EXPECT_THAT(get("/metrics").body, HasSubstr("\nsheaf_http_event_streams 1\n"));
  one.send("GET /requests/long?session=shared HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(ears.read_until("event: now\ndata: {"));
  ASSERT_TRUE(ears.read_until("\"active\":1"));
  one.reset();
}

} // namespace
