// SPDX-License-Identifier: BSD-3-Clause
//
// The base of tests of an engine's life. Each is a process of its own (ctest), and an alarm ends one that hangs, at its
// exit as well.

#pragma once

#include "sheaf/protocol.hpp"
#include "support/database_under_test.hpp"

#include <unistd.h>

#include <cstddef>
#include <memory>

namespace sheaf::test {

inline constexpr unsigned watchdog_seconds = 120;

class LifetimeTest : public ::testing::TestWithParam<database_kind> {
protected:
  LifetimeTest() { ::alarm(watchdog_seconds); }

  request one() const { return request_of({database->answers("q", 1)}); }
  request endless() const { return request_of({database->never_ends("q")}); }

  /// True once no session and no descriptor is left of what came after this object.
  bool eventually_gone() const {
    return eventually([&] { return database->sessions() == 0 && open_descriptors() <= descriptors; });
  }

  std::unique_ptr<database_under_test> database = make_database(GetParam());
  const std::size_t descriptors = open_descriptors();
};

template <class F>
void expect_refused(F call) {
  try {
    call();
    ADD_FAILURE() << "it was not refused";
  } catch (const error& e) {
    EXPECT_EQ(e.why().code, errc::invalid_request) << e.what();
  }
}

/// All of them are: nothing waits, nothing crashes.
inline void expect_all_calls_refused(engine& e) {
  EXPECT_EQ(e.run(request{}).failure->code, errc::invalid_request);
  EXPECT_EQ(e.run_future(request{}).get().failure->code, errc::invalid_request);
  expect_refused([&] { e.run_async(request{}, [](const reply&) {}); });
  expect_refused([&] { e.run_on_each_loop([](auto&) {}); });
  expect_refused([&] { static_cast<void>(e.stats()); });
  expect_refused([&] { static_cast<void>(e.statements()); });
  expect_refused([&] { static_cast<void>(e.metrics_text()); });
  expect_refused([&] { static_cast<void>(actor_of(e)); });
}

} // namespace sheaf::test
