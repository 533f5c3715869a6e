// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf serve` among clients that are broken, slow, greedy or hostile: each gets its status, and others are served.

#include "integration/serve/serve_test.hpp"

#include <sys/resource.h>

#include <deque>
#include <regex>

namespace {

using namespace sheaf::test;
using testing::HasSubstr;

namespace json = boost::json;

constexpr const char* one_request = R"(
  pair:
    parameters: {n: {type: int, default: 1}, x: {type: double, default: 1.5}, t: {type: text, default: a}}
    queries: {one: "select :n, :x, :t"}
)";

const std::string host = "Host: localhost\r\n";
const std::string json_type = "Content-Type: application/json\r\n";

struct bad_request {
  std::string name, text;
  int status;
};

std::string get_of(const std::string& target, const std::string& fields = {}) {
  return "GET " + target + " HTTP/1.1\r\n" + host + fields + "\r\n";
}

std::string post_of(const std::string& fields, const std::string& body = {}) {
  return "POST /requests/pair HTTP/1.1\r\n" + host + fields + "\r\n" + body;
}

std::string many_fields(std::size_t bytes) {
  std::string fields;
  while (fields.size() < bytes)
    fields += "X-Field: value\r\n";
  return fields;
}

/// `{}` in so many chunks of one byte, each with an extension.
std::string many_chunks(std::size_t count, const std::string& extension) {
  const auto chunk = [&](char c) { return "1" + (extension.empty() ? "" : ";" + extension) + "\r\n" + c + "\r\n"; };
  auto body = chunk('{');
  for (std::size_t i = 0; i < count; ++i)
    body += chunk(' ');
  return body + chunk('}') + "0\r\n\r\n";
}

class ServeBadInput : public ServeTest {
protected:
  /// Each on a connection of its own, which is closed when nobody knows where the next request would begin.
  void expect(const std::vector<bad_request>& all) const {
    for (const auto& x : all) {
      http_client c{port};
      c.send(x.text);
      const auto got = c.receive();
      EXPECT_EQ(got.status, x.status) << x.name << '\n' << got.head << got.body;
      if (x.status >= 400) {
        EXPECT_EQ(got.field("content-type"), "application/problem+json") << x.name;
        EXPECT_EQ(json::parse(got.body).at("status").as_int64(), x.status) << x.name;
        EXPECT_EQ(json::parse(got.body).at("request_id").as_string(), got.field("x-request-id")) << x.name;
      }
    }
    EXPECT_EQ(get("/requests/pair").status, 200);
  }
};

TEST_F(ServeBadInput, IsRefusedInTheHead) {
  serve_sqlite(one_request);
  expect({
      {"no HTTP", "garbage\r\n\r\n", 400},
      {"TLS", "\x16\x03\x01 hello\r\n\r\n", 400},
      {"a version to come", "GET / HTTP/2.0\r\n" + host + "\r\n", 505},
      {"a version of HTTP/1 that there is not", "GET / HTTP/1.2\r\n" + host + "\r\n", 400},
      {"lines that end in LF alone", "GET /healthz HTTP/1.1\nHost: localhost\n\n", 400},
      {"a field in two lines", get_of("/healthz", "X-Field: a\r\n b\r\n"), 400},
      {"a field in two lines, the second with a tab", get_of("/healthz", "X-Field: a\r\n\tb\r\n"), 400},
      {"a Host behind which another comes", "GET /healthz HTTP/1.1\r\nHost: localhost:80@evil.example\r\n\r\n", 400},
      {"a Host in brackets with more behind", "GET /healthz HTTP/1.1\r\nHost: [::1]evil.example\r\n\r\n", 400},
      {"a Host with a port that there is not", "GET /healthz HTTP/1.1\r\nHost: localhost:99999\r\n\r\n", 400},
      {"two Origins", get_of("/requests/pair", "Origin: http://localhost\r\nOrigin: http://a\r\n"), 400},
      {"our authority with a user before it", "GET http://a@localhost/ HTTP/1.1\r\n" + host + "\r\n", 400},
      {"our authority without a path", "GET http://localhost HTTP/1.1\r\n" + host + "\r\n", 200},
      {"our authority in capitals", "GET HTTP://LOCALHOST/healthz HTTP/1.1\r\n" + host + "\r\n", 200},
      {"empty lines before it", "\r\n\r\n" + get_of("/healthz"), 200},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
      {"another's Host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
      {"another's Host that begins like ours", "GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 421},
      {"another's authority", "GET http://evil.example/ HTTP/1.1\r\n" + host + "\r\n", 421},
      {"our authority", "GET http://localhost:1/healthz HTTP/1.1\r\n" + host + "\r\n", 200},
      {"a field without a colon", get_of("/", "no colon\r\n"), 400},
      {"a blank before the colon", get_of("/", "X-Field : 1\r\n"), 400},
      {"NUL in a field", get_of("/", std::string{"X-Field: a\0b\r\n", 14}), 400},
      {"NUL in a field's name", get_of("/", std::string{"X-Fi\0ld: a\r\n", 12}), 400},
      {"a lone CR in a field", get_of("/", "X-Field: a\rb\r\n"), 400},
      {"a lone LF in a field", get_of("/", "X-Field: a\nHost: b\r\n"), 400},
      {"NUL in the path", get_of(std::string{"/a\0b", 4}), 400},
      {"an escaped NUL in the path", get_of("/requests/pair%00"), 400},
      {"an escaped NUL in a value", get_of("/requests/pair?t=%00"), 400},
      {"an escaped line end in the path", get_of("/requests/pair%0d%0aX-Other:%201"), 400},
      {"a line end in the path", get_of("/requests/pair\r\nX-Other: 1"), 400},
      {"half an escape", get_of("/requests/pair?t=%4"), 400},
      {"no escape", get_of("/requests/pair?t=%zz"), 400},
      {"a path that is not UTF-8", get_of("/requests/%ff"), 400},
      {"no path", get_of("requests"), 400},
      {"a way up", get_of("/../../etc/passwd"), 404},
      {"an escaped way up", get_of("/requests/%2e%2e/%2e%2e/etc/passwd"), 404},
      {"a request that there is not", get_of("/requests/other"), 404},
      {"an unknown method", "BREW /requests/pair HTTP/1.1\r\n" + host + "\r\n", 501},
      {"a method for nobody", "PUT /requests/pair HTTP/1.1\r\n" + host + "\r\n", 405},
      {"a tunnel", "CONNECT localhost:1 HTTP/1.1\r\n" + host + "\r\n", 400},
      {"another expectation", post_of(json_type + "Content-Length: 2\r\nExpect: miracles\r\n"), 417},
      {"8 KiB of fields", get_of("/", many_fields(8 << 10)), 431},
      {"fields without end", "GET / HTTP/1.1\r\n" + many_fields(20 << 10), 431},
      {"a path of 9 KiB", "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n" + host + "\r\n", 414},
  });
}

TEST_F(ServeBadInput, IsRefusedForHowItsBodyComes) {
  serve_sqlite(one_request);
  expect({
      {"a body without a type", post_of("Content-Length: 2\r\n", "{}"), 415},
      {"a form", post_of("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n", "n=1"), 415},
      {"another character set",
       post_of("Content-Type: application/json; charset=latin1\r\nContent-Length: 2\r\n", "{}"), 415},
      {"the usual character set",
       post_of("Content-Type: Application/JSON; charset=UTF-8\r\nContent-Length: 2\r\n", "{}"), 200},
      {"two types", post_of(json_type + "Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}"), 400},
      {"a form without a body", post_of("Content-Type: text/plain\r\nContent-Length: 0\r\n"), 415},
      {"a compressed body", post_of(json_type + "Content-Encoding: gzip\r\nContent-Length: 2\r\n", "{}"), 415},
      {"more than 1 MiB", post_of(json_type + "Content-Length: 1048577\r\n"), 413},
      {"more than 1 MiB in chunks",
       post_of(json_type + "Transfer-Encoding: chunked\r\n", "110000\r\n" + std::string(0x110000, ' ')), 413},
      {"a negative length", post_of(json_type + "Content-Length: -2\r\n", "{}"), 400},
      {"a length beyond all", post_of(json_type + "Content-Length: 99999999999999999999\r\n", "{}"), 400},
      {"no length", post_of(json_type + "Content-Length: two\r\n", "{}"), 400},
      {"two lengths", post_of(json_type + "Content-Length: 2\r\nContent-Length: 3\r\n", "{} "), 400},
      {"the same length twice", post_of(json_type + "Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), 400},
      {"a list of lengths", post_of(json_type + "Content-Length: 2, 2\r\n", "{}"), 400},
      {"chunks with a length", post_of(json_type + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
       400},
      {"a length with chunks", post_of(json_type + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n"),
       400},
      {"another transfer coding", post_of(json_type + "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
      {"a chunk that is none", post_of(json_type + "Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"), 400},
      {"a chunk's extension without end",
       post_of(json_type + "Transfer-Encoding: chunked\r\n", "1;" + std::string(50'000, 'x')), 400},
      {"chunks that are extensions for the most part",
       post_of(json_type + "Transfer-Encoding: chunked\r\n", many_chunks(100, std::string(1000, 'x'))), 400},
      {"chunks of one byte", post_of(json_type + "Transfer-Encoding: chunked\r\n", many_chunks(20'000, "")), 200},
      {"chunks with extensions", post_of(json_type + "Transfer-Encoding: chunked\r\n", many_chunks(3, "a=b")), 200},
      {"fields behind the body that say something else",
       post_of(json_type + "Transfer-Encoding: chunked\r\n",
               "2\r\n{}\r\n0\r\nX-Request-Timeout: never\r\ngrpc-timeout: 0n\r\n\r\n"),
       200},
      {"a trailer without end",
       post_of(json_type + "Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n" + many_fields(50'000)), 400},
      {"chunks", post_of(json_type + "Transfer-Encoding: chunked\r\n", "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), 200},
  });
}

/// When a request's end is in doubt, the bytes behind may be its body: they are never answered as another request.
TEST_F(ServeBadInput, IsNotReadOnWhereItsEndIsInDoubt) {
  serve_sqlite(one_request);
  const std::string hidden = get_of("/requests/pair?n=2", "X-Request-Id: hidden\r\n");
  const auto with = [&](const std::string& fields, const std::string& body = {}) {
    return post_of(json_type + fields, body + hidden);
  };
  std::vector<std::string> all{
      with("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"),
      with("Content-Length: 2, 2\r\n", "{}"),
      with("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
      with("Expect: miracles\r\n"),
      with("Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}"),
      "GET /healthz HTTP/1.1\r\n" + host + "X-Field: a\r\n b\r\n\r\n" + hidden,
      "GET /healthz HTTP/1.1\r\nHost: localhost:80@evil.example\r\n\r\n" + hidden,
      "GET / HTTP/1.2\r\n" + host + "\r\n" + hidden,
      "GET ftp://localhost/ HTTP/1.1\r\n" + host + "\r\n" + hidden,
      "GET /requests/pair HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n" + hidden,
      "GET / HTTP/1.1\r\n" + host + host + "\r\n" + hidden,
      "GET / HTTP/1.1\r\n\r\n" + hidden,
      "GET / HTTP/2.0\r\n" + host + "\r\n" + hidden,
      "BREW /requests/pair HTTP/1.1\r\n" + host + "\r\n" + hidden,
      "POST /requests/pair HTTP/1.0\r\n" + host + "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" +
          hidden,
  };
  for (const auto* coding : {"xchunked", "gzip", "identity", "chunked, identity", "chunked,chunked", "chunked;q=1",
                             "chunked foo", "\"chunked\"", "chunked\t,x", ""})
    all.push_back(with("Transfer-Encoding: " + std::string{coding} + "\r\n"));
  for (const auto& text : all) {
    http_client c{port};
    c.send(text);
    const auto got = c.receive();
    EXPECT_GE(got.status, 400) << text;
    EXPECT_EQ(got.field("connection"), "close") << text;
    EXPECT_EQ(c.rest(), "") << text;
  }
  EXPECT_EQ(get("/requests/pair").status, 200);
}

TEST_F(ServeBadInput, IsRefusedForTheJsonInIt) {
  serve_sqlite(one_request);
  const std::pair<const char*, std::string> cases[] = {
      {"nothing but blanks", "  "},
      {"no object", "[1]"},
      {"a number", "1"},
      {"half an object", "{\"n\": 1"},
      {"more than an object", "{} {}"},
      {"a key twice", R"({"n": 1, "n": 2})"},
      {"a key twice, once escaped", R"({"n": 1, "\u006e": 2})"},
      {"an object within", R"({"n": {"a": 1}})"},
      {"a list in a list", R"({"n": [[1]]})"},
      {"a comment", "{/* */}"},
      {"a comma too many", R"({"n": 1,})"},
      {"invalid UTF-8", "{\"t\": \"\xff\"}"},
      {"half a surrogate pair", R"({"t": "\ud800"})"},
      {"NUL", R"({"t": "a\u0000b"})"},
      {"NaN", R"({"x": NaN})"},
      {"NaN as text", R"({"x": "nan"})"},
      {"infinity", R"({"x": 1e999})"},
      {"infinity as text", R"({"x": "inf"})"},
      {"an integer out of range", R"({"n": 9223372036854775808})"},
      {"a fraction for an integer", R"({"n": 1.5})"},
      {"an exponent for an integer", R"({"n": 1e2})"},
      {"text for an integer", R"({"n": "one"})"},
      {"a number for text", R"({"t": 1})"},
      {"a list for one value", R"({"n": [1]})"},
      {"another name", R"({"m": 1})"},
      {"a million deep", std::string(1'000'000, '[')},
      {"a million deep in a parameter", "{\"n\": " + std::string(1'000'000, '[')},
  };
  http_client c{port};
  for (const auto& [fault, text] : cases) {
    const auto x = c.post("/requests/pair", text);
    EXPECT_EQ(x.status, 400) << fault << x.body;
    EXPECT_EQ(x.field("content-type"), "application/problem+json");
  }
  const auto x = c.post("/requests/pair?shape=rows", R"({"n": -9223372036854775808, "x": 1e-5, "t": "\ud83d\ude00"})");
  EXPECT_EQ(json::serialize(json::parse(x.body).at("results").at("one").at("rows")),
            R"([[-9223372036854775808,1E-5,"😀"]])");
}

TEST_F(ServeBadInput, AnswersRequestsThatComeAtOnceInTheirOrder) {
  serve_sqlite(one_request);
  http_client c{port};
  c.send(get_of("/requests/pair?n=1") + get_of("/nothing") +
         post_of(json_type + "Content-Length: 8\r\n", R"({"n": 2})") + get_of("/healthz") + "GET /requests/pair?n=");
  EXPECT_THAT(c.receive().body, HasSubstr("\"rows\":[[1,"));
  EXPECT_EQ(c.receive().status, 404);
  EXPECT_THAT(c.receive().body, HasSubstr("\"rows\":[[2,"));
  EXPECT_EQ(c.receive().body, "ok\n");
  c.send("3 HTTP/1.1\r\n" + host + "\r\n");
  EXPECT_THAT(c.receive().body, HasSubstr("\"rows\":[[3,"));
}

/// Some clients end a body with a line end that is not of it (RFC 9112, section 2.2).
TEST_F(ServeBadInput, MayHaveEmptyLinesBetweenItsRequests) {
  serve_sqlite(one_request, {"--header-timeout", "3s"});
  http_client c{port};
  c.send(post_of(json_type + "Content-Length: 8\r\n", R"({"n": 2})") + "\r\n" + get_of("/requests/pair?n=3"));
  EXPECT_THAT(c.receive().body, HasSubstr("\"rows\":[[2,"));
  EXPECT_THAT(c.receive().body, HasSubstr("\"rows\":[[3,"));
  c.send(post_of(json_type + "Content-Length: 8\r\n", R"({"n": 4})") + "\r");
  EXPECT_THAT(c.receive().body, HasSubstr("\"rows\":[[4,"));
  EXPECT_EQ(c.ask("\n\r\n" + get_of("/healthz")).status, 200);
  // A line end alone does not begin a request that has to be there in time.
  http_client idle{port};
  idle.send(post_of(json_type + "Content-Length: 8\r\n", R"({"n": 5})") + "\r\n");
  EXPECT_EQ(idle.receive().status, 200);
  http_client late{port}; // by the time that this one is given up, so would be the other
  late.send("GET");
  EXPECT_EQ(late.receive().status, 408);
  EXPECT_EQ(idle.get("/healthz").status, 200);
}

TEST_F(ServeBadInput, SaysGoOnBeforeABodyThatItWillTake) {
  serve_sqlite(one_request);
  http_client c{port};
  c.send(post_of(json_type + "Content-Length: 8\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(c.receive().status, 100);
  EXPECT_THAT(c.ask(R"({"n": 2})").body, HasSubstr("\"rows\":[[2,"));
  EXPECT_EQ(c.get("/healthz").status, 200);

  http_client other{port};
  other.send(post_of("Content-Type: text/plain\r\nContent-Length: 8\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(other.receive().status, 415) << "without a word before";
}

TEST_F(ServeBadInput, IsAnsweredWhenItEndsBeforeItIsWhole) {
  serve_sqlite(one_request);
  for (const auto& text : {post_of(json_type + "Content-Length: 8\r\n", "{\"n\""), std::string{"GET /requests"}}) {
    http_client c{port};
    c.send(text);
    c.close_sending();
    const auto x = c.receive();
    EXPECT_EQ(x.status, 400);
    EXPECT_EQ(x.field("connection"), "close");
  }
}

// -- time

TEST_F(ServeBadInput, IsGivenUpWhenItsHeadOrBodyTakesTooLong) {
  serve_sqlite(one_request, {"--header-timeout", "300ms", "--body-timeout", "300ms"});
  const auto drip = [&](const std::string& begin) {
    // Byte after byte: the whole time counts.
    http_client c{port};
    c.send(begin);
    eventually([&] { return !c.send("x") || c.has_answer(); });
    return c.receive();
  };
  for (const auto& text :
       {std::string{"GET /requests/pair?t="}, post_of(json_type + "Content-Length: 1000000\r\n", "{")}) {
    const auto x = drip(text);
    EXPECT_EQ(x.status, 408);
    EXPECT_EQ(x.field("connection"), "close");
  }
}

TEST_F(ServeBadInput, IsLeftWhenItAsksNothing) {
  serve_sqlite(one_request, {"--idle-timeout", "300ms"});
  http_client silent{port}, used{port};
  EXPECT_EQ(used.get("/healthz").status, 200);
  EXPECT_EQ(silent.rest(), "");
  EXPECT_EQ(used.rest(), "");
}

constexpr const char* large = R"(
  large: {queries: {rows: "with recursive c(i) as (select 1 union all select i + 1 from c where i < 20000)
                           select i, printf('%0500d', i) from c"}}
)";

TEST_F(ServeBadInput, IsLeftWhenItDoesNotReadItsAnswer) {
  serve_sqlite(large, {"--write-timeout", "300ms"});
  http_client slow{port, 4096}, fast{port};
  slow.send(get_of("/requests/large", "X-Request-Id: slow\r\n"));
  EXPECT_GT(fast.get("/requests/large").body.size(), 10'000'000);
  ASSERT_TRUE(slow.read_until("\r\n\r\n"));
  // The service has let go of the client once it has counted the answer.
  EXPECT_TRUE(
      eventually([&] { return get("/metrics").body.find("http_response_status_code=\"499\"") != std::string::npos; }));
  EXPECT_EQ(logged(end().err, "slow").at("status").as_int64(), 499);
}

TEST_F(ServeBadInput, FindsNoRoomForALargeAnswerWhereOthersAreNotRead) {
  serve_sqlite(std::string{large} + "  small: {queries: {n: select 1}}\n", {"--max-unread-bytes", "15000000"});
  {
    http_client slow{port, 4096};
    slow.send(get_of("/requests/large"));
    ASSERT_TRUE(slow.read_until("\r\n\r\n"));
    const auto x = get("/requests/large");
    EXPECT_EQ(x.status, 503);
    EXPECT_EQ(x.field("retry-after"), "1");
    EXPECT_EQ(json::parse(x.body).at("code").as_string(), "too_many_answers");
    EXPECT_EQ(get("/requests/small").status, 200);
  }
  EXPECT_TRUE(eventually([&] { return get("/requests/large").status == 200; }));
}

// -- clients that go

TEST_F(ServeBadInput, GoesAwayAndItsQueriesAreCancelled) {
  postgresql_schema schema;
  serve_postgresql(schema, "  slow: {deadline: 100s, queries: {a: select pg_sleep(90), b: select pg_sleep(90)}}\n");
  for (const int way : {0, 1, 2}) {
    http_client c{port};
    c.send(get_of("/requests/slow") + (way == 2 ? get_of("/healthz") : ""));
    ASSERT_TRUE(eventually([&] { return schema.running() == 2; }));
    if (way == 1)
      c.reset();
    else
      c.close_sending();
    EXPECT_TRUE(eventually([&] { return schema.running() == 0; })) << way;
    if (way != 1) {
      EXPECT_EQ(c.rest(), "");
    }
  }
  EXPECT_EQ(get("/healthz").status, 200);
  const auto ended = end();
  EXPECT_THAT(ended.err, HasSubstr("\"status\":499"));
}

// -- limits

TEST_F(ServeBadInput, IsTurnedAwayWhereThereAreTooManyConnections) {
  serve_sqlite(one_request, {"--max-connections", "3"});
  std::deque<http_client> kept;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(kept.emplace_back(port).get("/healthz").status, 200);
  EXPECT_EQ(http_client{port}.rest(), "");
  kept.pop_back();
  EXPECT_TRUE(eventually([&] { return http_client{port}.get("/healthz").status == 200; }));
  EXPECT_EQ(kept.front().get("/healthz").status, 200);
}

TEST_F(ServeBadInput, IsTurnedAwayWhereItsAddressHasTooManyConnections) {
  serve_sqlite(one_request, {"--max-connections-per-address", "1"});
  http_client first{port};
  EXPECT_EQ(first.get("/healthz").status, 200);
  EXPECT_EQ(http_client{port}.rest(), "");
}

TEST_F(ServeBadInput, IsToldToComeAgainWhereTooManyRequestsRun) {
  postgresql_schema schema;
  serve_postgresql(schema, "  slow: {queries: {a: select pg_sleep(20)}}\n", {"--max-in-flight", "1"});
  http_client first{port};
  first.send(get_of("/requests/slow"));
  ASSERT_TRUE(eventually([&] { return schema.running() == 1; }));
  const auto x = get("/requests/slow");
  EXPECT_EQ(x.status, 429);
  EXPECT_EQ(x.field("retry-after"), "1");
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(ServeBadInput, IsToldToComeAgainWhereTheQueueIsFull) {
  postgresql_schema schema;
  serve_postgresql(schema, "  slow: {queries: {a: select pg_sleep(20)}}\n", {}, "max_size: 1, max_queue_size: 1");
  http_client first{port}, second{port};
  first.send(get_of("/requests/slow"));
  ASSERT_TRUE(eventually([&] { return schema.running() == 1; }));
  second.send(get_of("/requests/slow"));
  ASSERT_TRUE(eventually([&] {
    const auto metrics = get("/metrics").body;
    return std::regex_search(metrics, std::regex{R"(connection_pending_requests\{[^}]*\} 1\n)"});
  }));
  const auto x = get("/requests/slow");
  EXPECT_EQ(x.status, 429);
  EXPECT_EQ(x.field("retry-after"), "1");
  EXPECT_EQ(json::parse(x.body).at("code").as_string(), "pool_queue_full");
}

TEST_F(ServeBadInput, IsToldWhenTheResultIsLargerThanAllowed) {
  serve_sqlite(large, {"--max-response-bytes", "100000"});
  const auto x = get("/requests/large");
  EXPECT_EQ(x.status, 422);
  EXPECT_EQ(json::parse(x.body).at("code").as_string(), "result_too_large");
}

TEST_F(ServeBadInput, ComesTenThousandFold) {
  constexpr std::size_t many = 10'000;
  rlimit descriptors{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
  ASSERT_GT(descriptors.rlim_max, many + 500) << "ulimit -Hn";
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  serve_sqlite(one_request);
  EXPECT_EQ(get("/requests/pair").status, 200);
  [[maybe_unused]] const auto before = memory("VmRSS");
  std::deque<http_client> all;
  for (std::size_t i = 0; i < many; ++i) {
    ASSERT_TRUE(all.emplace_back(port).connected()) << i;
    ASSERT_EQ(all.back().get("/healthz").status, 200) << i;
  }
#ifndef __SANITIZE_ADDRESS__ // whose memory is all that this would measure
  EXPECT_LT(memory("VmRSS") - before, many * (12 << 10)) << "idle, with connections kept";
#endif
  for (std::size_t i = 0; i < many; i += 100)
    all[i].send(i % 200 == 0 ? get_of("/requests/pair") : "GET /req");
  for (std::size_t i = 0; i < many; i += 200)
    EXPECT_EQ(all[i].receive().status, 200) << i;
  EXPECT_EQ(get("/healthz").status, 200);
}

} // namespace
