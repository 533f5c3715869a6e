// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf serve`: its answers to good requests.

#include "integration/serve/serve_test.hpp"

#include <zlib.h>

#include <regex>

namespace {

using namespace sheaf::test;
using testing::HasSubstr;
using testing::Not;

namespace json = boost::json;

constexpr const char* two_queries = R"(
  pair:
    parameters: {n: {type: int}, names: {type: "text[]", default: [a, b]}}
    queries:
      plus: "select :n + 1 as next, 'x' as letter"
      each: {sql: "select :name as name", for_each: {name: "{names}"}}
  fixed: {queries: {one: select 1}}
)";

class ServeRequest : public ServeTest {
protected:
  json::object results_of(const http_answer& x) {
    EXPECT_EQ(x.status, 200) << x.body;
    return json::parse(x.body).as_object().at("results").as_object();
  }
};

TEST_F(ServeRequest, RunsARequestOfTheFileWithParametersOfTheQueryString) {
  serve_sqlite(two_queries);
  const auto x = get("/requests/pair?n=41&names=K%C3%A4se+%26&names=b%2Bc");
  const auto results = results_of(x);
  EXPECT_EQ(json::serialize(results.at("plus")),
            R"({"columns":[{"name":"next","type":""},{"name":"letter","type":""}],"rows":[[42,"x"]]})");
  EXPECT_EQ(json::serialize(results.at("each[0]").at("rows")), "[[\"Käse &\"]]");
  EXPECT_EQ(json::serialize(results.at("each[1]").at("rows")), R"([["b+c"]])");
  const auto timing = json::parse(x.body).at("timing").as_object();
  EXPECT_EQ(timing.at("queries").as_object().size(), 3);
  EXPECT_EQ(timing.at("queries").at("plus").at("database").as_string(), "main");
  EXPECT_GE(timing.at("elapsed_ms").as_double(), timing.at("queries").at("plus").at("released_ms").as_double());
  EXPECT_TRUE(std::regex_match(x.field("server-timing"),
                               std::regex{R"(db;dur=[\d.]+, overlap;desc="[\d.]+ queries at once")"}));
  EXPECT_EQ(x.field("content-type"), "application/json");
}

TEST_F(ServeRequest, RunsItWithParametersOfAJsonBody) {
  serve_sqlite(two_queries);
  EXPECT_EQ(json::serialize(results_of(post("/requests/pair", R"({"n": 9007199254740993, "names": []})"))),
            R"({"plus":{"columns":[{"name":"next","type":""},{"name":"letter","type":""}],)"
            R"("rows":[[9007199254740994,"x"]]}})");
  EXPECT_EQ(json::serialize(
                results_of(post("/requests/pair?shape=objects", R"({"n": "1", "names": null})")).at("plus").at("rows")),
            R"([{"next":2,"letter":"x"}])");
  EXPECT_EQ(results_of(http_client{port}.ask("POST /requests/fixed HTTP/1.1\r\nHost: localhost\r\n\r\n")).size(), 1)
      << "no parameters, no body";
}

TEST_F(ServeRequest, AnswersAnEmptyListWithNoResultsAndTakesNullForADefault) {
  serve_sqlite(R"(
  each: {parameters: {ids: {type: "int[]", default: []}}, queries: {e: {sql: "select :id as x", for_each: {id: "{ids}"}}}}
  none: {parameters: {n: {type: int, default: null}}, queries: {q: "select :n is null as x"}}
)");
  EXPECT_EQ(results_of(get("/requests/each")).size(), 0);
  EXPECT_EQ(results_of(post("/requests/each", R"({"ids": []})")).size(), 0);
  EXPECT_EQ(json::serialize(results_of(get("/requests/none"))),
            R"({"q":{"columns":[{"name":"x","type":""}],"rows":[[1]]}})");
}

TEST_F(ServeRequest, NamesEachParameterThatItCannotTake) {
  serve_sqlite(two_queries);
  const auto x = get("/requests/pair?n=4x1&nmes=a");
  EXPECT_EQ(x.status, 400);
  EXPECT_EQ(x.field("content-type"), "application/problem+json");
  const auto problem = json::parse(x.body).as_object();
  EXPECT_EQ(json::serialize(problem.at("parameters")),
            R"([{"name":"nmes","reason":"there is no such parameter; did you mean \"names\"?"},)"
            R"({"name":"n","reason":"int takes a whole number of 64 bits"}])");
  EXPECT_EQ(problem.at("status").as_int64(), 400);
  EXPECT_EQ(problem.at("code").as_string(), "invalid_request");
  EXPECT_EQ(problem.at("request_id").as_string(), x.field("x-request-id"));
  EXPECT_THAT(x.body, Not(HasSubstr("4x1"))) << "a value may be a secret";

  for (const auto* target : {"/requests/pair", "/requests/pair?n=1&n=2", "/requests/pair?n=1&shape=round",
                             "/requests/pair?n=1&numbers=roman", "/requests/pair?n=1&session=none"})
    EXPECT_EQ(get(target).status, 400) << target;
  EXPECT_EQ(post("/requests/pair?n=1", R"({"n": 1})").status, 400) << "parameters in two places";
}

TEST_F(ServeRequest, GivesTheShapeThatIsAskedFor) {
  serve_sqlite(R"(
  all:
    queries: {one: select 7, two: "select 1 as a, 2 as a, 9007199254740993 as big"}
  one:
    queries: {one: select 7}
)");
  EXPECT_EQ(json::serialize(results_of(get("/requests/all?shape=objects"))),
            R"({"one":{"columns":[{"name":"7","type":""}],"rows":[{"7":7}]},)"
            R"("two":{"columns":[{"name":"a","type":""},{"name":"a","type":""},{"name":"big","type":""}],)"
            R"("rows":[{"a":1,"a_2":2,"big":9007199254740993}]}})");
  EXPECT_EQ(json::serialize(results_of(get("/requests/one?shape=scalar"))), R"({"one":7})");
  const auto scalar = get("/requests/all?shape=scalar");
  EXPECT_EQ(scalar.status, 422);
  EXPECT_EQ(json::parse(scalar.body).at("code").as_string(), "not_scalar");
  EXPECT_THAT(scalar.body, HasSubstr("that of two is not"));
  EXPECT_THAT(get("/requests/all?numbers=string").body, HasSubstr(R"([1,2,"9007199254740993"])"));
}

TEST_F(ServeRequest, GivesArraysAsLists) {
  postgresql_schema schema;
  serve_postgresql(schema, R"yaml(
  arrays:
    queries:
      q: |
        select array[1,null,3], array[[1,2],[3,4]], array['a,b','c"d\e',null,'NULL','',' ','{}','ä'], '{}'::int[],
          '[0:1]={5,6}'::int[], '[1:1][2:3]={{7,8}}'::int[], array[true,false], array[1.5,'NaN']::float8[],
          array['{"a":[1]}']::jsonb[], array['(2,2),(1,1)','(4,4),(3,3)']::box[], array['2026-01-01'::date],
          array[1.50,123456789012345678.9], array[9007199254740993,1], array[row(1,'a')], '[1,5)'::int4range
  json:
    queries:
      q: |
        select '{"a":[1,2.50,12345678901234567890],"b":"9007199254740993","c":1e500,"d":0.12345678901234567,"e":-7}'::json
)yaml");
  const auto row = [&](const std::string& target) {
    const auto x = get(target);
    const auto from = x.body.find("\"rows\":[[") + 8;
    return x.body.substr(from, x.body.find("]]}", from) + 1 - from);
  };
  EXPECT_EQ(
      row("/requests/arrays"),
      R"j([[1,null,3],[[1,2],[3,4]],["a,b","c\"d\\e",null,"NULL",""," ","{}","ä"],[],[5,6],[[7,8]],[true,false],)j"
      R"j([1.5,"NaN"],[{"a": [1]}],["(2,2),(1,1)","(4,4),(3,3)"],["2026-01-01"],[1.50,123456789012345678.9],)j"
      R"j([9007199254740993,1],["(1,a)"],"[1,5)"])j");
  EXPECT_THAT(row("/requests/arrays?numbers=string"),
              HasSubstr(R"j(["2026-01-01"],["1.50","123456789012345678.9"],["9007199254740993",1])j"));
  EXPECT_THAT(row("/requests/arrays?arrays=text"), HasSubstr(R"j("{}","[0:1]={5,6}","[1:1][2:3]={{7,8}}","{t,f}")j"));
  EXPECT_THAT(row("/requests/json"), HasSubstr(R"j("c":1e500)j"));
  EXPECT_EQ(
      row("/requests/json?numbers=string"),
      R"j([{"a":[1,2.50,"12345678901234567890"],"b":"9007199254740993","c":"1e500","d":"0.12345678901234567","e":-7}])j");
}

TEST_F(ServeRequest, TellsMistakesInItsFileFromValuesThatDoNotFit) {
  constexpr const char* requests = R"yaml(
  mistaken: {queries: {n: select * from nowhere}}
  divided: {parameters: {by: {type: int}}, queries: {n: "select 1 / :by"}}
  negated: {parameters: {n: {type: int}}, queries: {n: "select abs(cast(:n as bigint))"}}
)yaml";
  postgresql_schema schema;
  for (const bool on_sqlite : {true, false}) {
    if (on_sqlite)
      serve_sqlite(requests);
    else
      serve_postgresql(schema, requests);
    EXPECT_EQ(get("/requests/mistaken").status, 500) << on_sqlite;
    EXPECT_EQ(get("/requests/divided?by=0").status, on_sqlite ? 200 : 422); // which is NULL for SQLite
    EXPECT_EQ(get("/requests/negated?n=-9223372036854775808").status, 422) << on_sqlite;
    EXPECT_EQ(end().exit_code, 0);
  }
}

TEST_F(ServeRequest, TellsOfEachQueryThatFailedWithoutItsDetails) {
  postgresql_schema schema;
  serve_postgresql(schema, R"(
  some:
    on_error: partial
    queries: {good: select 1, bad: {sql: select 1 / 0 as secret_column, required: false}}
  all: {queries: {bad: select 1 / 0 as secret_column}}
)");
  const auto x = get("/requests/some");
  EXPECT_EQ(results_of(x).size(), 1);
  EXPECT_EQ(json::serialize(json::parse(x.body).at("errors")),
            R"({"bad":{"code":"rejected_sql","message":"the database refuses the statement with these values",)"
            R"("phase":"execute"}})");
  const auto all = get("/requests/all", "X-Request-Id: find-me\r\n");
  EXPECT_EQ(all.status, 422);
  EXPECT_EQ(json::parse(all.body).at("code").as_string(), "rejected_sql");
  EXPECT_THAT(all.body, Not(HasSubstr("division")));
  const auto line = logged(end().err, "find-me");
  EXPECT_EQ(line.at("path").as_string(), "/requests/all");
  EXPECT_EQ(line.at("status").as_int64(), 422);
  EXPECT_THAT(std::string{line.at("detail").as_string()}, HasSubstr("division by zero"));
}

TEST_F(ServeRequest, AnswersWithWhatCameInTimeUnderPartial) {
  postgresql_schema schema;
  serve_postgresql(schema, R"(
  some:
    on_error: partial
    deadline: 3s
    queries: {quick: select 1, slow: {sql: select pg_sleep(86400), required: false}}
)");
  const auto x = get("/requests/some");
  EXPECT_EQ(x.status, 200) << x.body;
  EXPECT_EQ(results_of(x).size(), 1);
  EXPECT_EQ(json::parse(x.body).at("errors").at("slow").at("code").as_string(), "deadline_exceeded");
}

TEST_F(ServeRequest, AnswersALargeResultInChunks) {
  serve_sqlite(R"(
  many:
    parameters: {n: {type: int}}
    queries:
      rows: "with recursive c(i) as (select 1 union all select i + 1 from c where i < :n) select i, 'row ' || i from c"
)");
  http_client c{port};
  const auto x = c.get("/requests/many?n=50000");
  EXPECT_EQ(x.field("transfer-encoding"), "chunked");
  const auto results = results_of(x);
  const auto& rows = results.at("rows").at("rows").as_array();
  ASSERT_EQ(rows.size(), 50000);
  EXPECT_EQ(json::serialize(rows.back()), R"([50000,"row 50000"])");
  EXPECT_EQ(c.get("/requests/many?n=1").field("content-length").empty(), false) << "on the same connection";

  http_client old{port};
  old.send("GET /requests/many?n=50000 HTTP/1.0\r\n\r\n");
  const auto whole = old.receive();
  EXPECT_EQ(whole.field("transfer-encoding"), "");
  EXPECT_EQ(whole.field("connection"), "close");
  EXPECT_EQ(results_of(whole).at("rows").at("rows").as_array().size(), 50000);
}

std::string unzipped(const std::string& text) {
  z_stream z{};
  EXPECT_EQ(inflateInit2(&z, 15 + 16), Z_OK);
  std::string out(1 << 24, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  inflateEnd(&z);
  return out;
}

TEST_F(ServeRequest, CompressesWhatIsLongForThoseWhoTakeIt) {
  serve_sqlite(R"(
  many:
    parameters: {n: {type: int}}
    queries:
      rows: "with recursive c(i) as (select 1 union all select i + 1 from c where i < :n) select i, 'row ' || i from c"
)");
  for (const auto* n : {"500", "50000"}) {
    const auto target = std::string{"/requests/many?n="} + n;
    const auto x = get(target, "Accept-Encoding: br, gzip;q=0.8\r\n");
    EXPECT_EQ(x.field("content-encoding"), "gzip");
    EXPECT_EQ(x.field("vary"), "Accept-Encoding");
    EXPECT_EQ(json::parse(unzipped(x.body)).at("results").at("rows").at("rows").as_array().size(), std::stoul(n));
    EXPECT_EQ(get(target, "Accept-Encoding: gzip;q=0\r\n").field("content-encoding"), "");
  }
  EXPECT_EQ(get("/requests/many?n=1", "Accept-Encoding: gzip\r\n").field("content-encoding"), "") << "not worth it";
}

TEST_F(ServeRequest, GoesOnWithTheCallersTraceAndId) {
  serve_sqlite(two_queries);
  const auto x = get("/requests/fixed", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
                                        "X-Request-Id: order-4711\r\n");
  EXPECT_EQ(x.field("x-request-id"), "order-4711");
  EXPECT_TRUE(
      std::regex_match(x.field("traceresponse"), std::regex{"00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01"}));
  const auto other = get("/requests/fixed", "traceparent: 00-0AF7-b7ad6b7169203331-01\r\nX-Request-Id: a \"b\r\n");
  EXPECT_TRUE(std::regex_match(other.field("traceresponse"), std::regex{"00-[0-9a-f]{32}-[0-9a-f]{16}-00"}));
  EXPECT_TRUE(std::regex_match(other.field("x-request-id"), std::regex{"[0-9a-f]{16}"}));
  const auto line = logged(end().err, "order-4711");
  EXPECT_EQ(line.at("trace_id").as_string(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(line.at("method").as_string(), "GET");
}

TEST_F(ServeRequest, EndsByTheDeadlineThatTheCallerAsksFor) {
  postgresql_schema schema;
  serve_postgresql(schema,
                   "  slow: {queries: {sleep: select pg_sleep(60)}}\n  short: {deadline: 200ms, queries: {sleep: "
                   "select pg_sleep(60)}}\n");
  for (const auto* field : {"X-Request-Timeout: 200ms\r\n", "grpc-timeout: 200m\r\n"}) {
    const auto x = get("/requests/slow", field);
    EXPECT_EQ(x.status, 504) << field;
    EXPECT_EQ(json::parse(x.body).at("code").as_string(), "deadline_exceeded");
  }
  EXPECT_EQ(get("/requests/short", "X-Request-Timeout: 60s\r\n").status, 504) << "never longer than the file's";
  for (const auto* field : {"X-Request-Timeout: 200\r\n", "grpc-timeout: 200\r\n", "grpc-timeout: 0S\r\n"})
    EXPECT_EQ(get("/requests/slow", field).status, 400) << field;
}

TEST_F(ServeRequest, AnswersHeadAndOptions) {
  serve_sqlite(two_queries);
  http_client c{port};
  c.send("HEAD /requests/fixed HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto head = c.receive(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_GT(std::stoi(head.field("content-length")), 100);
  const auto options = c.ask("OPTIONS /requests/fixed HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.field("allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(c.ask("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 204);
  const auto other = c.ask("DELETE /requests/fixed HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(other.status, 405);
  EXPECT_EQ(other.field("allow"), "GET, HEAD, POST, OPTIONS");
  const auto posted = c.post("/healthz", "{}");
  EXPECT_EQ(posted.status, 405);
  EXPECT_EQ(posted.field("allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(posted.field("connection"), "close") << "a body that nobody read";
}

TEST_F(ServeRequest, TellsABrowserToKeepAndGuessNothing) {
  serve_sqlite(two_queries);
  for (const auto* target : {"/", "/healthz", "/requests/fixed", "/nothing"}) {
    const auto x = get(target);
    EXPECT_EQ(x.field("x-content-type-options"), "nosniff") << target;
    EXPECT_EQ(x.field("cache-control"), "no-store") << target;
    EXPECT_THAT(x.field("content-security-policy"), HasSubstr("default-src 'none'")) << target;
    EXPECT_EQ(x.field("access-control-allow-origin"), "") << target;
  }
}

// -- the demo

class ServeDemo : public ServeTest {
protected:
  void SetUp() override { start({"serve", "--rows", "1000"}); }
};

TEST_F(ServeDemo, CountsBooksOnASessionEachOrOnOne) {
  const auto total = get("/total_books?shape=scalar");
  EXPECT_EQ(total.status, 200);
  EXPECT_GT(json::parse(total.body).at("results").at("total").as_int64(), 0);
  EXPECT_LT(json::parse(total.body).at("results").at("total").as_int64(), 1000);
  for (const auto* target : {"/multiple_counts", "/requests/multiple_counts"})
    EXPECT_EQ(json::parse(get(target).body).at("results").as_object().size(), 3) << target;

  // On one session a query begins when the one before has given it back.
  const auto shared = json::parse(get("/multiple_counts?session=shared").body);
  std::vector<std::pair<double, double>> spans;
  for (const auto& q : shared.at("timing").at("queries").as_object())
    spans.emplace_back(q.value().at("acquired_ms").as_double(), q.value().at("released_ms").as_double());
  std::sort(spans.begin(), spans.end());
  ASSERT_EQ(spans.size(), 3);
  for (std::size_t i = 1; i < spans.size(); ++i)
    EXPECT_GE(spans[i].first, spans[i - 1].second);
}

/// The types that a client is generated from.
TEST_F(ServeRequest, DescribesTheColumnsOfAQueryOnceItHasRun) {
  const postgresql_schema schema;
  serve_postgresql(schema, R"(
  typed:
    on_error: partial
    parameters: {ids: {type: "int[]", default: [1, 2]}}
    queries:
      row: "select 1 as a, 2::int8 as b, 1.5 as b, true as d, '{}'::json as e, array[1] as f, now() as g"
      one: select 7 as n
      later: {sql: "select * from not_yet", required: false}
      each: {sql: "select :x::int as x", for_each: {x: "{ids}"}}
)");
  const auto schema_of = [&](std::string_view query) {
    const auto all = json::parse(get("/openapi.json").body);
    return json::serialize(all.at("paths")
                               .at("/requests/typed")
                               .at("get")
                               .at("responses")
                               .at("200")
                               .at("content")
                               .at("application/json")
                               .at("schema")
                               .at("properties")
                               .at("results")
                               .at("properties")
                               .at(query));
  };
  const std::string unknown = R"({"$ref":"#/components/schemas/Result"})";
  EXPECT_EQ(post("/api/explain?request=typed&query=row", "{}").status, 200); // a plan is no result of the query
  for (const auto* query : {"row", "one", "later"})
    EXPECT_EQ(schema_of(query), unknown);
  EXPECT_EQ(get("/requests/typed").status, 200);
  EXPECT_THAT(schema_of("row"),
              HasSubstr(R"("prefixItems":[{"type":["integer","null"]},{"type":["integer","string","null"]},)"
                        R"({"type":["number","string","null"]},{"type":["boolean","null"]},{},)"
                        R"({"type":["array","string","null"],"items":{}},{"type":["string","null"]}],)"
                        R"("items":false,"minItems":7,"maxItems":7)"));
  EXPECT_THAT(schema_of("row"), HasSubstr(R"("required":["a","b","b_2","d","e","f","g"])"));
  EXPECT_THAT(schema_of("row"), testing::Not(HasSubstr("scalar")));
  EXPECT_THAT(schema_of("one"), HasSubstr(R"("title":"scalar","description":"The only value","allOf":[{"type":)"
                                          R"(["integer","null"]}])"));
  EXPECT_EQ(schema_of("later"), unknown);
}

TEST_F(ServeDemo, ListsItsRequestsAndDescribesThem) {
  const auto list = json::parse(get("/api/requests").body).at("requests").as_array();
  ASSERT_EQ(list.size(), 3);
  EXPECT_EQ(list[2].at("path").as_string(), "/requests/author");
  EXPECT_EQ(json::serialize(list[2].at("parameters").at(1)),
            R"({"name":"limit","type":"int","required":false,"default":10})");
  const auto api = json::parse(get("/openapi.json").body).as_object();
  EXPECT_EQ(api.at("openapi").as_string(), "3.1.0");
  EXPECT_EQ(api.at("paths").at("/requests/author").at("post").at("operationId").as_string(), "post_author");
  EXPECT_THAT(get("/").body, HasSubstr("src=\"/page.js\"></script>"));
  EXPECT_EQ(get("/page.js").field("content-type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(get("/page.css").field("content-type"), "text/css; charset=utf-8");
  EXPECT_EQ(get("/docs").field("content-type"), "text/html; charset=utf-8");
}

TEST_F(ServeDemo, TellsItsPageEachSecondWhatHappens) {
  EXPECT_EQ(get("/total_books", "X-Request-Id: seen\r\n").status, 200);
  http_client c{port};
  c.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(c.read_until("event: history\ndata: ["));
  ASSERT_TRUE(c.read_until("\"id\":\"seen\"")) << c.unread();
  ASSERT_TRUE(c.read_until("]}\n\n"));
  const auto begin = c.unread().rfind("data: {", c.unread().find("\"id\":\"seen\"")) + 6;
  const auto event = json::parse(c.unread().substr(begin, c.unread().find("\n\n", begin) - begin));
  EXPECT_EQ(event.at("pools").at(0).at("database").as_string(), "main");
  double share = 0;
  for (const auto& x : event.at("statements").as_array())
    share += x.at("share").to_number<double>();
  EXPECT_NEAR(share, 1, 0.01);
  EXPECT_EQ(event.at("recent").at(0).at("request").as_string(), "total_books");
  EXPECT_EQ(event.at("minutes").at("requests").as_int64(), 1);
  EXPECT_EQ(end().exit_code, 0) << "with the stream open";
}

TEST_F(ServeDemo, CountsForPrometheus) {
  EXPECT_EQ(get("/total_books").status, 200);
  EXPECT_EQ(get("/nothing").status, 404);
  http_answer x; // an answer is counted when it is written, and another loop may be asked
  const auto has = [&](const std::string& line) { return x.body.find(line) != x.body.npos; };
  EXPECT_TRUE(eventually([&] {
    x = get("/metrics");
    return has("http_server_request_duration_seconds_count{http_request_method=\"GET\",http_response_status_code="
               "\"200\","
               "http_route=\"/total_books\",url_scheme=\"http\"} 1\n") &&
           has("http_response_status_code=\"404\",http_route=\"\",url_scheme=\"http\"} 1\n");
  })) << x.body;
  EXPECT_TRUE(has("\nhttp_server_active_requests 0\n"));
  EXPECT_EQ(x.field("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  write("metrics", x.body);
  const auto said = cli::run({"sh", "-c", "promtool check metrics < metrics"}, {.directory = folder.path()});
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_EQ(said.err + said.out, "");
}

} // namespace
