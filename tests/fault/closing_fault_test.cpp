// SPDX-License-Identifier: BSD-3-Clause
//
// The end of an engine while requests keep coming and its server is unwell: every request is answered, the destructor
// returns, and the next engine finds the server as if nothing had been.

#include "fault/fault_test.hpp"

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class FaultClosing : public PostgresqlFault {
protected:
  /// Many requests, of which some run and the others wait. They are never answered but by the engine's end.
  std::vector<std::future<reply>> endless_requests() {
    std::vector<std::future<reply>> all;
    for (int i = 0; i < 50; ++i) {
      auto asked = request_of(3, [](int) { return query{"", "select pg_sleep(86400)"}; });
      all.push_back(e->run_future(std::move(asked)));
    }
    return all;
  }

  static void expect_closed(std::vector<std::future<reply>>& all) {
    for (auto& x : all) {
      const auto reply = x.get();
      ASSERT_FALSE(reply.ok());
      EXPECT_EQ(reply.failure->code, errc::pool_closed) << to_string(*reply.failure);
    }
  }

  void expect_next_engine_to_work() {
    EXPECT_TRUE(eventually_tidy()); // threads that were left to a call that blocked
    EXPECT_TRUE(eventually([&] { return schema.backends() == 0; }));
    open();
    expect_recovery();
  }
};

TEST_F(FaultClosing, UnderLoadAnswersAll) {
  open();
  auto all = endless_requests();
  EXPECT_TRUE(eventually([&] { return schema.running() == 3; }));
  e.reset();
  expect_closed(all);
  expect_next_engine_to_work();
}

TEST_F(FaultClosing, WhileTheServerIsPausedAnswersAll) {
  server_control control;
  open();
  auto all = endless_requests();
  EXPECT_TRUE(eventually([&] { return schema.running() == 3; }));
  control.pause();
  e.reset();
  expect_closed(all);
  control.resume();
  expect_next_engine_to_work();
}

} // namespace
