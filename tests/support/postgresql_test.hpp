// SPDX-License-Identifier: BSD-3-Clause
//
// The base of tests for PostgreSQL alone: an engine of one session, unless told otherwise, on a schema of its own.

#pragma once

#include "sheaf/engine.hpp"
#include "support/database_under_test.hpp"
#include "support/effort.hpp"
#include "support/postgresql_server.hpp"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace sheaf::test {

class PostgresqlTest : public TidyTest {
protected:
  void SetUp() override { count_what_is_there(); }
  void TearDown() override {
    e.reset();
    expect_nothing_left();
    EXPECT_TRUE(eventually([&] { return schema.backends() == 0; }));
  }

  void open(const std::function<void(options&)>& change = {}) {
    auto how = for_database(schema.url(), {.max_size = 1});
    how.databases[0].pack = packing_under_test();
    if (change)
      change(how);
    e = std::move(engine::create(std::move(how), system).value());
  }

  reply run(query q) { return e->run(request_of({std::move(q)})); }
  reply run(statement sql, parameters values = {}) { return run(query{"q", std::move(sql), std::move(values)}); }

  table rows(statement sql, parameters values = {}) {
    auto x = run(std::move(sql), std::move(values));
    if (!x.ok())
      throw error(*x.failure);
    return x["q"].table();
  }

  failure refused(statement sql, parameters values = {}) {
    const auto x = run(std::move(sql), std::move(values));
    EXPECT_TRUE(x.failure);
    return x.failure.value_or(failure{});
  }

  /// Runs `f` on the session that statements get.
  template <class F>
  auto on_session(F f) {
    using value = std::invoke_result_t<F&, soci::session&>;
    const auto x = run(query::of_task("task", std::move(f)));
    if (!x.ok())
      throw error(*x.failure);
    if constexpr (!std::is_void_v<value>)
      return x["task"].template value<value>();
  }

  int backend_pid() { return rows("select pg_backend_pid()").scalar<int>(); }
  pool_stats stats() { return e->stats().front(); }

  postgresql_schema schema;
  std::unique_ptr<engine> e;
};

} // namespace sheaf::test
