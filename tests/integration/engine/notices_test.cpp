// SPDX-License-Identifier: BSD-3-Clause
//
// What a PostgreSQL server says beside the rows: notices with an outcome, details with a failure.

#include "support/captured_log.hpp"
#include "support/postgresql_test.hpp"

#include <gmock/gmock.h>

#include <soci/soci.h>

#include <future>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> words_of(const notices& x) {
  std::vector<std::string> all;
  for (const auto& said : x.kept)
    all.push_back(said.severity + ' ' + said.message);
  return all;
}

class Notices : public PostgresqlTest {
protected:
  /// Cancels a query once it sleeps.
  reply cancelled(statement sql) {
    std::promise<reply> answered;
    const auto handle =
        e->run_async(request_of({{"q", std::move(sql)}}), [&](reply x) { answered.set_value(std::move(x)); });
    const auto sleeps = fmt::format("select count(*) from pg_stat_activity where application_name = '{}' and "
                                    "wait_event = 'PgSleep'",
                                    schema.name());
    EXPECT_TRUE(eventually([&] { return schema.server.number(sleeps) == 1; }));
    handle.cancel();
    return answered.get_future().get();
  }

  void SetUp() override {
    schema.server(R"(
create function say(n int, length int default 5) returns int language plpgsql as $$ begin
  for i in 1..n loop raise notice '%', rpad(i::text, length, '.'); end loop; return n; end $$;
create function warn(said text) returns int language plpgsql as $$ begin
  raise info 'an info'; raise log 'a log';
  raise warning '%', said using detail = 'one' || chr(10) || 'two', hint = 'three', errcode = '01234';
  return 1; end $$;
create function say_and_fail() returns int language plpgsql as $$ begin
  raise notice 'before'; raise exception 'no' using detail = 'a detail', hint = 'a hint'; end $$;
create function say_and_wait() returns int language plpgsql as $$ begin
  raise notice 'so far'; perform pg_sleep(86400); return 1; end $$;
create function say_late() returns int language plpgsql as $$ begin
  begin perform pg_sleep(86400); exception when query_canceled then raise notice 'late'; end; return 1; end $$;
create function say_and_end() returns int language plpgsql as $$ begin
  if nextval('ends') = 1 then raise notice 'first'; perform pg_terminate_backend(pg_backend_pid());
  perform pg_sleep(60); end if; raise notice 'second'; return 1; end $$;
create sequence ends;
create table book (id int primary key, price int constraint not_free check (price > 0));
insert into book values (1, 1))");
    PostgresqlTest::SetUp();
  }

  notices said(query q) {
    auto x = run(std::move(q));
    EXPECT_TRUE(x.ok()) << to_string(*x.failure);
    return std::move(x.outcomes[0].notices);
  }
  notices said(statement sql, parameters values = {}) { return said(query{"q", std::move(sql), std::move(values)}); }
};

TEST_F(Notices, AreKeptWithTheOutcomeInTheirOrder) {
  open();
  const auto x = said("select say(2)");
  EXPECT_THAT(words_of(x), ElementsAre("NOTICE 1....", "NOTICE 2...."));
  EXPECT_EQ(x.left_out, 0u);
  EXPECT_EQ(x.kept[0].sqlstate, "00000");
  EXPECT_THAT(x.kept[0].context, HasSubstr("PL/pgSQL function say(integer,integer) line 2 at RAISE"));
  EXPECT_TRUE(said("select 1").empty());
  EXPECT_THAT(words_of(said("drop table if exists no_such_table")),
              ElementsAre("NOTICE table \"no_such_table\" does not exist, skipping"));
}

TEST_F(Notices, HaveTheirDetails) {
  open();
  const auto x = said("select warn(:said)", {{"said", "what is said"}});
  EXPECT_THAT(words_of(x), ElementsAre("INFO an info", "WARNING ‹:said›")) << "a log is for the server's log";
  EXPECT_EQ(x.kept[1].sqlstate, "01234");
  EXPECT_EQ(x.kept[1].detail, "one\ntwo");
  EXPECT_EQ(x.kept[1].hint, "three");
}

TEST_F(Notices, AreOfTheirOwnQueryAlone) {
  open([](options& how) { how.databases[0].pool.max_size = 2; });
  const auto x = e->run(request_of({{"a", "select say(1), meet(2)"}, {"b", "select say(2), meet(2)"}}));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_THAT(x["a"].notices.kept, SizeIs(1));
  EXPECT_THAT(x["b"].notices.kept, SizeIs(2));
}

TEST_F(Notices, AreBounded) {
  open();
  auto x = said("select say(193)");
  EXPECT_THAT(x.kept, SizeIs(100));
  EXPECT_EQ(x.left_out, 93u);
  EXPECT_EQ(x.kept.back().message, "100..");
  x = said("select say(10, 3000)");
  EXPECT_THAT(x.kept, SizeIs(5)) << "16 KiB";
  EXPECT_EQ(x.left_out, 5u);
  x = said("select say(1, 100000)");
  ASSERT_THAT(x.kept, SizeIs(1));
  EXPECT_EQ(x.kept[0].message.size(), 4096 + std::string{"…"}.size());
  EXPECT_THAT(said("select say(2), :x::text", {{"x", std::string(3 << 20, 'x')}}).kept, SizeIs(1))
      << "the value would be looked for in each";
  EXPECT_EQ(said("select say(2)").left_out, 0u);
}

TEST_F(Notices, ComeWithAFailureToo) {
  open();
  const auto x = run("select say_and_fail()");
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->message, "no (a hint)");
  EXPECT_EQ(x.failure->detail, "a detail");
  EXPECT_EQ(x.failure->context, "PL/pgSQL function say_and_fail() line 2 at RAISE");
  EXPECT_THAT(words_of(x["q"].notices), ElementsAre("NOTICE before"));
}

TEST_F(Notices, ComeWithACancelAsFarAsTheyHadCome) {
  open();
  const auto x = cancelled("select say_and_wait()");
  EXPECT_EQ(x.failure.value_or(failure{}).code, errc::query_canceled);
  EXPECT_THAT(words_of(x["q"].notices), ElementsAre("NOTICE so far"));
}

/// The second statement is refused before anything is sent: behind a pooler it would leave something.
TEST_F(Notices, OfACancelledQueryAreNotTheNextOnes) {
  open([](options& how) { how.databases[0].pooler = pooler::transaction; });
  EXPECT_THAT(cancelled("select say_late()")["q"].notices.kept, IsEmpty());
  EXPECT_TRUE(eventually([&] { return stats().idle == 1; }));
  const auto x = run("set search_path = public");
  EXPECT_EQ(x.failure.value_or(failure{}).code, errc::invalid_request);
  EXPECT_TRUE(x["q"].notices.empty());
}

TEST_F(Notices, AreThoseOfTheLastAttempt) {
  open();
  query q{"q", "select say_and_end()"};
  q.read_only = true;
  EXPECT_THAT(words_of(said(std::move(q))), ElementsAre("NOTICE second"));
}

TEST_F(Notices, OfATaskHaveNoValues) {
  open();
  auto x = said(query::of_task("q", [](soci::session& s) {
    s << "drop table if exists no_such_table";
    int n = 0;
    s << "select say(2)", soci::into(n);
  }));
  EXPECT_THAT(words_of(x), ElementsAre("NOTICE table \"…\" does not exist, skipping", "NOTICE …", "NOTICE …"));
  EXPECT_THAT(said("select say(1)").kept, SizeIs(1)) << "the next one's are its own";
}

/// With this setting the server has a lot to say of each of our own statements too.
TEST_F(Notices, OfOurOwnStatementsAreNobodys) {
  std::vector<std::size_t> counts;
  for (const auto reset : {session_reset::never, session_reset::always}) {
    open([&](options& how) {
      how.databases[0].url =
          schema.url(fmt::format("options='-c search_path={} -c client_min_messages=debug5'", schema.name()));
      how.databases[0].reset = reset;
      how.databases[0].pooler = pooler::none;
    });
    for (int i = 0; i < 3; ++i) // prepared without a name, with one, and from the cache
      said("select 1");
    counts.push_back(said("select 1").kept.size());
  }
  EXPECT_GT(counts[0], 0u);
  EXPECT_EQ(counts[0], counts[1]);
}

TEST_F(Notices, AreInTheLog) {
  captured_log lines;
  open([&](options& how) { how.logger = lines.logger; });
  auto asked = request_of({{"a", "select say(101)"}, {"b", "select warn('so')"}});
  asked.id = "order 66";
  ASSERT_TRUE(e->run(std::move(asked)).ok());
  EXPECT_EQ(lines.count("info event=notice request=\"order 66\" query=a severity=NOTICE sqlstate=00000 message=1.... "
                        "context="),
            1u)
      << lines.text();
  EXPECT_EQ(lines.count("event=notice "), 102u);
  EXPECT_EQ(lines.count("warning event=notice request=\"order 66\" query=b severity=WARNING sqlstate=01234 message=so "
                        "detail=\"one two\" hint=three"),
            1u);
  EXPECT_EQ(lines.count("info event=notices_left_out request=\"order 66\" query=a count=1"), 1u);
}

TEST_F(Notices, AndDetailsSayWhichConstraintWasViolated) {
  captured_log lines;
  open([&](options& how) { how.logger = lines.logger; });
  auto f = refused("insert into book values (1, 1)");
  EXPECT_EQ(f.detail, "Key (id)=(1) already exists.");
  EXPECT_EQ(f.table, "book");
  EXPECT_EQ(f.constraint, "book_pkey");
  EXPECT_THAT(f.context, IsEmpty());
  f = refused("insert into book values (:id, :price)", {{"id", 2}, {"price", 0}});
  EXPECT_EQ(f.constraint, "not_free");
  EXPECT_EQ(f.detail, "Failing row contains (‹:id›…‹:price›).");
  EXPECT_EQ(refused("insert into book values (null, 1)").column, "id");
  EXPECT_EQ(lines.count("detail=\"Key (id)=(1) already exists.\" table=book constraint=book_pkey"), 1u) << lines.text();
}

} // namespace
