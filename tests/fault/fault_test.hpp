// SPDX-License-Identifier: BSD-3-Clause
//
// The base of the tests that break something: each ends by proving that all is well again. After every test here, as
// after all others, a check shows that nothing is left behind.

#pragma once

#include "support/fault_gate.hpp"
#include "support/postgresql_test.hpp"
#include "support/server_control.hpp"
#include "support/sqlite_functions.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sheaf::test {

/// An engine and its database, as the proof of recovery needs them.
struct recovering {
  std::function<reply(request)> run;
  std::function<pool_stats()> stats;
  std::function<int()> sessions; ///< The number that the database knows of.
  std::function<int()> running;  ///< The number of them that are busy.
};

/// `count` queries that are answered once all of them run at once: each with its session.
inline request meeting(std::size_t count) {
  return request_of(static_cast<int>(count), [&](int) { return query{"", "select meet(:size)", {{"size", count}}}; });
}

/// Waits until the engine is at rest and serves as if nothing had been: a request is answered, every session of the
/// pool can be had at once, and the database knows of these sessions alone.
inline void expect_recovery(const recovering& x) {
  ASSERT_TRUE(eventually([&] { return x.run(request_of({{"q", "select 1"}})).ok(); }));
  EXPECT_TRUE(eventually([&] {
    const auto now = x.stats();
    return now.active + now.cancelling + now.waiting + now.connecting == 0;
  }));
  const auto size = x.stats().max_size;
  const auto all = x.run(meeting(size));
  ASSERT_TRUE(all.ok()) << to_string(*all.failure);
  std::set<int> met;
  for (const auto& o : all.outcomes)
    met.insert(number_in(o));
  EXPECT_EQ(met.size(), size);
  EXPECT_EQ(x.stats().total, size);
  EXPECT_TRUE(eventually([&] { return x.sessions() == static_cast<int>(size); })) << x.sessions() << " sessions";
  EXPECT_TRUE(eventually([&] { return x.running() == 0; }));
}

/// Requests from several threads, one after another, until it is over. Every one is answered, which is checked by the
/// end.
class load {
public:
  /// `make` gives the requests; `check` sees each reply. Both are called from all threads.
  load(engine& e, int threads, std::function<request()> make, std::function<void(const reply&)> check) {
    for (int i = 0; i < threads; ++i)
      threads_.emplace_back([this, &e, make, check] {
        while (!over_) {
          const auto x = e.run(make());
          check(x);
          ++(x.ok() ? answered_ : failed_);
        }
      });
  }
  ~load() { end(); }

  load(const load&) = delete;
  load& operator=(const load&) = delete;

  void end() {
    over_ = true;
    for (auto& t : threads_)
      t.join();
    threads_.clear();
  }

  int answered() const { return answered_; } ///< The number answered in full.
  int failed() const { return failed_; }

private:
  std::atomic<bool> over_ = false;
  std::atomic<int> answered_ = 0, failed_ = 0;
  std::vector<std::thread> threads_;
};

/// On PostgreSQL, with a pool of three sessions unless told otherwise.
class PostgresqlFault : public PostgresqlTest {
protected:
  void open(const std::function<void(options&)>& change = {}) {
    PostgresqlTest::open([&](options& how) {
      how.databases[0].pool.max_size = 3;
      how.databases[0].cancel_wait_timeout = std::chrono::milliseconds{200};
      if (change)
        change(how);
    });
  }

  void expect_recovery() {
    schema.server("select setval('arrivals', 1, false)"); // a call cancelled in `meet` is still counted
    test::expect_recovery({.run = [this](request asked) { return e->run(std::move(asked)); },
                           .stats = [this] { return stats(); },
                           .sessions = [this] { return schema.backends(); },
                           .running = [this] { return schema.running(); }});
  }

  /// Makes all work so far outlast a crash of the server, which otherwise writes it a little later.
  void flush() { schema.server("set synchronous_commit = on; create table flushed()"); }

  /// The test's own connection, too, is gone when the server has been: once that shows, the server is on its way back,
  /// and new connections do not meet the old one.
  void reconnect() {
    EXPECT_TRUE(eventually([&] {
      try {
        schema.server("select 1");
        return false;
      } catch (const std::runtime_error&) {
        return true;
      }
    }));
    EXPECT_TRUE(eventually([&] {
      try {
        schema.reconnect();
        return true;
      } catch (const std::runtime_error&) {
        return false;
      }
    }));
  }

  std::future<reply> run_later(query q, std::chrono::nanoseconds deadline = std::chrono::minutes{1}) {
    auto asked = request_of({std::move(q)});
    asked.deadline = deadline;
    return e->run_future(std::move(asked));
  }

  /// Opens all sessions of the pool. Their backends.
  std::vector<int> fill_pool() {
    const auto x = e->run(meeting(stats().max_size));
    EXPECT_TRUE(x.ok()) << to_string(*x.failure);
    std::vector<int> pids;
    for (const auto& o : x.outcomes)
      pids.push_back(number_in(o));
    return pids;
  }

  static query endless() { return {"endless", "select pg_sleep(86400)"}; }
};

/// With a gate in front of the server.
class FaultBehindGate : public PostgresqlFault {
protected:
  void SetUp() override {
    gate = std::make_unique<fault_gate>(schema.server.number("select inet_server_port()"));
    PostgresqlFault::SetUp();
  }

  void TearDown() override {
    e.reset();
    // The gate's ends are descriptors of ours, too. There is none where the server could not be asked for its port.
    EXPECT_TRUE(eventually([&] { return !gate || gate->connections() == 0; }));
    EXPECT_TRUE(eventually_tidy());
    PostgresqlFault::TearDown();
  }

  /// The test's schema by way of the gate; `more` is appended.
  std::string url_of_gate(std::string_view more = {}) const {
    return schema.url(fmt::format("port={} sslmode=disable gssencmode=disable {}", gate->port(), more));
  }

  std::unique_ptr<fault_gate> gate;
};

/// On any database that knows SQL.
class AnyFault : public AnyDatabase {
protected:
  void expect_recovery() {
    if (is(database_kind::sqlite))
      add_sqlite_functions();
    else
      EXPECT_TRUE(eventually([&] { return run(request_of({{"q", "select setval('arrivals', 1, false)"}})).ok(); }));
    test::expect_recovery({.run = [this](request asked) { return run(std::move(asked)); },
                           .stats = [this] { return stats(); },
                           .sessions = [this] { return database->sessions(); },
                           .running = [this] { return database->running(); }});
  }

  table rows(statement sql, parameters values = {}) {
    auto x = run(request_of({{"q", std::move(sql), std::move(values)}}));
    if (!x.ok())
      throw error(*x.failure);
    return x["q"].table();
  }

  failure refused(statement sql, std::chrono::nanoseconds deadline = std::chrono::minutes{1}) {
    auto asked = request_of({{"q", std::move(sql)}});
    asked.deadline = deadline;
    const auto x = run(std::move(asked));
    EXPECT_FALSE(x.ok());
    return x.ok() ? failure{} : *x["q"].error_info();
  }
};

} // namespace sheaf::test
