// SPDX-License-Identifier: BSD-3-Clause
//
// Tables are altered while an engine's sessions know statements of theirs: what one session finds out, all of the
// database know before anybody hears of it.

#include "support/postgresql_test.hpp"

#include <soci/soci.h>

#include <array>
#include <future>

namespace {

using namespace sheaf;
using namespace sheaf::test;

/// Two sessions, on as many loops as the parameter says.
class Alteration : public PostgresqlTest, public testing::WithParamInterface<std::size_t> {
protected:
  void SetUp() override {
    PostgresqlTest::SetUp();
    open([](options& how) {
      how.databases[0].pool.max_size = 2;
      how.loops = GetParam();
    });
    for (auto& x : hold_both())
      pids[pids[0] != 0] = x.pid.get();
  }

  /// Runs a query on one of the sessions, while the other is not to be had.
  reply run_on(int pid, query q) {
    auto held = hold_both();
    const int first = held[0].pid.get();
    held[1].pid.wait(); // else it might take the session that is let go
    auto& wanted = held[first == pid ? 0 : 1];
    wanted.release();
    return run(std::move(q));
  }

  reply run_on(int pid, const statement& sql, parameters values = {}) {
    return run_on(pid, query{"q", sql, std::move(values)});
  }

  /// Has both sessions prepare it, and run what they have prepared.
  void prepare(const statement& sql, const parameters& values = {}) {
    for (const int pid : pids)
      for (int i = 0; i < 3; ++i) {
        const auto x = run_on(pid, sql, values);
        ASSERT_TRUE(x.ok()) << to_string(*x.failure);
      }
  }

  /// The time at which a session has prepared its only statement of this kind.
  std::string prepared_at(int pid, const std::string& beginning) {
    return run_on(pid, query::of_task("q",
                                      [=](soci::session& s) {
                                        std::string at;
                                        const auto pattern = beginning + "%"; // until the statement has run
                                        s << "select prepare_time::text from pg_prepared_statements where statement "
                                             "like :s",
                                            soci::into(at), soci::use(pattern);
                                        return at;
                                      }))["q"]
        .value<std::string>();
  }

  std::array<int, 2> pids{};

private:
  /// A session that a C++ task has.
  struct hold {
    std::shared_future<int> pid;
    std::promise<void> may_end;
    std::future<reply> ended;

    void release() {
      if (ended.valid()) {
        may_end.set_value();
        EXPECT_TRUE(ended.get().ok());
      }
    }
    hold() = default;
    hold(hold&&) = default;
    hold& operator=(hold&&) = default;
    ~hold() { release(); }
  };

  std::array<hold, 2> hold_both() {
    std::array<hold, 2> all;
    for (auto& x : all) {
      auto pid = std::make_shared<std::promise<int>>();
      x.pid = pid->get_future().share();
      x.ended = std::async(std::launch::async, [this, pid, end = x.may_end.get_future().share()] {
        return run(query::of_task("held", [pid, end](soci::session& s) {
          int mine = 0;
          s << "select pg_backend_pid()", soci::into(mine);
          pid->set_value(mine);
          end.wait();
        }));
      });
    }
    return all;
  }
};

INSTANTIATE_TEST_SUITE_P(, Alteration, testing::Values(1, 2),
                         [](const auto& x) { return x.param == 1 ? "OnOneLoop" : "OnTwoLoops"; });

const parameters small{{"id", "1"}}, large{{"id", "3000000000"}};

TEST_P(Alteration, FailsARequestOnceAtMost) {
  schema.server("create table t(id int)");
  const statement write{"insert into t values (:id)"}, other{"insert into t values (:id) returning id"};
  prepare(write, small);
  prepare(other, small);
  schema.server("alter table t alter column id type bigint");
  const auto x = run_on(pids[0], write, large);
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->sqlstate, "22003") << to_string(*x.failure);
  for (const int pid : {pids[1], pids[0]})
    for (const auto& sql : {write, other}) {
      const auto again = run_on(pid, sql, large);
      EXPECT_TRUE(again.ok()) << to_string(*again.failure);
    }
  EXPECT_EQ(schema.server.number("select count(*) from t"), 2 * 3 * 2 + 4);
}

TEST_P(Alteration, FailsNobodyOnceAReadHasMetIt) {
  schema.server("create table t(id int)");
  const statement write{"insert into t values (:id)"}, asked{"select count(*) from t where id = :id"};
  prepare(write, small);
  prepare(asked, small);
  schema.server("alter table t alter column id type bigint");
  query read{"q", asked, large};
  read.read_only = true;
  EXPECT_EQ(run_on(pids[0], std::move(read))["q"].table().scalar<int>(), 0);
  const auto x = run_on(pids[1], write, large);
  EXPECT_TRUE(x.ok()) << to_string(*x.failure);
}

/// Of a date's type text would be read without its time of day.
TEST_P(Alteration, ThatFailsNothingIsKnownFromAResultThatLooksOtherwise) {
  schema.server("create table t(at date)");
  const statement write{"insert into t values (:at)"}, asked{"select * from t"};
  prepare(write, {{"at", "2024-02-29"}});
  prepare(asked);
  schema.server("alter table t alter column at type timestamp; truncate t");
  EXPECT_TRUE(run_on(pids[0], asked).ok());
  EXPECT_TRUE(run_on(pids[1], write, {{"at", "2024-02-29 12:34:56"}}).ok());
  EXPECT_EQ(schema.server("select at from t"), "2024-02-29 12:34:56");
}

TEST_P(Alteration, IsNotWhatBadInputIsTakenFor) {
  schema.server("create table t(id int)");
  const statement write{"insert into t values (:id)"};
  prepare(write, small);
  const std::array before{prepared_at(pids[0], "insert"), prepared_at(pids[1], "insert")};
  EXPECT_NE(before[0], "");
  for (const auto* bad : {"one", "", "3000000000"})
    for (int i = 0; i < 3; ++i) {
      EXPECT_FALSE(run_on(pids[0], write, {{"id", bad}}).ok()) << bad;
      EXPECT_TRUE(run_on(pids[1], write, small).ok());
    }
  EXPECT_TRUE(run_on(pids[0], write, small).ok());
  EXPECT_EQ(prepared_at(pids[0], "insert"), before[0]);
  EXPECT_EQ(prepared_at(pids[1], "insert"), before[1]);
}

} // namespace
