// SPDX-License-Identifier: BSD-3-Clause
//
// Opening SQLite databases: the files that open, those that do not and why, and the effects on them.

#include "unit/backend/sqlite_client.hpp"

#include "sheaf/backend/sqlite/connection.hpp"

#include <linux/capability.h>
#include <sys/syscall.h>

#include <fstream>
#include <set>

#include <unistd.h>

namespace {

using namespace sheaf;
using namespace std::chrono_literals;

/// As long as it is there, permissions hold for this thread, even when it is root's.
class bound_by_permissions {
public:
  bound_by_permissions() {
    ::syscall(SYS_capget, &header_, before_);
    auto now = before_[0];
    now.effective &= ~(1u << CAP_DAC_OVERRIDE);
    const __user_cap_data_struct both[2]{now, before_[1]};
    EXPECT_EQ(::syscall(SYS_capset, &header_, both), 0);
  }
  ~bound_by_permissions() { ::syscall(SYS_capset, &header_, before_); }

  bound_by_permissions(const bound_by_permissions&) = delete;
  bound_by_permissions& operator=(const bound_by_permissions&) = delete;

private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before_[2]{};
};

class SqliteOpen : public test::SqliteTest {
protected:
  void expect_failure(const std::string& url, std::string_view words) {
    const auto f = open_failure(url);
    EXPECT_EQ(f.code, errc::connect_failed) << f.message;
    EXPECT_EQ(f.phase, phase::connect);
    EXPECT_NE(f.message.find(words), std::string::npos) << f.message;
    EXPECT_EQ(f.message.find(folder.string()), std::string::npos) << f.message;
    EXPECT_FALSE(f.reached_server);
  }
};

TEST_F(SqliteOpen, RefusesAMissingFileSaysHowToCreateItAndCreatesNothing) {
  expect_failure("sqlite:" + path("none.db"), "?mode=rwc");
  expect_failure("sqlite:" + path("none.db") + "?mode=ro", "not there");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(SqliteOpen, CreatesAMissingFileWhenAsked) {
  auto s = open("sqlite:" + path("new.db") + "?mode=rwc");
  rows(*s, "create table t(x)");
  EXPECT_EQ(shell(path("new.db"), "select name from sqlite_schema;"), "t\n");
}

TEST_F(SqliteOpen, RefusesAFileInAMissingFolder) {
  expect_failure("sqlite:" + path("no/new.db") + "?mode=rwc", "folder is missing");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(SqliteOpen, RefusesAFileThatIsNoDatabase) {
  const std::string garbage(10'000, 'x');
  std::ofstream{path("garbage")} << garbage;
  expect_failure("sqlite:" + path("garbage"), "not an SQLite database");
  expect_failure("sqlite:" + path("garbage") + "?mode=rwc", "not an SQLite database");
  std::stringstream left;
  left << std::ifstream{path("garbage")}.rdbuf();
  EXPECT_EQ(left.str(), garbage);
}

TEST_F(SqliteOpen, RefusesAFolder) {
  expect_failure("sqlite:" + folder.string(), "folder");
  expect_failure("sqlite:" + folder.string() + "/?mode=rwc", "folder");
}

TEST_F(SqliteOpen, WaitsForALockNoLongerThanItsTime) {
  shell(path("a.db"), "create table t(x);");
  test::stranger other{path("a.db")};
  other.run("begin exclusive");
  EXPECT_NE(open_failure("sqlite:" + path("a.db"), 50ms).message.find("locked"), std::string::npos);
  other.run("commit");
  open("sqlite:" + path("a.db"));
}

TEST_F(SqliteOpen, FindsFilesWhateverTheirNameIs) {
  for (const std::string name : {"a b", "a=b", "dbname=x y", "a'b", "a\"b", "\"a\"", "100%", "a%41", "#1", "a&b", "a?b",
                                 "Bücher 書", "a\nb", "a+b", ";", "\\"}) {
    shell(path("plain.db"), "create table t as select 42 as x;");
    std::filesystem::rename(path("plain.db"), path(name));
    std::string escaped;
    for (const unsigned char c : path(name)) {
      char code[4];
      std::snprintf(code, sizeof code, "%%%02x", c);
      escaped += code;
    }
    EXPECT_EQ(rows(*open("sqlite://" + escaped + "?mode=ro"), "select x from t").scalar<int>(), 42) << name;
    EXPECT_EQ(rows(*open("sqlite:" + escaped + "?mode=rw"), "select x from t").scalar<int>(), 42) << name;
    if (name.find('?') == name.npos) {
      const auto plain = path(name == "a%41" ? "a%2541" : name);
      EXPECT_EQ(rows(*open("sqlite:" + plain), "select x from t").scalar<int>(), 42) << name;
    }
    wait_for_closed_sessions();
    std::set<std::string> there;
    for (const auto& entry : std::filesystem::directory_iterator{folder})
      there.insert(entry.path().filename());
    EXPECT_EQ(there, std::set{name}); // and no other file came into being
    std::filesystem::remove(path(name));
  }
}

TEST_F(SqliteOpen, KeepsToTheFolderThatARelativePathWasGivenIn) {
  shell(path("a.db"), "create table t as select 7 as x;");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  auto factory = factory_of("sqlite:a.db");
  std::filesystem::current_path(before);
  auto s = std::move(try_open(*factory).value());
  EXPECT_EQ(rows(*s, "select x from t").scalar<int>(), 7);
}

TEST_F(SqliteOpen, PutsAFileIntoWalModeBeforeItsFirstWrite) {
  shell(path("a.db"), "create table t(x);");
  auto s = open("sqlite:" + path("a.db"));
  rows(*s, "select * from t");
  rows(*s, "pragma table_info(t)");
  rows(*s, "explain insert into t values (1)");
  rows(*s, "attach ':memory:' as m");
  query reads = query::of_task("task", [](soci::session& sql) {
    int n = 0;
    sql << "select count(*) from t", soci::into(n);
    return n;
  });
  reads.read_only = true;
  EXPECT_TRUE(std::holds_alternative<std::any>(run(*s, reads)));
  EXPECT_EQ(shell(path("a.db"), "pragma journal_mode;"), "delete\n");
  rows(*s, "insert into t values (1)");
  EXPECT_EQ(shell(path("a.db"), "pragma journal_mode;"), "wal\n");
  s.reset();
  wait_for_closed_sessions();
  EXPECT_EQ(shell(path("a.db"), "pragma journal_mode; select x from t;"), "wal\n1\n");
}

TEST_F(SqliteOpen, PutsAFileIntoWalModeBeforeATaskThatMayWrite) {
  shell(path("a.db"), "create table t(x);");
  auto s = open("sqlite:" + path("a.db"));
  run_task(*s, [](soci::session& sql) { sql << "insert into t values (1)"; });
  EXPECT_EQ(shell(path("a.db"), "pragma journal_mode; select x from t;"), "wal\n1\n");
}

TEST_F(SqliteOpen, KeepsTheJournalThatAFileHas) {
  for (const std::string mode : {"delete", "wal"}) {
    shell(path("a.db"), "pragma journal_mode = " + mode + "; create table if not exists t(x);");
    database_options options;
    options.url = "sqlite:" + path("a.db");
    options.journal_mode = journal_mode::keep;
    const auto factory = make_sqlite_factory(options, *blocking).value();
    auto s = std::move(try_open(*factory).value());
    rows(*s, "insert into t values (1)");
    run_task(*s, [](soci::session& sql) { sql << "insert into t values (2)"; });
    EXPECT_EQ(rows(*s, "pragma journal_mode").scalar<std::string>(), mode);
  }
}

TEST_F(SqliteOpen, LeavesTheJournalToWhoSetsIt) {
  shell(path("a.db"), "create table t(x);");
  auto s = open("sqlite:" + path("a.db"));
  rows(*s, "insert into t values (1)");
  rows(*s, "pragma journal_mode = truncate");
  rows(*s, "insert into t values (2)");
  EXPECT_EQ(rows(*s, "pragma journal_mode").scalar<std::string>(), "truncate");
}

TEST_F(SqliteOpen, LeavesAFileThatIsOnlyReadAsItIs) {
  shell(path("a.db"), "create table t as select 1 as x;");
  auto s = open("sqlite:" + path("a.db") + "?mode=ro");
  EXPECT_EQ(rows(*s, "select x from t").scalar<int>(), 1);
  EXPECT_EQ(shell(path("a.db"), "pragma journal_mode;"), "delete\n");
  const auto f = failure_of(*s, "insert into t values (2)");
  EXPECT_EQ(f.code, errc::permission_denied) << f.message;
}

TEST_F(SqliteOpen, SaysHowToReadAWalFileWhoseFolderCannotBeWritten) {
  using std::filesystem::perms;
  shell(path("w.db"), "pragma journal_mode = wal; create table t as select 7 as x;");
  std::filesystem::permissions(folder, perms{0555});
  for (const std::string mode : {"?mode=ro", "?mode=rw", "?immutable=1"}) {
    const auto database = std::make_shared<sqlite_database>();
    database->url = parse_sqlite_url("sqlite:" + path("w.db") + mode).value();
    database->uri = sqlite_uri(database->url, "");
    const bound_by_permissions now;
    const auto opened = sqlite_connection::open(database, {.give_up = clock::now() + 1min, .engine_ends = {}});
    EXPECT_EQ(opened.has_value(), mode == "?immutable=1") << mode;
    if (opened.has_error()) {
      EXPECT_EQ(opened.error().code, errc::connect_failed);
      EXPECT_NE(opened.error().message.find("?immutable=1"), std::string::npos) << opened.error().message;
    }
  }
  std::filesystem::permissions(folder, perms::owner_all);
  EXPECT_EQ(rows(*open("sqlite:" + path("w.db") + "?immutable=1"), "select x from t").scalar<int>(), 7);
  wait_for_closed_sessions();
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder}, {}), 1); // and no file beside it
}

TEST_F(SqliteOpen, GoesOnWithoutWalWhenAnotherProgramIsInTheWay) {
  shell(path("a.db"), "create table t as select 1 as x;");
  test::stranger reader{path("a.db")};
  reader.run("begin; select * from t");
  auto s = open("sqlite:" + path("a.db"));
  rows(*s, "create temp table other(x)"); // for a write into the file itself the reader would be in the way as well
  EXPECT_EQ(rows(*s, "pragma journal_mode").scalar<std::string>(), "delete");
  reader.run("commit");
  rows(*s, "insert into t values (3)");
  EXPECT_EQ(rows(*s, "pragma journal_mode").scalar<std::string>(), "wal");
  EXPECT_EQ(rows(*s, "select x from t order by x").rows(), 2u);
}

TEST_F(SqliteOpen, OpensManySessionsOfANewFileAtOnce) {
  auto factory = factory_of("sqlite:" + path("new.db") + "?mode=rwc");
  std::vector<std::promise<result<session_ptr>>> opened(8);
  on_loop([&] {
    for (auto& x : opened)
      factory->open(*loop, clock::now() + 1min, [&](result<std::unique_ptr<session>> s) {
        x.set_value(s ? result<session_ptr>{session_ptr{s->release(), {this}}} : result<session_ptr>{s.error()});
      });
  });
  std::set<int> ids;
  for (auto& x : opened) {
    auto s = std::move(x.get_future().get().value());
    rows(*s, "create table if not exists t(x)");
    EXPECT_EQ(rows(*s, "pragma journal_mode").scalar<std::string>(), "wal");
    ids.insert(s->id());
  }
  EXPECT_EQ(ids.size(), 8u);
}

TEST_F(SqliteOpen, SharesADatabaseInMemoryAmongTheSessionsOfOneFactory) {
  auto factory = factory_of("sqlite::memory:");
  auto stranger = open("sqlite::memory:");
  auto a = std::move(try_open(*factory).value()), b = std::move(try_open(*factory).value());
  rows(*a, "create table t(x)");
  rows(*a, "insert into t values (1), (2)");
  EXPECT_EQ(rows(*b, "select count(*) from t").scalar<int>(), 2);
  EXPECT_EQ(failure_of(*stranger, "select * from t").code, errc::rejected_sql);
  for (auto* s : {&a, &b, &stranger})
    s->reset();
  wait_for_closed_sessions();
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(SqliteOpen, KeepsADatabaseInMemoryWhileNoSessionIsOpen) {
  blocking = std::make_unique<blocking_executor>(1); // one after another: the first is closed before the second opens
  auto factory = factory_of("sqlite:any?mode=memory");
  rows(*std::move(try_open(*factory).value()), "create table t as select 5 as x");
  EXPECT_EQ(rows(*std::move(try_open(*factory).value()), "select x from t").scalar<int>(), 5);
  EXPECT_FALSE(std::filesystem::exists("any"));
}

TEST_F(SqliteOpen, LetsSessionsOfADatabaseInMemoryWriteAtOnce) {
  auto factory = factory_of("sqlite::memory:");
  std::vector<session_ptr> sessions;
  for (int i = 0; i < 4; ++i)
    sessions.push_back(std::move(try_open(*factory).value()));
  rows(*sessions[0], "create table t(x)");
  for (int i = 0; i < 50; ++i) {
    std::vector<std::shared_ptr<test::started>> writes;
    for (auto& s : sessions)
      writes.push_back(start(*s, {"q", "insert into t select count(*) from t"}));
    for (auto& w : writes) {
      const auto got = w->future.get().first;
      EXPECT_TRUE(std::holds_alternative<table>(got)) << failure_in(got).message;
    }
  }
  EXPECT_EQ(rows(*sessions[0], "select count(*) from t").scalar<int>(), 200);
}

} // namespace
