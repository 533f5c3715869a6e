// SPDX-License-Identifier: BSD-3-Clause
//
// Clients of a pool of scripted sessions, as its tests see them.

#pragma once

#include "support/pool_under_test.hpp"

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sheaf::test {

/// Waits for a session, and notes what it hears and in which order the waiters hear.
struct client final : session_waiter {
  explicit client(std::vector<client*>& order) : order(order) {}

  void on_lease(lease got) override {
    held = std::move(got);
    order.push_back(this);
  }
  void on_refused(failure why) override {
    refusal = std::move(why);
    order.push_back(this);
    if (then)
      then();
  }

  void on_call(session_pool&, clock::time_point) override { FAIL() << "there is no other pool"; }

  std::string_view label() const noexcept override { return "client"; }

  void came_with(clock::time_point request) { set_turn(request); }
  void may_start_until(clock::time_point when) { set_latest_start(when); }

  std::vector<client*>& order;
  lease held;
  std::optional<failure> refusal;
  std::function<void()> then; ///< Called when it is refused.
};

inline const failure refused{.code = errc::connect_failed, .phase = phase::connect, .message = "nobody at home"};

class SessionPoolTest : public PoolTest {
protected:
  ~SessionPoolTest() override {
    on_loop([this] { clients.clear(); });
  }

  /// Asks for a session as a client of its own.
  client& ask(priority rank = priority::normal) {
    return on_loop([&]() -> client& {
      auto& c = clients.emplace_back(served);
      auto got = pool->acquire(c, rank);
      if (got.has_error())
        c.refusal = std::move(got).error();
      else
        c.held = std::move(*got);
      return c;
    });
  }

  /// Asks, and waits for the session that is opened.
  client& get() {
    auto& c = ask();
    settle();
    EXPECT_TRUE(c.held);
    return c;
  }

  void give_back(client& c) {
    on_loop([&] { c.held.give_back(); });
    settle();
  }
  void cancel(client& c) {
    on_loop([&] { c.held.drop(); });
    settle();
  }
  void run(client& c, const char* script_text) {
    struct nobody final : run_listener {
      void on_answer(answer&&, const moments&) override {}
    };
    static nobody listener;
    on_loop([&] {
      auto q = std::make_shared<query>("q", statement{script_text});
      c.held.push({.query = q.get(), .text = q->statement.parse(dialect::sqlite, {}).get(), .keep_alive = q}, listener);
    });
    settle();
  }
  int id(client& c) {
    return on_loop([&] { return c.held ? c.held.session_id() : 0; });
  }

  std::vector<client*> served;
  std::list<client> clients;
};

} // namespace sheaf::test
