// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf serve` from its start to its end: addresses, access, signals, and reloads.

#include "integration/serve/serve_test.hpp"

#include <atomic>
#include <list>
#include <thread>

namespace {

using namespace sheaf::test;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace json = boost::json;

constexpr const char* one = "  one: {queries: {n: select 1}}\n";
constexpr const char* two = "  two: {queries: {n: select 2}}\n";
const std::string databases =
    "databases: {main: {url: \"sqlite:books.db?mode=rwc\", pool: {max_size: 4}}}\nrequests:\n";

class ServeLife : public ServeTest {
protected:
  /// Tries to start, and gives what it says.
  cli::finished refused(cli::words words, std::map<std::string, std::string> environment = {}) const {
    words.insert(words.begin(), {"serve", path_of("sheaf.yaml")});
    return cli::run_sheaf(words, {.environment = std::move(environment)});
  }

  /// Has it read its file again, waits until its log says what has come of it, and gives that line. Each signal is
  /// waited for: signals that come while one is pending are one with it.
  std::string reload() const {
    service->send(SIGHUP);
    return service->error_line_with("SIGHUP: ");
  }
};

constexpr const char* in_force = "is read again";
constexpr const char* kept = "what was served before is kept";

// -- a log that nobody reads

TEST_F(ServeLife, IsHeldUpByNobodyWhoDoesNotReadItsLog) {
  postgresql_schema schema;
  // Each session that is opened has libpq print a warning to stderr.
  write("passwords", "");
  std::filesystem::permissions(path_of("passwords"), std::filesystem::perms{0644});
  serve("databases: {main: {url: \"" + schema.url("passfile=" + path_of("passwords").string()) +
        "\", pool: {max_size: 4}}}\nrequests:\n" + one);
  http_client c{port};
  for (int i = 0; i < 2000; ++i) // more than a pipe holds
    ASSERT_EQ(c.get("/" + std::string(100, 'x')).status, 404);
  EXPECT_EQ(get("/requests/one").status, 200);
  service->send(SIGTERM);
  EXPECT_TRUE(eventually([&] {
    siginfo_t ended{};
    return waitid(P_PID, static_cast<id_t>(service->id()), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid != 0;
  }));
  EXPECT_THAT(service->finish().err, HasSubstr("xxx"));
}

// -- where, and who

TEST_F(ServeLife, IsReachedFromOtherMachinesOnlyWithProtection) {
  write("sheaf.yaml", databases + one);
  make_certificate();
  write("token", "a-token-of-24-characters\n");
  const cli::words outside{"--listen", "0.0.0.0:0"};
  const auto with = [&](cli::words more) {
    more.insert(more.begin(), outside.begin(), outside.end());
    return more;
  };
  const auto tls = cli::words{"--tls-cert", path_of("cert.pem"), "--tls-key", path_of("key.pem")};
  for (const auto& words : {with({}), with({"--token-file", path_of("token")}), with(tls)}) {
    const auto said = refused(words);
    EXPECT_EQ(said.exit_code, 1);
    EXPECT_THAT(said.err, HasSubstr("--insecure"));
  }
  auto safe = with(tls);
  safe.insert(safe.end(), {"--token-file", path_of("token")});
  for (const auto& words : {safe, with({"--insecure"})}) {
    cli::words all{cli::program(), "serve", path_of("sheaf.yaml")};
    all.insert(all.end(), words.begin(), words.end());
    cli::child c{all};
    EXPECT_THAT(c.read_until("\n"), HasSubstr("://0.0.0.0:"));
  }
}

TEST_F(ServeLife, SaysWhatIsWrongWithItsArguments) {
  write("sheaf.yaml", databases + one);
  write("short", "secret");
  const std::pair<cli::words, const char*> cases[] = {
      {{"--listen", "8080"}, "--listen: 8080 is not an address and a port"},
      {{"--listen", "localhost:70000"}, "is not an address and a port"},
      {{"--listen", "example.org:80"}, "is not an address and a port"},
      {{"--token-file", path_of("short")}, "the token has at least 16"},
      {{"--token-file", path_of("none")}, "--token-file: "},
      {{"--tls-cert", path_of("none")}, "go together"},
      {{"--tls-cert", path_of("none"), "--tls-key", path_of("none")}, "--tls-cert: "},
      {{"--drain", "10"}, "--drain: "},
      {{"--idle-timeout", "0s"}, "--idle-timeout: "},
      {{"--cors-origin", "shop"}, "--cors-origin: shop is no origin"},
      {{"--cors-origin", "https://shop.example/"}, "is no origin"},
      {{"--cors-origin", "*"}, "is no origin"},
      {{"--loops", "5"}, "pool.max_size is 4, less than loops"}};
  for (const auto& [words, why] : cases) {
    const auto said = refused(words);
    EXPECT_EQ(said.exit_code, 1) << why;
    EXPECT_THAT(said.err, HasSubstr(why));
    EXPECT_THAT(said.err, Not(HasSubstr("secret")));
  }
  serve_sqlite(one);
  const auto taken = refused({"--listen", "127.0.0.1:" + std::to_string(port)});
  EXPECT_EQ(taken.exit_code, 2);
  EXPECT_THAT(taken.err, HasSubstr("Address already in use"));
}

TEST_F(ServeLife, AsksForItsToken) {
  const std::string token = "a-token-of-24-characters";
  serve(databases + one, {}, {.environment = {{"SHEAF_TOKEN", token}}});
  const std::string with = "Authorization: Bearer ";
  for (const auto& field : {std::string{}, with + "another-of-24-characters\r\n", with + token + "x\r\n",
                            "Authorization: Basic " + token + "\r\n", with + "\r\n"}) {
    const auto x = get("/requests/one", field);
    EXPECT_EQ(x.status, 401) << field;
    EXPECT_EQ(x.field("www-authenticate"), "Bearer");
  }
  EXPECT_EQ(get("/nothing").status, 401) << "which paths there are, is not told";
  EXPECT_EQ(get("/requests/one", with + token + "\r\n").status, 200);
  EXPECT_EQ(get("/requests/one", "authorization: bearer " + token + "\r\n").status, 200);
  for (const auto* path : {"/", "/docs", "/page.js", "/page.css", "/healthz", "/readyz"})
    EXPECT_EQ(get(path).status, 200) << path;
  for (const auto* path : {"/metrics", "/events", "/api/requests", "/openapi.json"})
    EXPECT_EQ(get(path).status, 401) << path;
  const auto ended = end();
  EXPECT_THAT(ended.err, Not(HasSubstr(token)));
}

TEST_F(ServeLife, LetsNoPageOfAnotherSiteAsk) {
  serve_sqlite(one);
  EXPECT_EQ(get("/requests/one", "Sec-Fetch-Site: cross-site\r\n").status, 403);
  EXPECT_EQ(get("/requests/one", "Sec-Fetch-Site: same-origin\r\n").status, 200);
  EXPECT_EQ(get("/", "Sec-Fetch-Site: cross-site\r\n").status, 200) << "a link leads to the page";
  end();

  serve_sqlite(one, {"--cors-origin", "https://shop.example", "--allow-host", "sheaf.local"});
  const std::string from = "Origin: https://shop.example\r\nSec-Fetch-Site: cross-site\r\n";
  EXPECT_EQ(get("/requests/one", from).field("access-control-allow-origin"), "https://shop.example");
  const auto other = get("/requests/one", "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n");
  EXPECT_EQ(other.status, 403);
  EXPECT_EQ(other.field("access-control-allow-origin"), "");
  const auto asked = http_client{port}.ask("OPTIONS /requests/one HTTP/1.1\r\nHost: sheaf.local:1\r\n" + from +
                                           "Access-Control-Request-Method: POST\r\n\r\n");
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(asked.field("access-control-allow-methods"), "GET, HEAD, POST, OPTIONS");
}

TEST_F(ServeLife, AnswersTheCommandsOfItsDocumentation) {
  const cli::setting here{.directory = folder.path()};
  make_certificate();
  write("token", "a-token-of-24-characters\n");
  cli::run({cli::program(), "init"}, here);
  ASSERT_EQ(cli::run({cli::program(), "run", "sheaf.yaml", "smoke"}, here).exit_code, 0);
  const auto curls = [&](std::string_view place) {
    std::size_t found = 0;
    for (auto line : cli::lines_of(cli::text_of(std::filesystem::path{SHEAF_SOURCE_DIR} / "docs/http.md"))) {
      const auto at = line.find(place);
      if (!line.starts_with("    curl ") || at == line.npos)
        continue;
      line.replace(at + place.find(':') + 1, 4, std::to_string(port));
      const auto done = cli::run({"sh", "-c", line + " --silent --show-error --fail"}, here);
      EXPECT_EQ(done.exit_code, 0) << line << '\n' << done.err;
      EXPECT_THAT(done.out, StartsWith("{\"results\":{\"total\":")) << line;
      ++found;
    }
    return found;
  };
  start({"serve", "sheaf.yaml"}, here);
  EXPECT_EQ(curls("127.0.0.1:8080"), 2);
  end();
  start({"serve", "sheaf.yaml", "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--token-file", "token"}, here);
  EXPECT_EQ(curls("localhost:8443"), 1);
}

// -- signals

class ServeEnds : public ServeLife, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(, ServeEnds, testing::Values(SIGTERM, SIGINT));

TEST_P(ServeEnds, WhenWhatRunsIsAnswered) {
  postgresql_schema schema;
  schema.server("create table t (n int)");
  serve_postgresql(schema, "  wait: {queries: {n: select count(*) from t}}\n");
  http_client idle{port}, waits{port}, asks{port};
  EXPECT_EQ(idle.get("/healthz").status, 200);
  observer lock{schema.url()};
  lock("begin; lock t in access exclusive mode");
  waits.send("GET /requests/wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(eventually([&] {
    return schema.server.number("select count(*) from pg_locks where not granted and relation = 't'::regclass") == 1;
  }));
  asks.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n");
  EXPECT_EQ(get("/readyz").status, 200); // and by now what `asks` has sent has been read

  service->send(GetParam());
  EXPECT_EQ(idle.rest(), "");
  EXPECT_TRUE(eventually([&] { return !http_client{port}.connected(); }));
  const auto not_ready = asks.ask("\r\n");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_EQ(json::parse(not_ready.body).at("code").as_string(), "draining");
  lock("rollback");
  const auto x = waits.receive();
  EXPECT_EQ(x.status, 200);
  EXPECT_EQ(x.field("connection"), "close");
  EXPECT_EQ(service->finish().exit_code, 0);
}

TEST_F(ServeLife, CancelsWhatTakesLongerThanItMay) {
  postgresql_schema schema;
  serve_postgresql(schema, "  slow: {deadline: 100s, queries: {n: select pg_sleep(90)}}\n", {"--drain", "200ms"});
  http_client c{port};
  c.send("GET /requests/slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return schema.running() == 1; }));
  service->send(SIGTERM);
  EXPECT_EQ(c.receive().status, 503);
  EXPECT_EQ(service->finish().exit_code, 0);
  EXPECT_TRUE(eventually([&] { return schema.backends() == 0; }));
}

TEST_F(ServeLife, EndsAtOnceAtTheSecondSignal) {
  postgresql_schema schema;
  serve_postgresql(schema, "  slow: {deadline: 100s, queries: {n: select pg_sleep(90)}}\n", {"--drain", "100s"});
  http_client c{port};
  c.send("GET /requests/slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return schema.running() == 1; }));
  service->send(SIGTERM);
  EXPECT_TRUE(eventually([&] { return !http_client{port}.connected(); }));
  service->send(SIGTERM);
  EXPECT_EQ(service->finish().exit_code, 0);
  EXPECT_TRUE(eventually([&] { return schema.backends() == 0; }));
}

TEST_F(ServeLife, ReadsItsFileAgain) {
  postgresql_schema schema;
  schema.server("create table t (n int)");
  const auto database = "databases: {main: {url: \"" + schema.url() + "\", pool: {max_size: 4}}}\nrequests:\n";
  serve(database + "  wait: {queries: {n: select count(*) from t}}\n" + one);
  http_client idle{port}, waits{port};
  ASSERT_EQ(idle.get("/healthz").status, 200);
  observer lock{schema.url()}; // it goes first, and the lock with it, when the test ends early
  lock("begin; lock t in access exclusive mode");
  waits.send("GET /requests/wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(eventually([&] {
    return schema.server.number("select count(*) from pg_locks where not granted and relation = 't'::regclass") == 1;
  }));

  write("sheaf.yaml", database + two);
  ASSERT_THAT(reload(), HasSubstr(in_force));
  for (int i = 0; i < 50; ++i) { // whichever loop takes it
    ASSERT_EQ(get("/requests/two").status, 200);
    ASSERT_EQ(get("/requests/one").status, 404) << "what the file before would answer at once";
  }
  EXPECT_EQ(idle.get("/requests/two").status, 200) << "on a connection of before";
  waits.send("GET /requests/two HTTP/1.1\r\nHost: localhost\r\n\r\n");
  lock("rollback");
  EXPECT_EQ(waits.receive().status, 200);
  EXPECT_EQ(waits.receive().status, 200) << "it came before the answer to the one before";
  EXPECT_EQ(waits.get("/requests/one").status, 404);
  EXPECT_EQ(end().exit_code, 0);
}

TEST_F(ServeLife, LosesNoRequestWhenItReadsItsFileAgain) {
  serve_sqlite(one, {"--no-access-log"});
  std::atomic<bool> over{false};
  std::atomic<long> answered{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&] {
      http_client c{port};
      while (!over) {
        const auto x = c.post("/requests/one", "{}");
        ASSERT_EQ(x.status, 200) << "after " << answered;
        ASSERT_EQ(x.field("connection"), "");
        ++answered;
      }
    });
  for (int i = 0; i < 8; ++i) {
    const long before = answered;
    EXPECT_THAT(reload(), HasSubstr(in_force));
    EXPECT_TRUE(eventually([&] { return answered > before + 100; }));
  }
  over = true;
  for (auto& x : clients)
    x.join();
}

TEST_F(ServeLife, AnswersWhoHasConnectedBeforeItReadsItsFileAgain) {
  serve_sqlite(one, {"--no-access-log"}); // nobody reads it until all are answered
  for (int round = 0; round < 5; ++round) {
    // While it stands still they all gather in its queue, and the signal with them: it reads the file while it takes
    // them off the queue.
    service->send(SIGSTOP);
    std::list<http_client> clients;
    for (int i = 0; i < 500; ++i)
      clients.emplace_back(port).send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    service->send(SIGHUP);
    service->send(SIGCONT);
    for (auto& c : clients)
      ASSERT_EQ(c.receive().status, 200);
    ASSERT_THAT(service->error_line_with("SIGHUP: "), HasSubstr(in_force));
  }
}

TEST_F(ServeLife, KeepsWhatItServesWhenTheFileIsBad) {
  serve_sqlite(one);
  http_client c{port};
  EXPECT_EQ(c.get("/requests/one").status, 200);
  for (const std::string bad :
       {"databases: {}\n", "no yaml: [", "", "databases: {main: {url: \"postgresql://h\", pol: 1}}"}) {
    write("sheaf.yaml", bad);
    EXPECT_THAT(reload(), HasSubstr(kept)) << bad;
    EXPECT_EQ(c.get("/requests/one").status, 200) << "on the same connection";
  }
  std::filesystem::remove(path_of("sheaf.yaml"));
  EXPECT_THAT(reload(), HasSubstr(kept));
  EXPECT_EQ(c.get("/requests/one").status, 200) << "on the same connection";

  write("sheaf.yaml", databases + two);
  EXPECT_THAT(reload(), HasSubstr(in_force));
  EXPECT_EQ(get("/requests/two").status, 200);
}

TEST_F(ServeLife, TellsWhenADatabaseIsAway) {
  serve("databases: {good: {url: \"sqlite:books.db?mode=rwc\"}, bad: {url: \"postgresql://nobody@127.0.0.1:1/none\"}}\n"
        "requests:\n  one: {queries: {n: {sql: select 1, database: good}}}\n  away: {queries: {n: {sql: select 1, "
        "database: bad}}}\n");
  const auto x = get("/readyz");
  EXPECT_EQ(x.status, 503);
  EXPECT_EQ(json::parse(x.body).at("code").as_string(), "connect_failed");
  for (const auto* id : {"first", "second"}) { // the second is told what is known by now
    const auto asked = get("/readyz", std::string{"X-Request-Id: "} + id + "\r\n");
    EXPECT_EQ(asked.status, 503);
    EXPECT_EQ(asked.field("content-type"), "application/problem+json");
    EXPECT_EQ(asked.field("retry-after"), "1");
    EXPECT_EQ(json::parse(asked.body).at("request_id").as_string(), id);
  }
  EXPECT_EQ(get("/requests/one").status, 200);
  const auto away = get("/requests/away");
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(away.field("retry-after"), "1");
  EXPECT_THAT(away.body, Not(HasSubstr("nobody")));
}

TEST_F(ServeLife, WritesALineForEachRequestAndNoValues) {
  serve_sqlite("  echo: {parameters: {word: {type: text}}, queries: {w: \"select :word as word\"}}\n");
  EXPECT_EQ(get("/requests/echo?word=hush", "X-Request-Id: first\r\n").status, 200);
  EXPECT_EQ(post("/requests/echo", R"({"word": "hush", "wird": 1})", "X-Request-Id: second\r\n").status, 400);
  const auto ended = end();
  EXPECT_THAT(ended.err, Not(HasSubstr("hush")));
  const auto first = logged(ended.err, "first"), second = logged(ended.err, "second");
  for (const auto* key : {"time", "trace_id", "client", "method", "path", "status", "bytes", "duration_ms"})
    EXPECT_TRUE(first.contains(key)) << key;
  EXPECT_EQ(second.at("error").as_string(), "invalid_request");
  serve_sqlite(one, {"--no-access-log"});
  EXPECT_EQ(get("/requests/one", "X-Request-Id: third\r\n").status, 200);
  EXPECT_TRUE(logged(end().err, "third").empty());
}

} // namespace
