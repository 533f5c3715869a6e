// SPDX-License-Identifier: BSD-3-Clause
//
// Accidents of SQLite's files: other processes lock them or die over them, the disk is full, pages are damaged, the
// file is gone.

#include "fault/fault_test.hpp"
#include "fault/sqlite_shell.hpp"

#include <soci/soci.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

#include <unistd.h>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class FaultSqlite : public AnyFault {
protected:
  std::string url() const { return database->engine_options().databases.front().url; }
  std::string file() const { return url().substr(std::string_view{"sqlite:"}.size()); }
  std::string shell(const std::string& sql) const { return sqlite_shell{file()}(sql); }

  void open(std::size_t sessions = 3) { start({.max_size = sessions}); }
  void expect_intact() { EXPECT_EQ(rows("pragma integrity_check").scalar<std::string>(), "ok"); }
  /// Life of a service that writes a hundred rows at a time, and says so when they are committed.
  [[noreturn]] void write_until_killed(int says) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sheaf::engine own{url()};
    const auto hundred_rows =
        request_of({{"q", "with recursive n(i) as (select 1 union all select i + 1 from n limit 100) insert into t "
                          "select i, zeroblob(1000) from n"}});
    while (own.run(hundred_rows).ok() && ::write(says, "x", 1) == 1)
      continue;
    ::_exit(1);
  }

  int count(const std::string& table) { return rows("select count(*) from " + table).scalar<int>(); }
};

INSTANTIATE_TEST_SUITE_P(Databases, FaultSqlite, ::testing::Values(database_kind::sqlite), name_of);

TEST_P(FaultSqlite, LockedForWritingByAnotherProcessIsReadAllTheSame) {
  shell("create table t(x)");
  open();
  rows("delete from t"); // which puts it into WAL mode
  sqlite_shell other{file()};
  other("begin immediate");
  const auto f = refused("insert into t values (1)", 200ms);
  EXPECT_EQ(f.code, errc::deadline_exceeded) << to_string(f);
  EXPECT_EQ(count("t"), 0);
  other.kill(); // its lock goes with it
  rows("insert into t values (2)");
  EXPECT_EQ(count("t"), 1);
  expect_recovery();
}

TEST_P(FaultSqlite, LockedAltogetherByAnotherProcessIsOpenedOnceItIsFree) {
  shell("create table t(x)");
  sqlite_shell other{file()};
  other("begin exclusive");
  open();
  const auto f = refused("select count(*) from t", 200ms);
  EXPECT_EQ(f.code, errc::deadline_exceeded) << to_string(f);
  EXPECT_EQ(f.phase, phase::connect) << to_string(f);
  EXPECT_TRUE(safe_to_retry(f));
  other.kill();
  EXPECT_EQ(count("t"), 0);
  expect_recovery();
}

TEST_P(FaultSqlite, WithoutAPageToSpareRefusesWritesAlone) {
  shell("create table t(x)");
  open(1); // the bound is the session's own
  rows("insert into t values (0)");
  rows("pragma max_page_count = 20");
  const auto f = refused("insert into t values (zeroblob(1000000))");
  EXPECT_EQ(f.code, errc::disk_full) << to_string(f);
  EXPECT_NE(f.message.find("make room"), std::string::npos) << f.message;
  EXPECT_FALSE(is_client_fault(f));
  EXPECT_EQ(count("t"), 1);
  rows("pragma max_page_count = 1000000");
  rows("insert into t values (zeroblob(1000000))");
  EXPECT_EQ(count("t"), 2);
  expect_intact();
  expect_recovery();
}

/// As long as it is there, no file of this process can grow beyond this.
class small_files {
public:
  explicit small_files(rlim_t bytes) {
    ignored_ = std::signal(SIGXFSZ, SIG_IGN); // the write fails instead
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  }
  ~small_files() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, ignored_);
  }

  small_files(const small_files&) = delete;
  small_files& operator=(const small_files&) = delete;

private:
  rlimit before_{};
  void (*ignored_)(int);
};

TEST_P(FaultSqlite, ThatCannotBeWrittenLosesNothing) {
  shell("create table t(x)");
  open();
  rows("insert into t values (0)");
  {
    const small_files now{100'000};
    for (int i = 0; i < 3; ++i) {
      const auto f = refused("insert into t values (zeroblob(1000000))");
      EXPECT_EQ(f.code, errc::in_doubt) << to_string(f); // a new session may find that it was written after all
      EXPECT_EQ(count("t"), 1);
    }
  }
  rows("insert into t values (zeroblob(1000000))");
  EXPECT_EQ(count("t"), 2);
  expect_intact();
  expect_recovery();
}

TEST_P(FaultSqlite, ThatIsOnlyReadRefusesWritesAndSeesThoseOfOthers) {
  shell("create table t(x)");
  auto how = [&](options& o) { o.databases[0].url += "?mode=ro"; };
  start({.max_size = 3}, how);
  for (const auto* write : {"insert into t values (1)", "create table other(x)"}) {
    const auto f = refused(write);
    EXPECT_EQ(f.code, errc::permission_denied) << to_string(f);
    EXPECT_TRUE(is_client_fault(f));
  }
  shell("insert into t values (1)");
  EXPECT_EQ(count("t"), 1);
  expect_recovery();
}

TEST_P(FaultSqlite, WithADamagedPageIsReadAroundIt) {
  shell("create table good as select 1 as x; create table bad(x); insert into bad values (zeroblob(3000))");
  const auto place = (std::stol(shell("select rootpage from sqlite_schema where name = 'bad'")) - 1) *
                     std::stol(shell("pragma page_size"));
  const auto overwrite = [&](const std::string& page) {
    std::fstream{file(), std::ios::in | std::ios::out | std::ios::binary}.seekp(place).write(
        page.data(), static_cast<std::streamsize>(page.size()));
  };
  std::string page(100, '\0');
  std::ifstream{file(), std::ios::binary}.seekg(place).read(page.data(), static_cast<std::streamsize>(page.size()));
  overwrite(std::string(page.size(), '\xff'));
  open();
  const auto f = refused("select * from bad");
  EXPECT_EQ(f.code, errc::internal) << to_string(f);
  EXPECT_NE(f.message.find("malformed"), std::string::npos) << f.message;
  EXPECT_EQ(count("good"), 1);
  overwrite(page);
  shell("insert into good values (2)"); // or the sessions would not look again
  EXPECT_EQ(count("bad"), 1);
  expect_intact();
  expect_recovery();
}

TEST_P(FaultSqlite, ThatIsReplacedIsOpenedAnew) {
  shell("create table t(x)");
  open();
  for (int round = 1; round <= 5; ++round) {
    rows("insert into t values (0)");
    sqlite_shell{file() + ".new"}("create table t as select 1 as x union all select 2");
    std::filesystem::rename(file() + ".new", file());
    const auto x = run(request_of(6, [](int i) { return query{"q" + std::to_string(i), "select count(*) from t"}; }));
    ASSERT_TRUE(x.ok()) << to_string(*x.failure);
    for (const auto& o : x.outcomes)
      EXPECT_EQ(number_in(o), 2);
    rows("insert into t values (3)");
    EXPECT_EQ(shell("select count(*) from t"), "3\n");
  }
  sqlite_shell{file() + ".new"}("create table t(x)");
  const auto x = run(request_of({query::of_task("moves", [&](soci::session& s) {
    s << "insert into t values (4)";
    std::filesystem::rename(file() + ".new", file());
  })}));
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::in_doubt) << to_string(*x.failure);
  EXPECT_EQ(count("t"), 0);
  expect_intact();
  expect_recovery();
}

TEST_P(FaultSqlite, ThatIsDeletedIsMissedAtOnceAndUsedAsSoonAsItIsBack) {
  shell("create table t(x)");
  open(1); // a session that has its files open already
  rows("insert into t values (1)");
  for (const auto* part : {"", "-wal", "-shm"})
    std::filesystem::remove(file() + part);
  for (int i = 0; i < 3; ++i) {
    const auto f = refused("select count(*) from t");
    EXPECT_EQ(f.code, errc::connect_failed) << to_string(f);
    EXPECT_NE(f.message.find("not there"), std::string::npos) << f.message;
    EXPECT_TRUE(safe_to_retry(f));
  }
  EXPECT_FALSE(std::filesystem::exists(file()));
  shell("create table t as select 7 as x");
  EXPECT_TRUE(eventually([&] { return run(request_of({{"q", "select 1"}})).ok(); }));
  EXPECT_EQ(count("t"), 1);
  expect_recovery();
}

TEST_P(FaultSqlite, WhoseWriterIsKilledHasAllThatItCommittedAndNoHalves) {
  shell("create table t(n, x)");
  for (int round = 0; round < 3; ++round) {
    const int before = std::stoi(shell("select count(*) from t"));
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t writer = ::fork();
    if (writer == 0)
      write_until_killed(ends[1]);
    ::close(ends[1]);
    int committed = 0;
    char byte = 0;
    while (committed < 20 && ::read(ends[0], &byte, 1) == 1)
      ++committed;
    EXPECT_EQ(committed, 20);
    ASSERT_EQ(::kill(writer, SIGKILL), 0);
    while (::read(ends[0], &byte, 1) == 1)
      ++committed;
    ::close(ends[0]);
    ASSERT_EQ(::waitpid(writer, nullptr, 0), writer);
    open();
    expect_intact();
    const int now = count("t");
    EXPECT_GE(now, before + committed * 100);
    EXPECT_LE(now, before + (committed + 1) * 100);
    EXPECT_EQ(now % 100, 0);
    expect_recovery();
    engine.reset();
  }
}

} // namespace
