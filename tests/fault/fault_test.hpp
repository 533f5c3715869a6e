// SPDX-License-Identifier: BSD-3-Clause
//
// The base of the tests that break something: each ends by proving that all is well again. That nothing is left behind
// is checked after every test here, as after all others.

#pragma once

#include "support/fault_gate.hpp"
#include "support/postgresql_test.hpp"
#include "support/server_control.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace sheaf::test {

/// Waits until the engine is at rest and serves as if nothing had been: a request is answered, every session of the
/// pool can be had at once, and the database knows of these sessions alone. `sessions` are those that it knows of,
/// `running` those of them that are busy. Only on databases that have `meet`.
inline void expect_recovery(engine& e, const std::function<int()>& sessions, const std::function<int()>& running) {
  ASSERT_TRUE(eventually([&] { return e.run(request_of({{"q", "select 1"}})).ok(); }));
  const auto now = [&] { return e.stats().front(); };
  EXPECT_TRUE(eventually([&] { return now().active + now().cancelling + now().waiting + now().connecting == 0; }));
  const auto size = static_cast<int>(now().max_size);
  const auto x = e.run(request_of(size, [&](int) { return query{"", "select meet(:size)", {{"size", size}}}; }));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  std::set<int> met;
  for (const auto& o : x.outcomes)
    met.insert(number_in(o));
  EXPECT_EQ(static_cast<int>(met.size()), size);
  EXPECT_EQ(static_cast<int>(now().total), size);
  EXPECT_TRUE(eventually([&] { return sessions() == size; })) << sessions() << " sessions";
  EXPECT_TRUE(eventually([&] { return running() == 0; }));
}

/// Requests from several threads, one after another, until it is over. Every one is answered: that it is, is checked by
/// the end.
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

  int answered() const { return answered_; } ///< In full.
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
    schema.server("select setval('arrivals', 1, false)"); // whoever was cancelled in `meet` is still counted
    test::expect_recovery(
        *e, [this] { return schema.backends(); }, [this] { return schema.running(); });
  }

  /// What has been done so far outlasts a crash of the server, which otherwise writes it a little later.
  void flush() { schema.server("set synchronous_commit = on; create table flushed()"); }

  /// The test's own connection, too, is gone when the server has been.
  void reconnect() {
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
    auto what = request_of({std::move(q)});
    what.deadline = deadline;
    return e->run_future(std::move(what));
  }

  /// Opens all sessions of the pool. Their backends.
  std::vector<int> fill_pool() {
    const auto size = static_cast<int>(stats().max_size);
    const auto x = e->run(request_of(size, [&](int) { return query{"", "select meet(:size)", {{"size", size}}}; }));
    EXPECT_TRUE(x.ok()) << to_string(*x.failure);
    std::vector<int> pids;
    for (const auto& o : x.outcomes)
      pids.push_back(number_in(o));
    return pids;
  }

  static query endless() { return {"endless", "select pg_sleep(86400)"}; }
};

} // namespace sheaf::test
