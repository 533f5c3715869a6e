// SPDX-License-Identifier: BSD-3-Clause
//
// C++ tasks: code that gets a database session of its own, from the same pool as statements do.

#include "sheaf/table_builder.hpp"
#include "support/database_under_test.hpp"
#include "support/meeting.hpp"

#include <soci/soci.h>

#include <set>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class Task : public AnyDatabase {
protected:
  void SetUp() override {
    AnyDatabase::SetUp();
    start({.max_size = 4});
  }

  failure failure_of(query q) {
    const auto x = run(request_of({std::move(q)}));
    EXPECT_TRUE(x.failure);
    return x.failure.value_or(failure{});
  }

  int count(const std::string& from) {
    return number_in(run(request_of({{"n", "select count(*) from " + from}}))["n"]);
  }
};

SHEAF_ON_EVERY_SQL_DATABASE(Task);

TEST_P(Task, ReturnsAnyValueATableOrNothing) {
  const auto x = run(request_of({
      query::of_task("number", [](soci::session&) { return 42; }),
      query::of_task("rows",
                     [](soci::session&) {
                       table_builder rows{{column{.name = "n"}}};
                       rows.add_integer(7);
                       return rows.finish();
                     }),
      query::of_task("text", [](soci::session&) { return std::string{"seven"}; }),
      query::of_task("nothing", [](soci::session&) {}),
      query{"statement", "select 1"},
  }));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(x["number"].value<int>(), 42);
  EXPECT_EQ(x["rows"].table().scalar<int>(), 7);
  EXPECT_EQ(x["text"].value<std::string>(), "seven");
  EXPECT_TRUE(x["nothing"].ok());
  EXPECT_EQ(number_in(x["statement"]), 1);
  EXPECT_THROW(x["number"].value<long>(), error);
  EXPECT_THROW(x["number"].table(), error);
}

TEST_P(Task, UsesSoci) {
  const auto x = run(request_of({query::of_task("soci", [](soci::session& s) {
    s << "create table book (id integer, title varchar(100))";
    soci::transaction all{s};
    std::vector<int> ids{1, 2, 3};
    std::vector<std::string> titles{"one", "two", "three"};
    s << "insert into book values (:id, :title)", soci::use(ids), soci::use(titles);
    all.commit();
    std::string title;
    s << "select title from book where id = 2", soci::into(title);
    return title;
  })}));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(x["soci"].value<std::string>(), "two");
  EXPECT_EQ(count("book"), 3);
}

TEST_P(Task, GetsASessionOfItsOwn) {
  meeting_place place;
  const auto x = run(request_of(4, [&](int) {
    return query::of_task("", [&place](soci::session& s) {
      EXPECT_TRUE(place.meet(4));
      return static_cast<void*>(&s);
    });
  }));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  std::set<void*> sessions;
  for (const auto& o : x.outcomes)
    sessions.insert(o.value<void*>());
  EXPECT_EQ(sessions.size(), 4u);
  EXPECT_EQ(stats().total, 4u);
}

TEST_P(Task, SharesThePoolWithStatements) {
  auto asked = request_of(6, [&](int i) {
    return i % 2 == 0 ? query::of_task("",
                                       [](soci::session& s) {
                                         int session = 0;
                                         s << "select in_turn(0)", soci::into(session);
                                         return session;
                                       })
                      : database->in_turn("", 0);
  });
  asked.width = 1;
  const auto x = run(std::move(asked));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(stats().total, 1u);
  for (std::size_t i = 0; i < 6; i += 2)
    EXPECT_EQ(x[i].value<int>(), number_in(x[1]));
}

TEST_P(Task, ThatThrowsFailsAlone) {
  auto f = failure_of(query::of_task("q", [](soci::session&) { throw std::runtime_error("on fire"); }));
  EXPECT_EQ(f.code, errc::internal);
  EXPECT_EQ(f.query, "q");
  EXPECT_NE(f.message.find("on fire"), std::string::npos);
  f = failure_of(query::of_task("q", [](soci::session& s) { s << "select * from no_such_table"; }));
  EXPECT_EQ(f.code, errc::rejected_sql);
  EXPECT_EQ(f.sqlstate, is(database_kind::postgresql) ? "42P01" : "");
  f = failure_of(
      query::of_task("q", [](soci::session&) { throw error({.code = errc::permission_denied, .message = "no"}); }));
  EXPECT_EQ(f.code, errc::permission_denied);
  EXPECT_EQ(f.query, "q");
  failure_of(query::of_task("q", [](soci::session&) { throw 42; }));
  EXPECT_EQ(count("(select 1) x"), 1);
  EXPECT_EQ(stats().total, 1u); // none of this broke the session
}

TEST_P(Task, LeavesNoTransactionOpen) {
  ASSERT_TRUE(run(request_of({{"", "create table t(x int)"}})).ok());
  for (const bool throws : {false, true})
    run(request_of({query::of_task("", [throws](soci::session& s) {
      s.begin();
      s << "insert into t values (1)";
      if (throws)
        throw std::runtime_error("before the commit");
    })}));
  EXPECT_EQ(count("t"), 0);
  EXPECT_EQ(stats().total, 1u);
}

TEST_P(Task, ThatChangesTheSchemaIsSurvivedByPreparedStatements) {
  ASSERT_TRUE(run(request_of({query::of_task("",
                                             [](soci::session& s) {
                                               s << "create table t(a int)";
                                               s << "insert into t values (1)";
                                             })}))
                  .ok());
  const statement all{"select * from t"};
  const auto columns = [&] { return run(request_of({{"q", all}}))["q"].table().columns(); };
  EXPECT_EQ(columns(), 1u);
  EXPECT_EQ(columns(), 1u);
  ASSERT_TRUE(
      run(request_of({query::of_task("", [](soci::session& s) { s << "alter table t add column b int"; })})).ok());
  EXPECT_EQ(columns(), 2u);
  EXPECT_EQ(columns(), 2u);
  EXPECT_EQ(stats().total, 1u);
}

TEST_P(Task, ThatClosesItsSessionCostsThatSessionAlone) {
  const auto x = run(request_of({query::of_task("", [](soci::session& s) { s.close(); })}));
  EXPECT_FALSE(x.ok() && stats().idle > 0);
  EXPECT_EQ(count("(select 1) x"), 1);
}

TEST_P(Task, IsStoppedAtItsDeadlineWhenItUsesItsSession) {
  EXPECT_EQ(count("(select 1) x"), 1); // a session is open: that may take longer
  meeting_place place;
  auto asked = request_of({query::of_task("task", [&](soci::session& s) {
    int n = 0;
    s << (is(database_kind::postgresql) ? "select count(*) from pg_sleep(86400)"
                                        : database->never_ends("").statement.sql()),
        soci::into(n);
    return n;
  })});
  asked.deadline = 200ms;
  const auto x = run(std::move(asked));
  EXPECT_EQ(x.failure->code, errc::deadline_exceeded);
  EXPECT_EQ(x.failure->phase, phase::execute);
  EXPECT_TRUE(eventually([&] { return stats().cancelling == 0; }));
  EXPECT_EQ(database->running(), 0);
  EXPECT_EQ(count("(select 1) x"), 1);
}

TEST_P(Task, IsAnsweredForAtItsDeadlineEvenWhenItDoesNotReturn) {
  EXPECT_EQ(count("(select 1) x"), 1); // a session is open: that may take longer
  meeting_place place;
  auto asked = request_of({query::of_task("task", [&](soci::session&) { place.meet(2); })});
  asked.deadline = 100ms;
  EXPECT_EQ(run(std::move(asked)).failure->code, errc::deadline_exceeded);
  EXPECT_EQ(stats().cancelling, 1u); // its session is not free before it is over
  EXPECT_EQ(count("(select 1) x"), 1);
  place.meet(2);
  EXPECT_TRUE(eventually([&] { return stats().cancelling == 0; }));
}

} // namespace
