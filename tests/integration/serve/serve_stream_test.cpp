// SPDX-License-Identifier: BSD-3-Clause
//
// `stream: true`: rows that are sent while their query still runs. All of them, in little memory, at the client's pace;
// and an answer that cannot be finished is never taken for whole.

#include "integration/serve/serve_test.hpp"
#include "support/mib.hpp"

#include <fmt/format.h>

#include <list>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using testing::HasSubstr;
using testing::Not;

namespace json = boost::json;

class ServeStream : public ServeTest {
protected:
  /// Requests for `count` rows with `width` letters each, streamed (`big`) and not (`whole`), beside a small query.
  static std::string requests_for(long count, int width, std::string_view more = {}) {
    const auto q = [&](std::string_view settings) {
      return fmt::format(
          "{{sql: \"select n, repeat('x', {}) as x, 9007199254740993 as wide from generate_series(1, {}) "
          "n\", max_rows: 100000000, max_bytes: 1GiB{}}}",
          width, count, settings);
    };
    return fmt::format("  big: {{deadline: 300s, {}queries: {{rows: {}, small: select 1 as one}}}}\n"
                       "  whole: {{queries: {{rows: {}, small: select 1 as one}}}}\n",
                       more, q(", stream: true"), q(""));
  }

  json::object results_of(const http_answer& x) const { return json::parse(x.body).at("results").as_object(); }

  /// The most memory that the service has had at once since `forget_peak`.
  std::size_t peak() const { return memory("VmHWM"); }
  void forget_peak() const { std::ofstream{fmt::format("/proc/{}/clear_refs", service->id())} << 5; }

  void expect_sessions_at_rest() {
    EXPECT_TRUE(eventually([&] { return schema.running() == 0; }));
    EXPECT_EQ(get("/requests/big?shape=scalar").status, 422); // far too large, when it is not streamed
  }

  postgresql_schema schema;
};

TEST_F(ServeStream, SendsWhatTheWholeAnswerHas) {
  serve_postgresql(schema, requests_for(20'000, 20));
  for (const std::string options : {"?", "?shape=objects", "?numbers=string", "?session=shared"}) {
    const auto streamed = get("/requests/big" + options), whole = get("/requests/whole" + options);
    ASSERT_EQ(streamed.status, 200) << options;
    EXPECT_EQ(streamed.field("transfer-encoding"), "chunked");
    EXPECT_EQ(streamed.field("server-timing"), ""); // it is not known yet
    EXPECT_EQ(results_of(streamed), results_of(whole)) << options;
    EXPECT_EQ(json::parse(streamed.body).at("timing").at("queries").as_object().size(), 2u);
  }
}

TEST_F(ServeStream, SendsTheRowsOfAnSqliteFile) {
  serve_sqlite("  big: {queries: {rows: {sql: \"with recursive s(n) as (select 1 union all select n + 1 from s limit "
               "150000) select n, 'text' from s\", stream: true}}}\n");
  const auto x = get("/requests/big");
  ASSERT_EQ(x.status, 200);
  const auto results = results_of(x);
  const auto& rows = results.at("rows").at("rows").as_array();
  ASSERT_EQ(rows.size(), 150'000u);
  EXPECT_EQ(rows.back(), json::parse(R"([150000, "text"])"));
}

TEST_F(ServeStream, AnswersAFewRowsAsAlways) {
  serve_postgresql(schema, requests_for(10, 10) +
                               "  none: {queries: {rows: {sql: select 1 as n where false, stream: true}}}\n"
                               "  bad: {queries: {rows: {sql: \"select n / 0 from generate_series(1, 9) n\", stream: "
                               "true}}}\n");
  const auto x = get("/requests/big");
  EXPECT_EQ(x.field("content-length"), std::to_string(x.body.size()));
  EXPECT_NE(x.field("server-timing"), "");
  EXPECT_EQ(results_of(x), results_of(get("/requests/whole")));
  EXPECT_EQ(json::serialize(results_of(get("/requests/none"))),
            R"({"rows":{"columns":[{"name":"n","type":"int4"}],"rows":[]}})");
  EXPECT_EQ(get("/requests/bad").status, 422);
}

TEST_F(ServeStream, TakesLittleMemory) {
  serve_postgresql(schema, requests_for(1'000'000, 90));
  ASSERT_EQ(get("/requests/whole").status, 422); // more than an answer may have
  ASSERT_EQ(get("/healthz").status, 200);
  forget_peak();
  const auto before = peak();
  const auto done = cli::run({"curl", "-sS", "--fail", "-w", "%{size_download}", "-o", "rows.json",
                              fmt::format("http://127.0.0.1:{}/requests/big", port)},
                             {.directory = folder.path()});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_GT(std::stoul(done.out), 100 * mib);
#ifdef __SANITIZE_ADDRESS__
  constexpr std::size_t kept_back = 96 * mib; // by the sanitizer, of what was freed
#else
  constexpr std::size_t kept_back = 0;
#endif
  EXPECT_LE(peak() - before, 32 * mib + kept_back);
  std::ifstream file{path_of("rows.json")};
  file.seekg(-200, std::ios::end);
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>{file}, {}), HasSubstr("\"small\""));
}

#ifndef __SANITIZE_ADDRESS__ // which keeps back what is freed
/// What was freed is the allocator's, which would keep it for as long as the service runs.
TEST_F(ServeStream, GivesTheMemoryOfALargeAnswerBack) {
  serve_postgresql(schema, requests_for(90'000, 400));
  EXPECT_EQ(get("/requests/whole?shape=scalar").status, 422);
  const auto before = memory("VmRSS");
  EXPECT_EQ(get("/requests/whole").status, 200);
  EXPECT_GT(memory("VmHWM") - before, 32 * mib);
  EXPECT_TRUE(eventually([&] { return memory("VmRSS") < before + 8 * mib; })) << memory("VmRSS") - before;
}
#endif

TEST_F(ServeStream, WaitsForItsClient) {
  serve_postgresql(schema, requests_for(2'000'000, 100));
  http_client c{port, 4096};
  c.send("GET /requests/big HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(c.read_until("[1,\"xxx"));
  EXPECT_EQ(get("/healthz").status, 200);
  forget_peak();
  const auto before = peak();
  EXPECT_TRUE(eventually([&] { // the server has nobody to send to
    return schema.server.number("select count(*) from pg_stat_activity where wait_event = 'ClientWrite'") == 1;
  }));
  EXPECT_LE(peak() - before, 16 * mib);
  c.reset();
  expect_sessions_at_rest();
}

TEST_F(ServeStream, EndsWithItsClient) {
  serve_postgresql(schema, requests_for(2'000'000, 100));
  http_client c{port};
  c.send("GET /requests/big HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: gone\r\n\r\n");
  ASSERT_TRUE(c.read_until("[1,\"xxx"));
  c.reset();
  expect_sessions_at_rest();
  EXPECT_EQ(logged(end().err, "gone").at("status").as_int64(), 499);
}

TEST_F(ServeStream, IsCutOffWhenALaterRowFails) {
  serve_postgresql(
      schema,
      "  bad: {on_error: partial, queries: {rows: {required: false, sql: \"select repeat('x', 100), 1 / (n - 50000) "
      "from generate_series(1, 100000) n\", stream: true}}}\n" +
          requests_for(1'000'000, 100));
  http_client c{port};
  c.send("GET /requests/bad HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: bad\r\n\r\n");
  const auto all = c.rest(); // the connection ends
  EXPECT_THAT(all, HasSubstr("200 OK"));
  EXPECT_THAT(all, HasSubstr("[[\"xxx"));
  EXPECT_THAT(all, Not(testing::EndsWith("0\r\n\r\n")));
  const auto curl = cli::run({"curl", "-sS", "-o", "rows.json", fmt::format("http://127.0.0.1:{}/requests/bad", port)},
                             {.directory = folder.path()});
  EXPECT_EQ(curl.exit_code, 18) << curl.err; // a part of the file was transferred
  expect_sessions_at_rest();
  const auto line = logged(end().err, "bad");
  EXPECT_EQ(line.at("error").as_string(), "rejected_sql");
  EXPECT_THAT(std::string{line.at("detail").as_string()}, HasSubstr("division by zero"));
}

TEST_F(ServeStream, IsResetForHttp10WhenALaterRowFails) {
  serve_postgresql(schema, "  bad: {queries: {rows: {sql: \"select repeat('x', 100), 1 / (n - 50000) from "
                           "generate_series(1, 100000) n\", stream: true}}}\n");
  http_client c{port};
  c.send("GET /requests/bad HTTP/1.0\r\n\r\n");
  EXPECT_THAT(c.rest(), HasSubstr("200 OK"));
  EXPECT_TRUE(c.was_reset()) << "the end of the connection would be that of the answer";
}

TEST_F(ServeStream, LeavesOthersTheirSessions) {
  serve_postgresql(schema, requests_for(2'000'000, 100));
  std::list<http_client> slow;
  for (int i = 0; i < 2; ++i) {
    slow.emplace_back(port, 4096).send("GET /requests/big HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(slow.back().read_until("[1,\"xxx"));
  }
  const auto refused = get("/requests/big"); // half of the pool's four sessions are streaming
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.field("retry-after"), "1");
  EXPECT_EQ(json::parse(refused.body).at("code").as_string(), "too_many_streams");
  EXPECT_EQ(get("/requests/big?shape=scalar").status, 422) << "that one does not stream";
  slow.clear();
  EXPECT_TRUE(eventually([&] { // their places are free again
    http_client c{port, 4096};
    c.send("GET /requests/big HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return c.read_until("\r\n\r\n") && c.unread().starts_with("HTTP/1.1 200");
  }));
  end();
  serve_postgresql(schema, requests_for(2'000'000, 100), {"--max-streams", "1"});
  http_client one{port, 4096};
  one.send("GET /requests/big HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(one.read_until("[1,\"xxx"));
  EXPECT_EQ(get("/requests/big").status, 429);
}

TEST_F(ServeStream, IsCutOffWhenItsClientIsSlowOnTheWhole) {
  // It takes bytes all the time, but nobody could take them so fast.
  serve_postgresql(schema, requests_for(2'000'000, 100),
                   {"--write-timeout", "300ms", "--min-stream-rate", "1000000000000"});
  http_client c{port, 4096};
  c.send("GET /requests/big HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: slow\r\n\r\n");
  EXPECT_THAT(c.rest(), Not(testing::EndsWith("0\r\n\r\n")));
  expect_sessions_at_rest();
  EXPECT_EQ(logged(end().err, "slow").at("status").as_int64(), 499);
}

TEST_F(ServeStream, IsCutOffAtTheDeadlineWhenItsClientIsSlow) {
  serve_postgresql(schema, requests_for(2'000'000, 100));
  http_client c{port, 4096};
  c.send("GET /requests/big HTTP/1.1\r\nHost: localhost\r\nX-Request-Timeout: 3s\r\nX-Request-Id: slow\r\n\r\n");
  ASSERT_TRUE(c.read_until("[1,\"xxx"));
  expect_sessions_at_rest();
  c.rest();
  EXPECT_EQ(logged(end().err, "slow").at("error").as_string(), "deadline_exceeded");
}

TEST_F(ServeStream, HasOtherQueriesAndTheirErrorsBehindIt) {
  serve_postgresql(schema, "  some: {on_error: partial, queries: {before: select 1 as a, rows: {sql: \"select n, "
                           "repeat('x', 100) from generate_series(1, 50000) n\", stream: true}, bad: {sql: select * "
                           "from nowhere, required: false}}}\n");
  const auto x = get("/requests/some");
  ASSERT_EQ(x.status, 200);
  const auto body = json::parse(x.body).as_object();
  EXPECT_EQ(body.at("results").at("rows").at("rows").as_array().size(), 50'000u);
  EXPECT_EQ(body.at("results").at("before").at("rows"), json::parse("[[1]]"));
  EXPECT_EQ(body.at("results").as_object().size(), 2u);
  EXPECT_EQ(body.at("errors").at("bad").at("code").as_string(), "rejected_sql");
}

TEST_F(ServeStream, IsZippedAsItGoes) {
  serve_postgresql(schema, requests_for(50'000, 50));
  const auto curl = cli::run({"curl", "-sS", "--fail", "--compressed", "-w", "%{size_download}", "-o", "rows.json",
                              fmt::format("http://127.0.0.1:{}/requests/big", port)},
                             {.directory = folder.path()});
  ASSERT_EQ(curl.exit_code, 0) << curl.err;
  std::ifstream file{path_of("rows.json")};
  const std::string text(std::istreambuf_iterator<char>{file}, {});
  EXPECT_LT(std::stoul(curl.out), text.size() / 4);
  EXPECT_EQ(json::parse(text).at("results").as_object(), results_of(get("/requests/whole")));
}

TEST_F(ServeStream, KeepsItsConnection) {
  serve_postgresql(schema, requests_for(20'000, 20));
  http_client c{port};
  for (int i = 0; i < 2; ++i)
    c.send("GET /requests/big HTTP/1.1\r\nHost: localhost\r\n\r\n"
           "HEAD /requests/big HTTP/1.1\r\nHost: localhost\r\n\r\n"
           "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(results_of(c.receive()).at("rows").at("rows").as_array().size(), 20'000u);
    const auto head = c.receive(true);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.field("transfer-encoding"), "chunked");
    EXPECT_EQ(c.receive().body, "ok\n");
  }
}

TEST_F(ServeStream, EndsWithTheConnectionForHttp10) {
  serve_postgresql(schema, requests_for(20'000, 20));
  http_client c{port};
  c.send("GET /requests/big HTTP/1.0\r\n\r\n");
  const auto all = c.rest();
  const auto body = all.substr(all.find("\r\n\r\n") + 4);
  EXPECT_EQ(json::parse(body).at("results").at("rows").at("rows").as_array().size(), 20'000u);
}

TEST_F(ServeStream, IsFinishedBeforeTheServiceEnds) {
  serve_postgresql(schema, requests_for(100'000, 100), {"--drain", "60s"});
  http_client c{port, 4096};
  c.send("GET /requests/big HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(c.read_until("[1,\"xxx"));
  service->send(SIGTERM);
  EXPECT_TRUE(eventually([&] { return !http_client{port}.connected(); }));
  EXPECT_THAT(c.rest(), testing::EndsWith("0\r\n\r\n"));
  EXPECT_EQ(service->finish().exit_code, 0);
}

TEST_F(ServeStream, IsCutOffWhenTheServiceMustEnd) {
  serve_postgresql(schema, requests_for(2'000'000, 100), {"--drain", "200ms"});
  http_client c{port, 4096};
  c.send("GET /requests/big HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(c.read_until("[1,\"xxx"));
  service->send(SIGTERM);
  EXPECT_EQ(service->finish().exit_code, 0);
  EXPECT_TRUE(eventually([&] { return schema.backends() == 0; }));
}

} // namespace
