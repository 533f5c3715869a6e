// SPDX-License-Identifier: BSD-3-Clause
//
// The answers that are made of the values a C++ task returns and of the exceptions it throws.

#include "sheaf/backend/postgresql/task_error.hpp"
#include "sheaf/backend/soci_task.hpp"
#include "sheaf/backend/sqlite/task_error.hpp"
#include "sheaf/table_builder.hpp"

#include "sheaf/base/error_text.hpp"

#include <gtest/gtest.h>

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <any>
#include <stdexcept>

namespace {

using namespace sheaf;

class SociTask : public ::testing::Test {
protected:
  template <class F>
  answer run(F f, task_error_reader read = read_sqlite_task_error) {
    return run_task(query::of_task("q", std::move(f)).run, session, read);
  }

  /// The failure that `f` ends with.
  template <class F>
  failure thrown(F f, task_error_reader read = read_sqlite_task_error) {
    auto x = run(std::move(f), read);
    const auto* why = std::get_if<failure>(&x);
    EXPECT_TRUE(why);
    return why ? *why : failure{};
  }

  soci::session session{soci::sqlite3, "dbname=:memory:"};
};

TEST_F(SociTask, ReturnsAnyValue) {
  auto x = run([](soci::session& s) {
    int n = 0;
    s << "select 40 + 2", soci::into(n);
    return n;
  });
  EXPECT_EQ(std::any_cast<int>(std::get<std::any>(x)), 42);
  EXPECT_FALSE(std::get<std::any>(run([](soci::session&) {})).has_value());
}

TEST_F(SociTask, ReturnsATableAsATable) {
  auto x = run([](soci::session&) {
    table_builder rows{{column{.name = "n"}}};
    rows.add_integer(7);
    return rows.finish();
  });
  EXPECT_EQ(std::get<table>(x).scalar<int>(), 7);
}

TEST_F(SociTask, PassesOurOwnFailuresOn) {
  const auto f = thrown([](soci::session&) {
    throw error({.code = errc::permission_denied, .phase = phase::fetch, .message = "not you"});
  });
  EXPECT_EQ(f.code, errc::permission_denied);
  EXPECT_EQ(f.phase, phase::fetch);
  EXPECT_EQ(f.message, "not you");
}

TEST_F(SociTask, GivesSqliteErrorsTheirCodeAndNoValue) {
  auto f = thrown([](soci::session& s) { s << "selec 1"; });
  EXPECT_EQ(f.code, errc::rejected_sql);
  EXPECT_EQ(f.message, "near \"selec\": syntax error");
  f = thrown([](soci::session& s) {
    s << "create table t(secret_free unique)";
    const std::string value = "hunter2";
    for (int i = 0; i < 2; ++i)
      s << "insert into t values (:v)", soci::use(value);
  });
  EXPECT_EQ(f.code, errc::constraint_violated);
  EXPECT_EQ(f.message, "UNIQUE constraint failed: t.secret_free");
  EXPECT_TRUE(f.reached_server);
  f = thrown([](soci::session& s) {
    s << "create virtual table words using fts5(word)";
    const std::string value = "\"a\" ^hunter2\" : (";
    s << "select count(*) from words where words match :v", soci::use(value);
  });
  EXPECT_EQ(f.code, errc::rejected_sql);
  EXPECT_EQ(f.message.find("hunter2"), std::string::npos) << f.message;
}

// The texts are those of SOCI 4.0.3 with PostgreSQL 15.
TEST_F(SociTask, GivesPostgresqlErrorsTheirSqlstateAndNoDetail) {
  const auto refused = [this](auto f) { return thrown(std::move(f), read_postgresql_task_error); };
  auto f = refused([](soci::session&) {
    throw soci::postgresql_soci_error("Cannot execute query. Fatal error. ERROR:  duplicate key value violates unique "
                                      "constraint \"t_pkey\"\nDETAIL:  Key (id)=(hunter2) already exists.\n",
                                      "23505");
  });
  EXPECT_EQ(f.code, errc::constraint_violated);
  EXPECT_EQ(f.sqlstate, "23505");
  EXPECT_EQ(f.message, "duplicate key value violates unique constraint \"t_pkey\"");
  f = refused([](soci::session&) {
    throw soci::postgresql_soci_error(
        "Cannot execute query. Fatal error. ERROR:  invalid input syntax for type integer: "
        "\"hunter2\"\nLINE 1: select 'hunter2'::int\n               ^\n",
        "22P02");
  });
  EXPECT_EQ(f.code, errc::rejected_sql);
  EXPECT_EQ(f.message, "invalid input syntax for type integer: \"…\"");
  f = refused([](soci::session&) {
    throw soci::postgresql_soci_error(
        "Cannot execute query. Fatal error. Connection failed. FATAL:  terminating connection due "
        "to administrator command\nserver closed the connection unexpectedly\n",
        "57P01");
  });
  EXPECT_EQ(f.code, errc::connection_lost);
  EXPECT_EQ(f.message, "terminating connection due to administrator command");
  f = refused([](soci::session&) {
    throw soci::postgresql_soci_error(
        "Cannot execute query. Fatal error. Connection failed. server closed the connection "
        "unexpectedly\n\tThis probably means the server terminated abnormally\n",
        "08000");
  });
  EXPECT_EQ(f.code, errc::connection_lost);
  EXPECT_EQ(f.message, "Connection failed. server closed the connection unexpectedly");
  f = refused([](soci::session&) { throw soci::postgresql_soci_error("Cannot execute query.", "     "); });
  EXPECT_EQ(f.code, errc::internal);
  EXPECT_EQ(f.sqlstate, "");
}

// A task may have databases of its own besides its session.
TEST_F(SociTask, TellsNothingOfAnErrorOfAnotherKindOfDatabase) {
  const auto f = thrown([](soci::session&) {
    throw soci::postgresql_soci_error("Cannot execute query. Fatal error. ERROR:  hunter2", "22P02");
  });
  EXPECT_EQ(f.code, errc::internal);
  EXPECT_EQ(f.message.find("hunter2"), std::string::npos) << f.message;
}

TEST_F(SociTask, ShowsNeitherStatementNorValuesOfSociErrors) {
  const auto f = thrown([](soci::session& s) {
    std::string value = "hunter2";
    int n = 0;
    s << "select null where 'hunter2' = :v", soci::use(value), soci::into(n);
  });
  EXPECT_EQ(f.code, errc::internal);
  EXPECT_NE(f.message.find("Null value"), std::string::npos) << f.message;
  EXPECT_EQ(f.message.find("hunter2"), std::string::npos) << f.message;
}

TEST_F(SociTask, ShowsNoConnectionString) {
  auto f = thrown([](soci::session&) { soci::session other{"host=localhost password=hunter2"}; });
  EXPECT_EQ(f.message, "No backend name found in the connection string");
  f = thrown([](soci::session&) {
    soci::session other{soci::postgresql, "host=/nowhere password=hunter2 user=marvin"};
  });
  EXPECT_EQ(f.message, "Cannot establish connection to the database.");
}

TEST_F(SociTask, MakesEveryOtherExceptionInternal) {
  auto f = thrown([](soci::session&) { throw std::runtime_error("the printer\nis on fire"); });
  EXPECT_EQ(f.code, errc::internal);
  EXPECT_EQ(f.message, "the C++ task threw: the printer is on fire");
  f = thrown([](soci::session& s) {
    soci::row row;
    s << "select 'x' as a", soci::into(row);
    row.get<int>("a");
  });
  EXPECT_EQ(f.code, errc::internal);
  EXPECT_NE(f.message.find("another type"), std::string::npos) << f.message;
  f = thrown([](soci::session&) { throw 42; });
  EXPECT_EQ(f.code, errc::internal);
  EXPECT_FALSE(f.message.empty());
}

TEST(ErrorText, IsOneLineAndNotTooLong) {
  EXPECT_EQ(to_one_line("a\r\nb\tc\n"), "a  b c");
  EXPECT_EQ(to_one_line("\n"), "");
  EXPECT_EQ(to_one_line("a\xc2\x9b"
                        "2Jb"),
            "a  2Jb");
  std::string longer;
  for (int i = 0; i < 1000; ++i)
    longer += "é";
  const auto line = to_one_line("x" + longer);
  EXPECT_EQ(line, "x" + longer.substr(0, 498) + "…");
}

} // namespace
