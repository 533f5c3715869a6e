// SPDX-License-Identifier: BSD-3-Clause
//
// The centre: spawns a query actor per query, joins their replies in the order the queries were given, keeps the
// deadline and the error policy, replies exactly once, and is gone.

#pragma once

#include "sheaf/core/checked_request.hpp"
#include "sheaf/core/engine_loops.hpp"
#include "sheaf/core/messages.hpp"
#include "sheaf/core/query_actor.hpp"
#include "sheaf/loop/loop_actor.hpp"

#include <boost/container/small_vector.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace sheaf {

class request_actor final : public loop_actor, public live_request, private query_joiner {
public:
  /// `callback` is called once, on the loop of `home`, and what it throws is logged. Where this throws, the caller
  /// still has it.
  request_actor(caf::actor_config& cfg, engine_loop& home, std::shared_ptr<const checked_request> checked,
                std::function<void(reply)>&& callback, std::shared_ptr<request_link> link);

  const char* name() const override { return "sheaf.request"; }

  /// Answers what is still open with this code.
  void give_up(const early_end& why) override;

private:
  void begin() override;
  void receive(caf::message& message) override;
  void on_kill() override { give_up({errc::query_canceled, "the request's actor was ended"}); }
  void on_thrown(const std::exception_ptr& thrown) override { give_up(early_end_for(thrown)); }
  void join(std::size_t index, outcome&& got) override;
  void call(const query_called& called) override;

  void refuse();
  std::optional<std::size_t> next() noexcept;
  void spawn_all_that_may_begin();
  void spawn_next(std::size_t index);
  void spawn(std::size_t index, engine_loop& where, bool reserved, std::optional<query_called> before);
  void spawn_on(std::size_t index, engine_loop& where, bool reserved, const std::optional<query_called>& before);
  void apply_policy(const query& q, const outcome& got);
  void end_rest(const early_end& why);
  void settle_failure();
  bool has_what_it_needs() const noexcept;
  void reply_now();
  void log_outcome() const;
  void log_notices(const outcome& of) const;

  std::shared_ptr<const checked_request> request_;
  std::function<void(reply)> callback_;
  std::shared_ptr<request_link> link_;
  engine_loop& home_;

  reply reply_;
  admission::ticket ticket_;        ///< Empty where it was refused.
  std::vector<caf::actor> running_; ///< By position; null where the query has not begun or is over.
  /// Of the queries of one database, those at positions `before` this one have begun, and `pending` are not over.
  struct begun {
    std::size_t before = 0, pending = 0;
  };
  boost::container::small_vector<begun, 2> begun_; ///< By database.
  std::size_t spawned_ = 0, pending_ = 0, succeeded_ = 0, failed_ = 0;
  std::size_t width_ = 0; ///< 0 for as many of each database as its pool has sessions.
  bool ending_ = false;   ///< No query begins any more, and those that run have been told to end.
  early_end end_;         ///< With this, if so.
  timer deadline_;
};

} // namespace sheaf
