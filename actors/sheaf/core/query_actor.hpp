// SPDX-License-Identifier: BSD-3-Clause
//
// One query: gets a session, runs on it, hands it back, replies once, and is gone. When its session is lost it may run
// again on another. Lives on the loop of its session's pool.

#pragma once

#include "sheaf/core/checked_request.hpp"
#include "sheaf/core/messages.hpp"
#include "sheaf/loop/loop_actor.hpp"
#include "sheaf/request_inspect.hpp"
#include "sheaf/session/result_budget.hpp"
#include "sheaf/session/session_pool.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sheaf {

/// Takes a query actor's outcome: its request actor. On the same loop a message would only be a detour.
class query_joiner {
public:
  virtual void join(std::size_t index, outcome&& got) = 0; ///< Its name is left empty.
  virtual void call(const query_called& called) = 0;

protected:
  ~query_joiner() = default;
};

/// The run of query `index`, with the bounds that it and the engine set. Without a deadline, and with nothing that
/// keeps it alive.
execution execution_of(const checked_request& asked, std::size_t index, const options& settings);

/// The time of each phase up to `now`: ` after 52ms (queue 2ms, execute 50ms)`.
std::string account_of(const query_times& times, phase last, std::chrono::nanoseconds now);

struct query_job {
  std::shared_ptr<const checked_request> request;
  std::size_t index = 0;
  session_pool* pool = nullptr;            ///< Of the loop that the actor is spawned on.
  clock::time_point deadline;              ///< The request's, or the query's own if that is earlier.
  bool own_deadline = false;               ///< The query's own: nobody else watches it.
  std::optional<clock::time_point> turn{}; ///< It waits in the turn of one that came then.
  /// After it a session would come too late: the deadline, less the time that the statement takes at most. Never where
  /// that is not known.
  clock::time_point latest_start = clock::time_point::max();
  const options* settings = nullptr;
  caf::actor reply_to;
  query_joiner* here = nullptr; ///< `reply_to`, if it lives on the same loop.
  bool reserved = false;        ///< The pool counts on it.
  /// It has waited on another loop before: what came of that.
  std::optional<query_called> before{};
  std::optional<failure> lost{}; ///< It was in a pack, and failed so with its session.
  bool beside_pack = false;      ///< It is still in one, too.
};

class query_actor final : public loop_actor, private session_waiter, private run_listener {
public:
  query_actor(caf::actor_config& cfg, event_loop& loop, query_job job);

  const char* name() const override { return "sheaf.query"; }

private:
  void begin() override;
  void receive(caf::message& message) override;
  void on_kill() override { give_up({errc::query_canceled, "the query's actor was ended"}); }
  void on_thrown(const std::exception_ptr& thrown) override { give_up(early_end_for(thrown)); }

  void acquire(session_pool::arrival how);
  void run(lease got);
  void on_failed(failure why);
  bool run_again(const failure& why);
  void give_up(const early_end& why);
  void reply(answer&& got);

  void on_lease(lease got) override { run(std::move(got)); }
  void on_refused(failure why) override;
  void on_call(session_pool& there, clock::time_point since) override;
  std::string_view label() const noexcept override { return asked().name; }
  void on_answer(answer&& got, const moments& when) override;
  void on_rows(table&& part) override;
  class next_part;
  void resume(std::uint64_t part);
  void abandon(std::uint64_t part);

  std::chrono::nanoseconds since_start(clock::time_point t) const noexcept { return t - job_.request->taken_at; }
  sheaf::phase phase_reached() const noexcept;
  std::string account(sheaf::phase last) const { return account_of(times_, last, since_start(loop().refresh_now())); }
  void note(const moments& when) noexcept;
  result_budget* budget() const noexcept;
  const query& asked() const noexcept { return job_.request->given.queries[job_.index]; }

  query_job job_;
  lease lease_;
  query_times times_;
  timer timeout_;
  std::unique_ptr<timer> again_; ///< Made for the first attempt after a failed one.
  notices notices_;              ///< Of the last attempt.
  std::uint32_t attempts_ = 1, retries_ = 0;
  std::uint64_t parts_ = 0;         ///< Parts that went to `query::on_rows`.
  bool awaits_next_ = false;        ///< The receiver of the parts has not asked for more.
  std::unique_ptr<failure> thrown_; ///< The failure that `query::on_rows` threw.
};

} // namespace sheaf
