// SPDX-License-Identifier: BSD-3-Clause
//
// Backends that are ended, killed or stopped under the sessions that they serve.

#include "fault/fault_test.hpp"

#include <csignal>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class FaultBackend : public PostgresqlFault {
protected:
  void terminate(int pid) { schema.server(fmt::format("select pg_terminate_backend({}, 60000)", pid)); }

  /// The backend that runs the endless query.
  int busy_backend() {
    const auto which =
        fmt::format("from pg_stat_activity where application_name = '{}' and wait_event = 'PgSleep'", schema.name());
    EXPECT_TRUE(eventually([&] { return schema.server.number("select count(*) " + which) == 1; }));
    return schema.server.number("select pid " + which);
  }
};

TEST_F(FaultBackend, TerminatedWhileIdleCostsNoRequest) {
  open();
  for (const int pid : fill_pool())
    terminate(pid);
  EXPECT_TRUE(eventually([&] { return stats().total == 0; }));
  EXPECT_EQ(rows("select 7").scalar<int>(), 7);
  expect_recovery();
}

TEST_F(FaultBackend, TerminatedInMidQueryCostsThatQueryAlone) {
  open();
  auto lost = run_later(endless());
  const int pid = busy_backend();
  auto asked = request_of({{"a", "select meet(3)"}, {"b", "select meet(3)"}});
  auto other = e->run_future(std::move(asked));
  terminate(pid);
  const auto x = lost.get();
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::connection_lost) << to_string(*x.failure);
  EXPECT_EQ(x.failure->sqlstate, "57P01");
  EXPECT_FALSE(safe_to_retry(*x.failure));
  schema.server("select meet(3)");
  EXPECT_TRUE(other.get().ok());
  expect_recovery();
}

/// The server then ends all backends, those of other clients too, and recovers as after a crash.
TEST_F(FaultBackend, KilledTakesAllSessionsWithIt) {
  open();
  flush();
  fill_pool();
  auto first = run_later(endless());
  const int pid = busy_backend();
  auto second = run_later({"endless", "select count(*) from pg_sleep(86400)"});
  EXPECT_TRUE(eventually([&] { return schema.running() == 2; }));
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  for (auto* lost : {&first, &second}) {
    const auto x = lost->get();
    ASSERT_FALSE(x.ok());
    EXPECT_EQ(x.failure->code, errc::connection_lost) << to_string(*x.failure);
    EXPECT_FALSE(safe_to_retry(*x.failure));
  }
  EXPECT_TRUE(eventually([&] { return stats().idle == 0; })) << "nobody has noticed";
  reconnect();
  expect_recovery();
}

TEST_F(FaultBackend, StoppedInMidQueryHoldsUpNobody) {
  open([](options& how) { how.databases[0].pool.max_size = 1; });
  auto stuck = run_later(endless(), 1s);
  const int pid = busy_backend();
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  EXPECT_EQ(stuck.get().failure.value().code, errc::deadline_exceeded);
  // It does not confirm the cancel. Its place is free all the same, once `cancel_wait_timeout` has passed.
  EXPECT_NE(backend_pid(), pid);
  EXPECT_EQ(stats().total, 1u);
  EXPECT_EQ(schema.backends(), 2);
  ASSERT_EQ(::kill(pid, SIGCONT), 0);
  expect_recovery();
}

} // namespace
