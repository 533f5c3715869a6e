// SPDX-License-Identifier: BSD-3-Clause
//
// Databases that do not let us in: each has its failure, which shows no password, and nothing else is lost with it.

#include "support/postgresql_test.hpp"
#include "support/silent_server.hpp"

#include <fstream>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class Unreachable : public PostgresqlTest {
protected:
  failure failure_at(const std::string& url) {
    open([&](options& how) { how.databases[0].url = url; });
    const auto f = refused("select 1");
    EXPECT_EQ(f.phase, phase::connect) << to_string(f);
    EXPECT_EQ(f.query, "q");
    EXPECT_FALSE(f.reached_server);
    EXPECT_TRUE(safe_to_retry(f));
    EXPECT_EQ(to_string(f).find("hunter2"), std::string::npos) << to_string(f);
    EXPECT_EQ(f.message.find('\n'), std::string::npos);
    EXPECT_EQ(stats().total, 0u);
    return f;
  }
};

TEST_F(Unreachable, ServerThatIsNotThere) {
  silent_server server;
  server.hang_up();
  const auto f = failure_at(fmt::format("postgresql://marvin:hunter2@127.0.0.1:{}/db", server.port()));
  EXPECT_EQ(f.code, errc::connect_failed);
  EXPECT_NE(f.message.find("refused"), std::string::npos) << f.message;
  EXPECT_EQ(failure_at("host=/nowhere password=hunter2 dbname=db").code, errc::connect_failed);
  EXPECT_EQ(failure_at("host=127.0.0.1 port=1,2,3 password=hunter2 dbname=db").code, errc::connect_failed);
}

TEST_F(Unreachable, ServerThatRefusesThePassword) {
  const auto url = environment("SHEAF_TEST_POSTGRES") + " user=sheaf_locked ";
  auto f = failure_at(url + "password=hunter2");
  EXPECT_EQ(f.code, errc::permission_denied) << f.message;
  EXPECT_EQ(f.sqlstate, "28P01");
  f = failure_at(url + "passfile=/dev/null");
  EXPECT_EQ(f.code, errc::permission_denied) << f.message;
}

TEST_F(Unreachable, IsNobodyWithTheRightPassword) {
  for (const auto* login : {" user=sheaf_locked password='right horse'"}) {
    open([&](options& how) { how.databases[0].url = environment("SHEAF_TEST_POSTGRES") + login; });
    EXPECT_EQ(rows("select current_user").scalar<std::string>(), "sheaf_locked");
  }
}

TEST_F(Unreachable, DatabaseAndRoleThatAreNotThere) {
  EXPECT_EQ(failure_at(environment("SHEAF_TEST_POSTGRES") + " dbname=none password=hunter2").code,
            errc::connect_failed);
  EXPECT_EQ(failure_at(environment("SHEAF_TEST_POSTGRES") + " user=nobody password=hunter2").code,
            errc::permission_denied);
}

TEST_F(Unreachable, ServerThatIsFull) {
  const auto role = schema.name() + "_full";
  const auto full = "sheaf_test_full";
  schema.server(fmt::format("create database {} connection limit 1", full));
  {
    observer last_place{environment("SHEAF_TEST_POSTGRES") + " dbname=" + full};
    const auto f = failure_at(environment("SHEAF_TEST_POSTGRES") + " password=hunter2 dbname=" + full);
    EXPECT_EQ(f.code, errc::too_many_connections) << f.message;
    EXPECT_EQ(f.sqlstate, "53300");
    EXPECT_NE(f.message.find("pool.max_size"), std::string::npos) << f.message;
  }
  e.reset();
  EXPECT_TRUE(eventually([&] {
    return schema.server.number(fmt::format("select count(*) from pg_stat_activity where datname = '{}'", full)) == 0;
  }));
  schema.server(fmt::format("drop database {}", full));
}

TEST_F(Unreachable, ServerWithoutAnyPlaceLeft) {
  std::vector<std::unique_ptr<observer>> all;
  EXPECT_THROW(for (;;) all.push_back(std::make_unique<observer>()), std::runtime_error);
  const auto f = failure_at(schema.url("password=hunter2"));
  EXPECT_EQ(f.code, errc::too_many_connections) << f.message;
  EXPECT_EQ(f.sqlstate, "53300");
  // A place comes free: later requests get it.
  all.clear();
  EXPECT_TRUE(eventually([&] { return run("select 1").ok(); }));
}

TEST_F(Unreachable, ServerServesFewerSessionsThanThePoolMayHave) {
  const auto few = "sheaf_test_few";
  schema.server(fmt::format("create database {} connection limit 2", few));
  open([&](options& how) {
    how.databases[0].url = environment("SHEAF_TEST_POSTGRES") + " dbname=" + few;
    how.databases[0].pool.max_size = 10;
  });
  for (int i = 0; i < 5; ++i) {
    const auto x = e->run(request_of(20, [](int n) { return query{"", fmt::format("select {}", n)}; }));
    EXPECT_TRUE(x.ok()) << to_string(*x.failure); // two sessions do it all, and nobody fails for want of the others
  }
  EXPECT_LE(stats().total, 2u);
  e.reset();
  EXPECT_TRUE(eventually([&] {
    return schema.server.number(fmt::format("select count(*) from pg_stat_activity where datname = '{}'", few)) == 0;
  }));
  schema.server(fmt::format("drop database {}", few));
}

TEST_F(Unreachable, DatabaseTakesNothingElseWithIt) {
  temporary_folder folder;
  std::ofstream{folder / "garbage.db"} << std::string(5000, 'x');
  open([&](options& how) {
    how.databases.push_back({.name = "missing", .url = "sqlite:" + folder / "missing.db"});
    how.databases.push_back({.name = "garbage", .url = "sqlite:" + folder / "garbage.db"});
    how.databases.push_back({.name = "elsewhere", .url = "host=/nowhere password=hunter2"});
  });
  auto asked =
      request_of({{"good", "select 1"}, {"missing", "select 2"}, {"garbage", "select 3"}, {"elsewhere", "select 4"}});
  for (auto& q : asked.queries) {
    q.database = q.name == "good" ? "" : q.name;
    q.required = q.name == "good";
  }
  asked.on_error = error_policy::partial;
  const auto x = e->run(std::move(asked));
  EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(number_in(x["good"]), 1);
  for (const auto* name : {"missing", "garbage", "elsewhere"}) {
    ASSERT_TRUE(x[name].error_info()) << name;
    EXPECT_EQ(x[name].error_info()->code, errc::connect_failed) << to_string(*x[name].error_info());
    EXPECT_EQ(x[name].error_info()->phase, phase::connect);
  }
  EXPECT_FALSE(std::ifstream{folder / "missing.db"}.good()); // no typo creates a file
}

} // namespace
