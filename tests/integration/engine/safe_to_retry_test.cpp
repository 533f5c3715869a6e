// SPDX-License-Identifier: BSD-3-Clause
//
// Every kind of statement, failing in every way, beside every kind of sibling: a failure is safe to retry where that is
// proved, and never where the database shows that something has taken effect.

#include "support/postgresql_test.hpp"

#include <soci/soci.h>

#include <algorithm>
#include <future>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

/// The words of a statement say what it may do; what it does in the end is hidden in a view, a trigger or a function.
enum class kind { read, write, write_with_unknown_function, call, block, task, unknown_function, declared_read };
enum class failing { serialization, deadlock, lost_after_sending, not_connected, pool_timeout, queue_full, cancelled };
enum class sibling { none, read, write_before, write_after };

constexpr kind kinds[] = {kind::read,
                          kind::write,
                          kind::write_with_unknown_function,
                          kind::call,
                          kind::block,
                          kind::task,
                          kind::unknown_function,
                          kind::declared_read};
constexpr failing failings[] = {failing::serialization, failing::deadlock,     failing::lost_after_sending,
                                failing::not_connected, failing::pool_timeout, failing::queue_full,
                                failing::cancelled};
constexpr sibling siblings[] = {sibling::none, sibling::read, sibling::write_before, sibling::write_after};

bool is_sent(failing how) { return how <= failing::lost_after_sending || how == failing::cancelled; }

/// True when it is proved that a query of this kind has done nothing.
bool has_done_nothing(kind of, failing how) {
  if (!is_sent(how) || of == kind::read || of == kind::declared_read)
    return true;
  return of == kind::write && (how == failing::serialization || how == failing::deadlock);
}

class SafeToRetry : public PostgresqlTest {
protected:
  void SetUp() override {
    schema.server(R"(
create table effects (x int);
create table failing (how text);
insert into failing values ('');
create function fail() returns int language plpgsql as $$
declare how text := (select f.how from failing f);
begin
  if how = 'lost' then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(60); end if;
  if how = 'wait' then perform meet(2); perform pg_sleep(86400); end if;
  raise exception 'as told' using errcode = how; end $$;
create view failing_view as select fail() as x;
create function fail_row() returns trigger language plpgsql as $$ begin perform fail(); return new; end $$;
create table refusing (x int);
create trigger fails after insert on refusing for each row execute function fail_row();
create procedure commit_and_fail() language plpgsql as $$ begin
  insert into effects values (1); commit; perform fail(); end $$)");
    PostgresqlTest::SetUp();
    open([&](options& how) {
      how.deadline = 10min;
      auto& first = how.databases[0];
      first.pool.max_size = 2;
      auto busy = first;
      busy.name = "busy";
      busy.pool.max_size = busy.pool.min_size = 1;
      busy.pool.acquire_timeout = 10ms;
      auto full = busy;
      full.name = "full";
      full.pool.max_queue_size = 1;
      full.pool.acquire_timeout = 10min;
      how.databases.push_back(std::move(busy));
      how.databases.push_back(std::move(full));
      how.databases.push_back(for_database("postgresql://127.0.0.1:1/nowhere").databases[0]);
      how.databases.back().name = "away";
    });
    rows("select 1");
  }

  void TearDown() override {
    for (auto& x : held_)
      x.cancel();
    PostgresqlTest::TearDown();
  }

  /// Takes the sessions of a pool, and the places in its queue, for the rest of the test.
  void hold(const std::string& database, std::size_t queries) {
    const auto pool = [&] {
      const auto all = e->stats();
      return *std::find_if(all.begin(), all.end(), [&](const pool_stats& x) { return x.database == database; });
    };
    EXPECT_TRUE(eventually([&] { return pool().idle == 1; }));
    for (std::size_t i = 1; i <= queries; ++i) {
      query q{"held", "select pg_sleep(86400)"};
      q.database = database;
      held_.push_back(e->run_async(request_of({std::move(q)}), [](const reply&) {}));
      EXPECT_TRUE(eventually([&] { return pool().active + pool().waiting == i; }));
    }
  }

  static query made(kind of) {
    switch (of) {
    case kind::read:
      return {"it", "select x from failing_view"};
    case kind::write:
      return {"it", "insert into refusing values (1)"};
    case kind::write_with_unknown_function:
      return {"it", "insert into effects values (fail())"};
    case kind::call:
      return {"it", "call commit_and_fail()"};
    case kind::block:
      return {"it", "do $$ begin insert into effects values (1); commit; perform fail(); end $$"};
    case kind::task:
      return query::of_task("it", [](soci::session& s) {
        s << "insert into effects values (1)";
        s << "select fail()";
      });
    case kind::unknown_function:
    case kind::declared_read: {
      query q{"it", "select fail()"};
      q.read_only = of == kind::declared_read;
      return q;
    }
    }
    return {};
  }

  /// One after another, in this order.
  reply run_beside(sibling other, query q, failing how) {
    std::vector<query> all;
    if (other == sibling::read)
      all.emplace_back("sibling", "select count(*) from effects");
    if (other == sibling::write_before)
      all.emplace_back("sibling", "insert into effects values (2)");
    all.push_back(std::move(q));
    if (other == sibling::write_after)
      all.emplace_back("sibling", "insert into effects values (2)");
    auto asked = request_of(std::move(all));
    asked.width = 1;
    asked.deadline = 1min;
    if (how != failing::cancelled)
      return e->run(std::move(asked));
    std::promise<reply> answered;
    const auto handle = e->run_async(std::move(asked), [&](reply x) { answered.set_value(std::move(x)); });
    schema.server("select meet(2)"); // it runs
    handle.cancel();
    return answered.get_future().get();
  }

  int effects() { return schema.server.number("select count(*) from effects"); }

  std::vector<request_handle> held_;
};

TEST_F(SafeToRetry, IsTrueOnlyWhereNothingCanHaveTakenEffect) {
  hold("busy", 1);
  hold("full", 2);
  int safe = 0, changed = 0;
  for (const auto how : failings) {
    const char* told[] = {"40001", "40P01", "lost", "", "", "", "wait"};
    const char* where[] = {"", "", "", "away", "busy", "full", ""};
    schema.server(fmt::format("update failing set how = '{}'", told[static_cast<int>(how)]));
    for (const auto of : kinds)
      for (const auto other : siblings) {
        auto q = made(of);
        q.database = where[static_cast<int>(how)];
        const auto before = effects();
        const auto x = run_beside(other, std::move(q), how);
        const auto trace =
            fmt::format("kind {}, failure {}, sibling {}: {}", static_cast<int>(of), static_cast<int>(how),
                        static_cast<int>(other), x.failure ? to_string(*x.failure) : "ok");
        ASSERT_FALSE(x.ok()) << trace;
        const auto& own = *x["it"].error_info();
        const bool may_well_succeed = how != failing::lost_after_sending && how != failing::cancelled;
        EXPECT_EQ(safe_to_retry(own), may_well_succeed && has_done_nothing(of, how)) << trace;
        EXPECT_EQ(safe_to_retry(*x.failure), safe_to_retry(own) && other != sibling::write_before) << trace;
        EXPECT_EQ(x.failure->may_have_effect, !has_done_nothing(of, how) || other == sibling::write_before) << trace;
        const bool has_changed = effects() != before;
        EXPECT_FALSE(has_changed && safe_to_retry(*x.failure)) << trace;
        EXPECT_FALSE(has_changed && !x.failure->may_have_effect) << trace;
        safe += safe_to_retry(*x.failure);
        changed += has_changed;
      }
  }
  EXPECT_GT(safe, 20);
  EXPECT_GT(changed, 20);
}

/// What a task throws is its own word: it says nothing of what the task did before, and the task is not run again for
/// it.
TEST_F(SafeToRetry, DoesNotTakeATasksWordForIt) {
  int expected = 0;
  for (const auto code : {errc::serialization_failure, errc::connection_lost, errc::pool_timeout}) {
    const auto x = run(query::of_task("it", [code](soci::session& s) {
      s << "insert into effects values (1)";
      throw error({.code = code, .message = "of another database"});
    }));
    ASSERT_FALSE(x.ok());
    EXPECT_EQ(effects(), ++expected) << to_string(code);
    EXPECT_FALSE(safe_to_retry(*x.failure)) << to_string(code);
  }
}

/// Under `partial` all siblings are over when the reply comes; those that failed may have been undone.
TEST_F(SafeToRetry, KnowsSiblingsThatWereUndone) {
  schema.server("update failing set how = '40001'; create table one (x int primary key); insert into one values (1)");
  const auto beside = [&](statement sql) {
    auto asked = request_of({{"it", "insert into refusing values (1)"}, {"sibling", std::move(sql)}});
    asked.on_error = error_policy::partial;
    asked.queries[1].required = false;
    return safe_to_retry(e->run(std::move(asked)).failure.value());
  };
  EXPECT_TRUE(beside("insert into one values (1)"));
  EXPECT_TRUE(beside("select 1 / 0"));
  EXPECT_FALSE(beside("insert into one values (2)"));
  EXPECT_FALSE(beside("do $$ begin insert into effects values (1); commit; perform 1 / 0; end $$"));
}

} // namespace
