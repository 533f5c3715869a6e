// SPDX-License-Identifier: BSD-3-Clause
//
// The example service over real sockets: its answers, its refusals, and its end.

#include "integration/program/cli_process.hpp"

#include "support/counting.hpp"
#include "support/postgresql_server.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <regex>

namespace {

using namespace sheaf::test;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

struct answer {
  int status = 0;
  std::string head, body;
};

/// A connection that sees each byte of the service.
class client {
public:
  explicit client(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    const timeval patience{.tv_sec = 30, .tv_usec = 0}; // longer than any answer takes
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~client() { ::close(socket_); }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  bool connected() const noexcept { return connected_; }

  void send(std::string_view text) const {
    ASSERT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }

  /// The next answer; `bodiless` is one to HEAD.
  answer receive(bool bodiless = false) {
    while (unread_.find("\r\n\r\n") == unread_.npos)
      if (!read_some())
        throw std::runtime_error("closed without an answer: " + unread_);
    answer x;
    x.head = unread_.substr(0, unread_.find("\r\n\r\n") + 2);
    unread_.erase(0, x.head.size() + 2);
    x.status = std::stoi(x.head.substr(x.head.find(' ')));
    constexpr std::string_view length = "Content-Length: ";
    const auto at = x.head.find(length);
    EXPECT_NE(at, x.head.npos) << x.head;
    const std::size_t size = bodiless ? 0 : std::stoul(x.head.substr(at + length.size()));
    while (unread_.size() < size)
      if (!read_some())
        throw std::runtime_error("closed within an answer: " + x.head + unread_);
    x.body = unread_.substr(0, size);
    unread_.erase(0, size);
    return x;
  }

  answer get(std::string_view target) {
    send("GET " + std::string{target} + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return receive();
  }

  /// The bytes that come until the service closes; then this side is closed, too.
  std::string rest() {
    while (read_some()) {
    }
    ::shutdown(socket_, SHUT_RDWR);
    return unread_;
  }

private:
  bool read_some() {
    char piece[1 << 14];
    const auto got = ::recv(socket_, piece, sizeof piece, 0);
    if (got > 0)
      unread_.append(piece, static_cast<std::size_t>(got));
    return got > 0;
  }

  int socket_;
  bool connected_ = false;
  std::string unread_;
};

class Techempower : public testing::Test {
protected:
  /// A table world in which each number is its id and 7.
  static void make_world(observer& server) {
    server("create table world (id integer primary key, randomnumber integer not null);"
           "insert into world select id, id + 7 from generate_series(1, 10000) id");
  }

  void start(const std::string& conninfo, const cli::words& more = {}) {
    const auto build = std::filesystem::path{cli::program()}.parent_path().parent_path();
    cli::words command{build / "examples/techempower/techempower", "--port=0", "--pool=4", "--conninfo", conninfo};
    command.insert(command.end(), more.begin(), more.end());
    service = std::make_unique<cli::child>(command);
    const auto& said = service->read_until("\n");
    port = std::stoi(said.substr(said.rfind(':') + 1));
  }

  void start_with_world(const cli::words& more = {}) {
    make_world(schema.server);
    start(schema.url(), more);
  }

  cli::finished end(int signal = SIGTERM) {
    service->send(signal);
    return service->finish();
  }

  answer get(std::string_view target) const { return client{port}.get(target); }

  postgresql_schema schema;
  std::unique_ptr<cli::child> service;
  int port = 0;
};

/// The number of rows of `make_world` in the text; nothing when it has anything else.
std::optional<int> rows_in(const std::string& json) {
  boost::json::error_code wrong;
  const auto parsed = boost::json::parse(json, wrong);
  if (wrong || !parsed.is_array())
    return {};
  for (const auto& row : parsed.get_array()) {
    const auto& fields = row.as_object();
    const auto id = fields.at("id").as_int64();
    if (fields.size() != 2 || id < 1 || id > 10000 || fields.at("randomNumber").as_int64() != id + 7)
      return {};
  }
  return static_cast<int>(parsed.get_array().size());
}

TEST_F(Techempower, AnswersWithOneRow) {
  start_with_world();
  const auto x = get("/db");
  EXPECT_EQ(x.status, 200);
  EXPECT_EQ(rows_in('[' + x.body + ']'), 1) << x.body;
  EXPECT_THAT(x.head, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(x.head, HasSubstr("\r\nServer: sheaf\r\n"));
  EXPECT_TRUE(std::regex_search(x.head, std::regex{R"(\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n)"}));
  EXPECT_THAT(x.head, Not(HasSubstr("Connection:")));
  const auto ended = end();
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.err, "");
}

TEST_F(Techempower, AnswersWithAsManyRowsAsAreAskedFor) {
  start_with_world();
  client c{port};
  const std::pair<const char*, int> cases[] = {{"", 1},
                                               {"?", 1},
                                               {"?queries=", 1},
                                               {"?queries=abc", 1},
                                               {"?queries=12abc", 1},
                                               {"?queries=0", 1},
                                               {"?queries=-1", 1},
                                               {"?queries=1", 1},
                                               {"?queries=20", 20},
                                               {"?queries=500", 500},
                                               {"?queries=501", 500},
                                               {"?queries=99999999999999999999", 500},
                                               {"?queries=-99999999999999999999", 1},
                                               {"?a=1&queries=7&b=2", 7},
                                               {"?xqueries=7", 1},
                                               {"?queries", 1}};
  for (const auto& [parameters, rows] : cases) {
    const auto x = c.get("/queries" + std::string{parameters});
    EXPECT_EQ(x.status, 200) << parameters;
    EXPECT_EQ(rows_in(x.body), rows) << parameters << ": " << x.body;
  }
}

TEST_F(Techempower, RefusesOtherPathsAndMethods) {
  start_with_world();
  client c{port};
  EXPECT_EQ(c.get("/").status, 404);
  EXPECT_EQ(c.get("/dbs").status, 404);
  for (const std::string method : {"POST", "PUT", "DELETE", "HEAD", "BREW"}) {
    c.send(method + " /db HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto x = c.receive(method == "HEAD");
    EXPECT_EQ(x.status, 405) << method;
    EXPECT_THAT(x.head, HasSubstr("\r\nAllow: GET\r\n"));
  }
  EXPECT_EQ(c.get("/db").status, 200) << "on the same connection";
}

TEST_F(Techempower, TakesNoBody) {
  start_with_world();
  for (const auto& [method, status] : {std::pair{"GET", 413}, std::pair{"POST", 405}}) {
    client c{port};
    c.send(std::string{method} + " /db HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n");
    c.send(std::string(20000, 'x'));
    const auto x = c.receive();
    EXPECT_EQ(x.status, status);
    EXPECT_THAT(x.head, HasSubstr("\r\nConnection: close\r\n"));
  }
}

TEST_F(Techempower, AnswersRequestsThatComeAtOnceInTheirOrder) {
  start_with_world();
  client c{port};
  const std::string next = " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  c.send("GET /queries?queries=3" + next + "GET /nothing" + next + "GET /db" + next + "GET /queries?que");
  EXPECT_EQ(rows_in(c.receive().body), 3);
  EXPECT_EQ(c.receive().status, 404);
  EXPECT_EQ(rows_in('[' + c.receive().body + ']'), 1);
  c.send("ries=2" + next);
  EXPECT_EQ(rows_in(c.receive().body), 2);
}

TEST_F(Techempower, ClosesWhenTheClientAsksForIt) {
  start_with_world();
  client newer{port}, older{port}, kept{port};
  newer.send("GET /db HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(newer.receive().head, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(newer.rest(), "");
  older.send("GET /db HTTP/1.0\r\n\r\n");
  EXPECT_THAT(older.receive().head, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(older.rest(), "");
  for (int i = 0; i < 2; ++i) {
    kept.send("GET /db HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(kept.receive().head, HasSubstr("\r\nConnection: keep-alive\r\n"));
  }
}

TEST_F(Techempower, RefusesWhatIsNoRequest) {
  start_with_world();
  std::string fields;
  while (fields.size() < 9000)
    fields += "X-Field: value\r\n";
  const std::pair<std::string, int> cases[] = {{"garbage\r\n\r\n", 400},
                                               {"\x16\x03\x01 hello", 400},
                                               {"GET /db HTTP/2.7\r\nHost: localhost\r\n\r\n", 400},
                                               {"GET /db HTTP/1.1\r\n\r\n", 400},
                                               {"GET /db HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
                                               {"GET /db HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400},
                                               {"GET /" + std::string(9000, 'x'), 431},
                                               {"GET /db HTTP/1.1\r\n" + fields, 431}};
  for (const auto& [text, status] : cases) {
    client c{port};
    c.send(text);
    const auto x = c.receive();
    EXPECT_EQ(x.status, status) << text;
    EXPECT_THAT(x.head, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_EQ(c.rest(), "");
  }
  EXPECT_EQ(get("/db").status, 200);
}

TEST_F(Techempower, ClosesConnectionsThatKeepItWaiting) {
  start_with_world({"--idle-seconds=1"});
  client silent{port}, slow{port}, used{port};
  slow.send("GET /db HT");
  EXPECT_EQ(used.get("/db").status, 200);
  EXPECT_EQ(silent.rest(), "");
  EXPECT_EQ(slow.rest(), "");
  EXPECT_EQ(used.rest(), "");
}

TEST_F(Techempower, TellsAboutFailuresToItsOperatorOnly) {
  start(schema.url()); // without the table
  const auto x = get("/queries?queries=3");
  EXPECT_EQ(x.status, 500);
  EXPECT_EQ(x.body, "Internal Server Error\n");
  make_world(schema.server);
  EXPECT_EQ(get("/db").status, 200);
  schema.server("delete from world");
  EXPECT_EQ(get("/db").status, 500);
  const auto ended = end();
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.err, HasSubstr("rejected_sql"));
  EXPECT_THAT(cli::lines_of(ended.err), SizeIs(testing::AllOf(testing::Ge(1u), testing::Le(2u)))); // one a second
}

TEST_F(Techempower, ComesBackWithItsDatabase) {
  const auto database = schema.name() + "_late";
  start(schema.url("dbname=" + database));
  client c{port};
  const auto x = c.get("/db");
  EXPECT_EQ(x.status, 503);
  EXPECT_EQ(x.body, "Service Unavailable\n");

  schema.server("create database " + database);
  observer late{schema.url("dbname=" + database)};
  late(fmt::format("create schema {0}; set search_path = {0}", schema.name()));
  make_world(late);
  EXPECT_TRUE(eventually([&] { return c.get("/db").status == 200; }));

  late("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = "
       "current_database()");
  EXPECT_TRUE(eventually([&] { return c.get("/queries?queries=10").status == 200; }));
  EXPECT_EQ(end().exit_code, 0);
  late = observer{};
  EXPECT_TRUE(eventually([&] {
    return schema.server.number("select count(*) from pg_stat_activity where datname = '" + database + "'") == 0;
  }));
  schema.server("drop database " + database);
}

class TechempowerEnds : public Techempower, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(, TechempowerEnds, testing::Values(SIGTERM, SIGINT));

TEST_P(TechempowerEnds, AnswersWhatIsInFlight) {
  start_with_world();
  client idle{port}, waits{port};
  EXPECT_EQ(idle.get("/db").status, 200);
  observer lock{schema.url()};
  lock("begin; lock world in access exclusive mode");
  waits.send("GET /queries?queries=20 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(eventually([&] {
    return schema.server.number("select count(*) from pg_locks where not granted and relation = 'world'::regclass") > 0;
  }));

  service->send(GetParam());
  EXPECT_EQ(idle.rest(), "");
  EXPECT_TRUE(eventually([&] { return !client{port}.connected(); }));
  lock("rollback");
  const auto x = waits.receive();
  EXPECT_EQ(x.status, 200);
  EXPECT_EQ(rows_in(x.body), 20) << x.body;
  EXPECT_THAT(x.head, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(waits.rest(), "");
  const auto ended = service->finish();
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.err, "");
}

TEST(TechempowerStarts, OnlyWhereItCanListen) {
  const auto build = std::filesystem::path{cli::program()}.parent_path().parent_path();
  const auto program = build / "examples/techempower/techempower";
  cli::child first{{program, "--port=0", "--conninfo", cli::postgres()}};
  const auto& said = first.read_until("\n");
  const auto taken = said.substr(said.rfind(':') + 1, said.rfind('\n') - said.rfind(':') - 1);
  const auto second = cli::run({program, "--port", taken, "--conninfo", cli::postgres()});
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_THAT(second.err, HasSubstr("Address already in use"));
  EXPECT_EQ(cli::run({program, "--pool=1", "--loops=2", "--conninfo", cli::postgres()}).exit_code, 2);
  EXPECT_EQ(cli::run({program}).exit_code, 1);
}

} // namespace
