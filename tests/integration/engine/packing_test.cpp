// SPDX-License-Identifier: BSD-3-Clause
//
// Reads that share a session's pipeline: each has its own outcome, whatever becomes of the others.

#include "support/fault_gate.hpp"
#include "support/postgresql_test.hpp"

#include <soci/soci.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

query read(std::string sql, parameters values = {}) {
  query q{"", std::move(sql), std::move(values)};
  q.read_only = true;
  return q;
}

query number(int n) { return read("select :n::int as n", {{"n", n}}); }

/// The numbers of the packs that a reply's queries were answered in; 0 stands for a session of its own.
std::vector<std::uint32_t> packs_of(const reply& got) {
  std::vector<std::uint32_t> all;
  for (const auto& x : got.outcomes)
    all.push_back(x.pack);
  return all;
}

using packs = std::vector<std::uint32_t>;

class Packing : public PostgresqlTest {
protected:
  /// With one session nothing of a late pack can be run elsewhere.
  void open_packed(std::size_t sessions = 1, const std::function<void(options&)>& change = {}) {
    open([&](options& how) {
      how.databases[0].pool.max_size = sessions;
      how.databases[0].pack = packing::always;
      if (change)
        change(how);
    });
  }

  /// Whatever the tests' engines do else.
  void open_unforced(std::size_t sessions = 1) {
    open([&](options& how) {
      how.databases[0].pool.max_size = sessions;
      how.databases[0].pack = packing::automatic;
    });
  }

  reply run_all(std::vector<query> queries, error_policy on_error = error_policy::fail) {
    return e->run(request_of(std::move(queries), on_error));
  }

  /// Ends a session that runs a statement, if there is one.
  void end_one() {
    schema.server(
        fmt::format("select pg_terminate_backend(pid) from pg_stat_activity where application_name = '{}' and "
                    "state = 'active' limit 1",
                    schema.name()));
  }

  void expect_at_rest() {
    EXPECT_TRUE(eventually([&] {
      const auto x = stats();
      return x.active + x.cancelling + x.waiting + x.connecting == 0;
    }));
  }
};

TEST_F(Packing, AnswersManyReadsOnOneSession) {
  open_packed();
  for (int round = 0; round < 5; ++round) { // without names, prepared, and by their names
    std::vector<query> queries;
    for (int n = 0; n < 20; ++n)
      queries.push_back(n % 2 == 0 ? number(n) : read("select pg_backend_pid(), :n::int", {{"n", n}}));
    const auto got = run_all(std::move(queries));
    ASSERT_TRUE(got.ok()) << to_string(*got.failure);
    EXPECT_EQ(packs_of(got), packs(20, 1)) << round;
    std::set<int> backends;
    for (std::size_t n = 0; n < 20; ++n) {
      const auto& rows = got[n].table();
      EXPECT_EQ(rows.get<int>(0, n % 2), static_cast<int>(n));
      if (n % 2 != 0)
        backends.insert(rows.get<int>(0, 0));
    }
    EXPECT_EQ(backends.size(), 1u);
    EXPECT_EQ(stats().total, 1u);
  }
  EXPECT_EQ(stats().packs, 5u);
  EXPECT_EQ(stats().packed, 100u);
}

TEST_F(Packing, IsForDeclaredReadsOfSmallParametersAlone) {
  open_packed();
  schema.server("create table t (n int)");
  auto undeclared = number(1);
  undeclared.read_only = false;
  auto in_parts = number(2);
  in_parts.on_rows = [](table, const std::function<void()>& next) { next(); };
  auto never = number(3);
  never.pack = packing::never;
  auto task = query::of_task("", [](soci::session&) { return 4; });
  task.read_only = true;
  const auto got =
      run_all({number(0), undeclared, in_parts, never, task, read("select n from t for update"),
               read("select set_config('search_path', 'public', false)"),
               read("select length(:x)", {{"x", std::string(3000, 'x')}}), read("select nextval('t_s')"), number(9)},
              error_policy::partial);
  EXPECT_EQ(packs_of(got), (packs{1, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
}

TEST_F(Packing, IsForbiddenByDatabaseRequestOrQuery) {
  open([](options& how) { how.databases[0].pack = packing::never; });
  auto asked = request_of({number(1), number(2)});
  asked.pack = packing::always;
  EXPECT_EQ(packs_of(e->run(asked)), (packs{0, 0}));
  open_unforced();
  EXPECT_EQ(packs_of(e->run(asked)), (packs{1, 1}));
  asked.pack = packing::never;
  EXPECT_EQ(packs_of(e->run(asked)), (packs{0, 0}));
  EXPECT_EQ(packs_of(e->run(request_of({number(1), number(2)}))), (packs{0, 0})) << "they are not known yet";
}

TEST_F(Packing, TakesTurnsWhereThereAreMoreThanOnePackHolds) {
  open_packed();
  const auto got = run_all(request_of(100, number).queries);
  ASSERT_TRUE(got.ok()) << to_string(*got.failure);
  std::map<std::uint32_t, int> sizes;
  for (std::size_t n = 0; n < 100; ++n) {
    EXPECT_EQ(got[n].table().scalar<int>(), static_cast<int>(n));
    ++sizes[got[n].pack];
  }
  EXPECT_EQ(sizes, (std::map<std::uint32_t, int>{{1, 25}, {2, 25}, {3, 25}, {4, 25}}));
}

/// In a pack, values come as they do alone: text or binary, known or new, NULL or not.
TEST_F(Packing, ChangesNoValue) {
  open_packed();
  const std::vector<std::string> all{
      "select 1::int2, 2::int4, 3::int8, 1.5::float4, 0.1::float8, 12345678901234567890.0123::numeric",
      "select 'infinity'::timestamptz, '2024-02-29 12:00:00.123456+02'::timestamptz, '0044-03-15 BC'::date",
      "select '1 year 2 days 3.000001 s'::interval, '10:00:00+02'::timetz, '{1,NULL,3}'::int[], '[1,5)'::int4range",
      R"(select '{"a": [1, 2.50, null]}'::jsonb, E'\\xdeadbeef'::bytea, row(1, 'x', null), 'a"b'::text)",
      "select null::int, true, ''::text, '00000000-0000-0000-0000-000000000001'::uuid, '1.2.3.4/24'::inet",
      "select g, g * 0.5, 'row ' || g from generate_series(1, 50) g order by g",
      "select 1 as x where false"};
  std::vector<query> queries;
  for (const auto& sql : all)
    queries.push_back(read(sql));
  auto alone = request_of(queries);
  alone.pack = packing::never;
  const auto text_of = [](const table& x) {
    std::string text;
    for (std::size_t i = 0; i < x.columns(); ++i)
      text += x.column_at(i).name + ':' + x.column_at(i).type + ' ';
    for (std::size_t row = 0; row < x.rows(); ++row)
      for (std::size_t i = 0; i < x.columns(); ++i)
        text += x.text(row, i).value_or("NULL") + '|';
    return text + std::to_string(x.affected_rows());
  };
  for (int round = 0; round < 4; ++round) {
    const auto expected = e->run(alone), got = run_all(queries);
    ASSERT_TRUE(got.ok()) << to_string(*got.failure);
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(text_of(got[i].table()), text_of(expected[i].table())) << all[i];
      EXPECT_EQ(got[i].pack, 1u);
    }
  }
}

/// Those before it have their answers from the pack, those behind it from a session of their own.
TEST_F(Packing, HasOneFailureAtEachPosition) {
  open_packed();
  constexpr std::size_t size = 8;
  for (std::size_t wrong = 0; wrong < size; ++wrong)
    for (const bool by_its_words : {false, true}) {
      std::vector<query> queries;
      for (std::size_t n = 0; n < size; ++n)
        if (n != wrong)
          queries.push_back(number(static_cast<int>(n)));
        else
          queries.push_back(by_its_words ? read("select no_such_column")
                                         : read("select 1 / :zero::int", {{"zero", 0}}));
      const auto got = run_all(std::move(queries), error_policy::partial);
      for (std::size_t n = 0; n < size; ++n) {
        EXPECT_EQ(got[n].ok(), n != wrong);
        if (n != wrong)
          EXPECT_EQ(number_in(got[n]), static_cast<int>(n));
        else
          EXPECT_EQ(got[n].error_info()->sqlstate, by_its_words ? "42703" : "22012");
        EXPECT_EQ(got[n].pack, n <= wrong ? 1u : 0u) << "failure at " << wrong << ", " << by_its_words << ' ' << n;
        EXPECT_EQ(got[n].attempts, 1u);
      }
    }
  expect_at_rest();
}

TEST_F(Packing, ReturnsItsFailureAsTheRequests) {
  open_packed();
  const auto got = run_all({number(1), read("select 1 / 0"), number(3)});
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->sqlstate, "22012");
  EXPECT_EQ(got.failure->query, "q2");
  expect_at_rest();
}

TEST_F(Packing, TellsEachNoticeOfItsStatement) {
  open_packed();
  schema.server("create function say(n int) returns int stable language plpgsql as "
                "$$begin raise notice 'number %', n; return n; end$$");
  const auto got = run_all({number(0), read("select '5'::name::text, '2001-02-03'::timestamp with time zone is null"),
                            read("select to_date('1', 'FXYYYY') is null"), number(3)},
                           error_policy::partial);
  for (const auto& x : got.outcomes)
    EXPECT_TRUE(x.notices.kept.empty());
}

TEST_F(Packing, BoundsEachResultByItself) {
  open_packed(2);
  auto many = read("select g from generate_series(1, 1000) g");
  many.max_rows = 999;
  auto enough = many;
  enough.max_rows = 1000;
  for (int round = 0; round < 4; ++round) {
    const auto got = run_all({enough, many, number(2), enough}, error_policy::partial);
    EXPECT_TRUE(got[0].ok() && got[2].ok() && got[3].ok());
    ASSERT_TRUE(got[1].error_info());
    EXPECT_EQ(got[1].error_info()->code, errc::result_too_large);
    EXPECT_EQ(got[3].table().rows(), 1000u);
  }
  auto asked = request_of({enough, enough});
  asked.max_rows = 1999;
  EXPECT_EQ(e->run(asked).failure->code, errc::result_too_large);
  expect_at_rest();
}

TEST_F(Packing, IsNotLateForTheOthersWhenOneTakesLong) {
  open_packed(4);
  run_all({number(0)});
  for (const bool is_bounded : {false, true}) {
    auto asked = request_of({number(0), read("select 1::int from pg_sleep(1)"), number(2), number(3)});
    if (is_bounded)
      asked.max_rows = 4;
    const auto got = e->run(asked);
    ASSERT_TRUE(got.ok()) << to_string(*got.failure);
    for (const std::size_t n : {0u, 2u, 3u}) {
      EXPECT_EQ(number_in(got[n]), static_cast<int>(n));
      EXPECT_EQ(got[n].pack, 0u) << "it has waited for the pack";
    }
  }
  EXPECT_GE(stats().unpacked, 4u);
  expect_at_rest();
}

TEST_F(Packing, EndsAtTheDeadlineOrWhenItIsCancelled) {
  open_packed(2);
  auto asked = request_of({number(0), read("select 1::int from pg_sleep(86400)"), number(2)});
  asked.deadline = 300ms;
  const auto got = e->run(asked);
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->code, errc::deadline_exceeded);
  asked.deadline = 30s;
  std::promise<reply> promise;
  const auto handle = e->run_async(asked, [&](reply x) { promise.set_value(std::move(x)); });
  EXPECT_TRUE(eventually([&] { return schema.running() > 0; }));
  handle.cancel();
  EXPECT_EQ(promise.get_future().get().failure->code, errc::query_canceled);
  EXPECT_TRUE(eventually([&] { return schema.running() == 0; }));
  expect_at_rest();
}

TEST_F(Packing, KeepsTheTimeoutOfEachQuery) {
  open_packed();
  auto hasty = read("select 1::int from pg_sleep(86400)"); // the others wait until it is stopped
  hasty.timeout = 100ms;
  hasty.required = false;
  const auto got = run_all({number(0), hasty, number(2)}, error_policy::partial);
  ASSERT_TRUE(got.ok()) << to_string(*got.failure);
  EXPECT_EQ(got[1].error_info()->code, errc::deadline_exceeded);
  EXPECT_TRUE(got[0].ok() && got[2].ok());
  expect_at_rest();
}

TEST_F(Packing, IsRunAgainWhenItsSessionIsLost) {
  open_packed(4);
  std::vector<query> queries;
  for (int n = 0; n < 4; ++n)
    queries.push_back(read("select :n::int from pg_sleep(0.2)", {{"n", n}}));
  for (int round = 0; round < 3; ++round) {
    auto pending = e->run_future(request_of(queries));
    EXPECT_TRUE(eventually([&] { return schema.running() > 0; }));
    end_one();
    const auto got = pending.get();
    ASSERT_TRUE(got.ok()) << to_string(*got.failure);
    for (std::size_t n = 0; n < 4; ++n)
      EXPECT_EQ(number_in(got[n]), static_cast<int>(n));
  }
  expect_at_rest();
}

/// More than there may run again, if each of its queries counted.
TEST_F(Packing, IsRunAgainAsAWhole) {
  open_packed();
  std::vector<query> queries = request_of(20, number).queries;
  queries.push_back(read("select 20::int from pg_sleep(0.2)"));
  std::promise<reply> promise;
  e->run_async(request_of(queries), [&](reply x) { promise.set_value(std::move(x)); });
  EXPECT_TRUE(eventually([&] { return schema.running() > 0; }));
  end_one();
  const auto got = promise.get_future().get();
  ASSERT_TRUE(got.ok()) << to_string(*got.failure);
  for (std::size_t n = 0; n <= 20; ++n)
    EXPECT_EQ(number_in(got[n]), static_cast<int>(n));
}

/// Sessions know statements that the server does not, and types that are not those of the tables any more.
TEST_F(Packing, LearnsAnewWhatTheServerKnows) {
  open_packed(1);
  schema.server("create table t (id int primary key, v int); insert into t select g, g from generate_series(1, 9) g");
  const auto values = [&] {
    std::vector<query> queries;
    for (int n = 1; n < 9; ++n)
      queries.push_back(read("select v, * from t where id = :id", {{"id", n}}));
    const auto got = run_all(queries);
    EXPECT_TRUE(got.ok()) << to_string(*got.failure);
    std::string text;
    for (const auto& x : got.outcomes)
      text += x.ok() ? x.table().text(0, 0).value_or("NULL") + ' ' : "? ";
    return text;
  };
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(values(), "1 2 3 4 5 6 7 8 ");
  on_session([](soci::session& s) { s << "deallocate all"; });
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(values(), "1 2 3 4 5 6 7 8 ");
  schema.server("alter table t alter column v type text using v || '!'");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(values(), "1! 2! 3! 4! 5! 6! 7! 8! ");
  schema.server(
      "alter table t alter column id type bigint, alter column v type date using '2024-01-01'::date + id::int");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(values(), "2024-01-02 2024-01-03 2024-01-04 2024-01-05 2024-01-06 2024-01-07 2024-01-08 2024-01-09 ");
  EXPECT_EQ(run_all({read("select v from t where id = :id", {{"id", std::int64_t{3'000'000'000}}}), number(1)}).ok(),
            true);
}

TEST_F(Packing, MakesRoomInTheStatementCache) {
  open_packed(1, [](options& how) { how.databases[0].statement_cache_size = 3; });
  for (int round = 0; round < 5; ++round) {
    std::vector<query> queries;
    for (int n = 0; n < 12; ++n)
      queries.push_back(read(fmt::format("select {}::int + :n::int", round % 2 * 100 + n), {{"n", n}}));
    const auto got = run_all(queries);
    ASSERT_TRUE(got.ok()) << to_string(*got.failure);
    for (int n = 0; n < 12; ++n)
      EXPECT_EQ(number_in(got[static_cast<std::size_t>(n)]), round % 2 * 100 + 2 * n);
    run(read("select 'alone', :n::int", {{"n", round}}));
  }
}

/// A value may declare its type, which may be another one in each.
TEST_F(Packing, TakesValuesOfOtherTypes) {
  open_packed(1);
  for (int round = 0; round < 4; ++round) {
    const auto got = run_all({read("select pg_typeof(:x)::text, :x", {{"x", 1}}),
                              read("select pg_typeof(:x)::text, :x", {{"x", true}}),
                              read("select pg_typeof(:x)::text, :x", {{"x", 7}})});
    ASSERT_TRUE(got.ok()) << to_string(*got.failure);
    std::string all;
    for (const auto& x : got.outcomes)
      all += x.table().get<std::string>(0, 0) + ' ' + x.table().text(0, 1).value_or("NULL") + ", ";
    EXPECT_EQ(all, "bigint 1, boolean t, bigint 7, ") << round;
  }
}

TEST_F(Packing, IsOffWhereATransactionWouldSeeOneMomentOnly) {
  open_packed(2, [&](options& how) {
    how.databases[0].url = schema.url("options='-c default_transaction_isolation=repeatable\\\\ read'");
  });
  run_all({number(1), number(2)});
  const auto got = run_all({number(1), number(2)});
  EXPECT_EQ(packs_of(got), (packs{0, 0}));
}

TEST_F(Packing, LeavesNothingInItsSession) {
  open_packed(1);
  schema.server(
      "create function changes() returns int stable language plpgsql as $$begin perform "
      "set_config('timezone', 'Asia/Tokyo', false); return 1; end$$; create view sly as select changes() as n");
  const auto got = run_all({read("select n from sly"), number(2)});
  ASSERT_TRUE(got.ok()) << to_string(*got.failure);
  EXPECT_EQ(got[0].pack, 1u);
  EXPECT_NE(rows("select current_setting('timezone')").scalar<std::string>(), "Asia/Tokyo");
}

/// What is sent before the server reads, and answered before it is read, is more than the buffers between hold.
TEST_F(Packing, IsNotStuckBetweenFullBuffers) {
  open_packed(1, [](options& how) { how.databases[0].statement_cache_size = 0; });
  std::vector<query> queries;
  for (int n = 0; n < 32; ++n)
    queries.push_back(
        read("select repeat('x', 4000000) || :x" + std::string(200'000, ' '), {{"x", std::string(2000, 'y')}}));
  const auto got = run_all(std::move(queries));
  ASSERT_TRUE(got.ok()) << to_string(*got.failure);
  for (const auto& x : got.outcomes)
    EXPECT_EQ(x.table().scalar<std::string>().size(), 4'002'000u);
}

/// Known to be short after so many runs, they are packed by themselves; one in 64 is not.
TEST_F(Packing, BeginsOnceTheStatementIsKnownToBeShort) {
  open_unforced();
  const auto ask = [&] {
    const auto got = run_all(request_of(20, number).queries);
    EXPECT_TRUE(got.ok());
    return got;
  };
  EXPECT_EQ(packs_of(ask()), packs(20, 0));
  EXPECT_TRUE(eventually([&] { return packs_of(ask()) == packs(20, 1); }));
  EXPECT_TRUE(eventually([&] {
    const auto x = packs_of(ask());
    return std::count(x.begin(), x.end(), 0u) == 1;
  }));
  const auto known = e->statements();
  ASSERT_EQ(known.size(), 1u);
  EXPECT_GT(known[0].packed, 0u);
  EXPECT_GT(known[0].runs, known[0].packed);
}

TEST_F(Packing, IsNotForStatementsThatTakeLong) {
  open_unforced(4);
  for (int i = 0; i < 6; ++i) {
    const auto got = run_all(request_of(4, [](int n) {
                               return read("select :n::int from pg_sleep(0.01)", {{"n", n}});
                             }).queries);
    EXPECT_EQ(packs_of(got), packs(4, 0));
    run_all({number(i), number(i)});
  }
}

/// Its times alone do not show what now and then takes long; those that it holds up do.
TEST_F(Packing, LeavesAloneWhatHasHeldUpTheOthers) {
  open_unforced(4);
  int alone_in_a_row = 0;
  EXPECT_TRUE(eventually([&] {
    std::vector<query> queries = request_of(8, number).queries;
    queries.push_back(read("select 9::int from pg_sleep(case when random() < 0.05 then 0.03 else 0 end)"));
    const auto got = run_all(std::move(queries));
    EXPECT_TRUE(got.ok());
    const bool is_alone = got[0].pack != 0 && got[8].pack == 0;
    alone_in_a_row = is_alone ? alone_in_a_row + 1 : 0;
    return alone_in_a_row == 10;
  }));
  expect_at_rest();
}

/// Requests of all sorts at once, while sessions are ended: each query has its own answer, or its own failure.
TEST_F(Packing, WeathersAStorm) {
  open_packed(3, [](options& how) { how.loops = 2; });
  // A session may be ended while it is being opened, too.
  const std::set expected{errc::deadline_exceeded, errc::query_canceled, errc::connection_lost, errc::connect_failed,
                          errc::overloaded};
  std::atomic<int> open_requests = 0, answered = 0;
  std::mt19937 random{17};
  const auto dice = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int i = 0; i < 400; ++i) {
    std::vector<query> queries;
    std::vector<int> kinds;
    for (int n = 0, size = 1 + dice(40); n < size; ++n) {
      kinds.push_back(dice(30));
      queries.push_back(kinds.back() == 0   ? read("select 1 / (:n::int - :n::int)", {{"n", n}})
                        : kinds.back() == 1 ? read("select :n::int from pg_sleep(0.02)", {{"n", n}})
                        : kinds.back() == 2 ? query{"", "select :n::int", {{"n", n}}}
                                            : number(n));
    }
    auto asked = request_of(std::move(queries), error_policy::partial);
    for (auto& q : asked.queries)
      q.required = false;
    asked.deadline = dice(10) == 0 ? 5ms : 20s;
    ++open_requests;
    auto handle = e->run_async(asked, [&, kinds](const reply& got) {
      for (std::size_t n = 0; n < kinds.size(); ++n) {
        const auto& x = got.outcomes[n];
        if (x.ok()) {
          EXPECT_NE(kinds[n], 0);
          EXPECT_EQ(number_in(x), static_cast<int>(n));
          ++answered;
        } else if (kinds[n] == 0 && x.error_info()->code == errc::rejected_sql) {
          EXPECT_EQ(x.error_info()->sqlstate, "22012");
        } else {
          EXPECT_TRUE(expected.contains(x.error_info()->code)) << to_string(*x.error_info());
        }
      }
      --open_requests;
    });
    if (dice(20) == 0)
      handle.cancel();
    if (dice(40) == 0)
      end_one();
    EXPECT_TRUE(eventually([&] { return open_requests < 12; }));
  }
  EXPECT_TRUE(eventually([&] { return open_requests == 0; }));
  EXPECT_GT(answered, 400);
  EXPECT_GT(stats().packed, 0u);
  EXPECT_TRUE(eventually([&] { return run_all({number(1), number(2)}).ok(); }));
  expect_at_rest();
}

/// Some poolers have no pipelines. The first session finds that out; nothing is packed then, and all is answered.
TEST_F(Packing, IsOffBehindAPoolerWithoutPipelines) {
  const int port = std::stoi(schema.server("select inet_server_port()"));
  fault_gate gate{port};
  gate.strike(fault::wedge);
  open_packed(2, [&](options& how) {
    how.databases[0].url = schema.url(fmt::format("port={}", gate.port()));
    how.databases[0].pooler = pooler::session;
  });
  for (int i = 0; i < 3; ++i) {
    const auto got = run_all({number(1), number(2)});
    ASSERT_TRUE(got.ok()) << to_string(*got.failure);
    EXPECT_EQ(number_in(got[1]), 2);
    if (i > 0) {
      EXPECT_EQ(packs_of(got), (packs{0, 0}));
    }
  }
}

class SqlitePacking : public TidyTest {
protected:
  void SetUp() override {
    count_what_is_there();
    auto how = for_database("sqlite::memory:", {.max_size = 1});
    how.databases[0].pack = packing::always;
    e = std::move(engine::create(std::move(how), system).value());
  }
  void TearDown() override {
    e.reset();
    expect_nothing_left();
  }

  reply run_all(std::vector<query> queries, error_policy on_error = error_policy::fail) {
    return e->run(request_of(std::move(queries), on_error));
  }

  static query number(int n) {
    query q{"", "select :n", {{"n", n}}};
    q.read_only = true;
    return q;
  }

  static query endless() {
    query q{"", "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"};
    q.read_only = true;
    return q;
  }

  std::unique_ptr<engine> e;
};

TEST_F(SqlitePacking, RunsTheReadsOfARequestInOneVisit) {
  const auto got = run_all(request_of(20, number).queries);
  ASSERT_TRUE(got.ok()) << to_string(*got.failure);
  for (int n = 0; n < 20; ++n)
    EXPECT_EQ(number_in(got[static_cast<std::size_t>(n)]), n);
  EXPECT_EQ(packs_of(got), packs(20, 1));
  EXPECT_EQ(e->stats().front().packs, 1u);
}

TEST_F(SqlitePacking, LetsOneFailAlone) {
  auto wrong = number(1);
  wrong.statement = "select :n from no_such_table";
  auto far = number(2);
  far.statement = "select value from json_each('[1, 2, 3]') where value < 9 + :n";
  far.max_rows = 2;
  const auto got = run_all({number(0), wrong, far, number(3)}, error_policy::partial);
  EXPECT_EQ(packs_of(got), packs(4, 1));
  EXPECT_EQ(number_in(got[0]), 0);
  EXPECT_EQ(got[1].error_info()->code, errc::rejected_sql);
  EXPECT_EQ(got[2].error_info()->code, errc::result_too_large);
  EXPECT_EQ(number_in(got[3]), 3);
}

TEST_F(SqlitePacking, EndsAtTheDeadline) {
  auto asked = request_of({number(0), endless(), number(2)}, error_policy::partial);
  asked.deadline = 200ms;
  const auto got = e->run(asked);
  for (const std::size_t n : {1u, 2u}) { // the first one may have its answer, or be given up with the others
    ASSERT_FALSE(got[n].ok());
    EXPECT_EQ(got[n].error_info()->code, errc::deadline_exceeded);
  }
  EXPECT_TRUE(run_all({number(1), number(2)}).ok());
}

} // namespace
