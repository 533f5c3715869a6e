// SPDX-License-Identifier: BSD-3-Clause
//
// The whole server away: restarted, stopped for a while, paused, or not there yet when the engine starts. Requests that
// come meanwhile are answered all the same.

#include "fault/fault_test.hpp"

#include <map>
#include <mutex>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class FaultServer : public PostgresqlFault {
protected:
  void SetUp() override {
    flush();
    PostgresqlFault::SetUp();
  }

  /// The failures that a request may have while the server comes and goes.
  static void expect_sensible(const reply& x) {
    for (const auto& o : x.outcomes) {
      if (const auto* f = o.error_info()) {
        const bool expected = f->code == errc::connect_failed || f->code == errc::connection_lost ||
                              f->code == errc::query_canceled; // because its sibling failed
        EXPECT_TRUE(expected) << to_string(*f);
      }
    }
  }

  static request small() {
    return request_of(3, [](int i) { return query{"", fmt::format("select {}", i)}; });
  }

  server_control control;
};

TEST_F(FaultServer, RestartedUnderLoadFailsWhatItCannotAnswer) {
  open();
  load requests{*e, 4, small, expect_sensible};
  EXPECT_TRUE(eventually([&] { return requests.answered() > 100; }));
  control.restart();
  const int before = requests.answered();
  EXPECT_TRUE(eventually([&] { return requests.answered() > before + 100; }));
  requests.end();
  EXPECT_GT(requests.failed(), 0);
  reconnect();
  expect_recovery();
}

TEST_F(FaultServer, StoppedForSecondsFailsRequestsAtOnceUntilItIsBack) {
  open();
  fill_pool();
  control.stop();
  EXPECT_TRUE(eventually([&] { return stats().total == 0; })) << "nobody has noticed";
  {
    load requests{*e, 2, small, expect_sensible};
    std::this_thread::sleep_for(3s); // as long as it is away
    requests.end();
    EXPECT_EQ(requests.answered(), 0);
    EXPECT_GT(requests.failed(), 2) << "they wait for their deadline";
  }
  control.start();
  reconnect();
  expect_recovery();
}

TEST_F(FaultServer, PausedAnswersAtTheDeadline) {
  open();
  EXPECT_GT(backend_pid(), 0);
  control.pause();
  EXPECT_EQ(rows("select 7").scalar<int>(), 7); // sessions that are there are not its business
  auto endless_one = run_later(endless(), 300ms);
  auto connecting = e->run_future([] {
    auto asked = request_of({{"q", "select 1"}});
    asked.deadline = 300ms;
    return asked;
  }());
  EXPECT_EQ(connecting.get().failure.value().code, errc::deadline_exceeded);
  EXPECT_EQ(endless_one.get().failure.value().code, errc::deadline_exceeded);
  // The cancel, too, waits for the postmaster; the slot does not.
  EXPECT_TRUE(eventually([&] { return stats().total == 0 && stats().cancelling == 0; }));
  for (int i = 0; i < 3; ++i) {
    auto asked = small();
    asked.deadline = 50ms;
    const auto x = e->run(std::move(asked));
    ASSERT_FALSE(x.ok());
    EXPECT_EQ(x.failure->code, errc::deadline_exceeded) << to_string(*x.failure);
    EXPECT_EQ(x.failure->phase, phase::connect) << to_string(*x.failure);
    EXPECT_TRUE(safe_to_retry(*x.failure));
  }
  control.resume();
  expect_recovery();
}

TEST_F(FaultServer, NotThereAtTheStartIsUsedAsSoonAsItIs) {
  const auto port = schema.server.number("select inet_server_port()");
  const auto elsewhere = std::make_unique<fault_gate>(port);
  elsewhere->strike(fault::refuse);
  open([&](options& how) { how.databases[0].url = schema.url(fmt::format("port={}", elsewhere->port())); });
  for (int i = 0; i < 3; ++i) {
    const auto f = refused("select 1");
    EXPECT_EQ(f.code, errc::connect_failed) << to_string(f);
    EXPECT_EQ(f.phase, phase::connect);
    EXPECT_TRUE(safe_to_retry(f));
  }
  elsewhere->heal();
  expect_recovery();
  e.reset();
  EXPECT_TRUE(eventually([&] { return elsewhere->connections() == 0; }));
}

} // namespace
