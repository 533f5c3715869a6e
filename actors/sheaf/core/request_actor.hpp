// SPDX-License-Identifier: BSD-3-Clause
//
// The centre: spawns a query actor per query, or one for several that share a session, joins their replies in the order
// the queries were given, keeps the deadline and the error policy, replies exactly once, and is gone.

#pragma once

#include "sheaf/core/checked_request.hpp"
#include "sheaf/core/engine_loops.hpp"
#include "sheaf/core/messages.hpp"
#include "sheaf/core/pack_actor.hpp"
#include "sheaf/core/packing.hpp"
#include "sheaf/core/query_actor.hpp"
#include "sheaf/loop/loop_actor.hpp"

#include <boost/container/small_vector.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace sheaf {

class request_actor final : public loop_actor, public live_request, private query_joiner, private pack_joiner {
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
  void on_thrown(const std::exception_ptr& thrown) override;
  void join(std::size_t index, outcome&& got) override;
  void call(const query_called& called) override;
  void join(pack_done&& done) override;
  void unpack(const pack_late& late) override;
  void call(const pack_called& called) override;

  void refuse();
  void form();
  std::optional<std::size_t> next() noexcept;
  void spawn_all_that_may_begin();
  void spawn_next(std::size_t index);
  /// On its way to a session for itself: why it is not there yet.
  struct history {
    std::optional<query_called> before{};
    std::optional<failure> lost{};
    bool beside_pack = false;
  };
  void spawn(std::size_t index, engine_loop& where, bool reserved, history so_far);
  void spawn_on(std::size_t index, engine_loop& where, bool reserved, history&& so_far);
  void spawn_alone(std::size_t index, history so_far);
  void spawn_pack(std::size_t number, engine_loop& where, bool reserved, std::optional<pack_called> before);
  void spawn_pack_on(std::size_t number, engine_loop& where, bool reserved, const std::optional<pack_called>& before);
  void end_run(std::size_t database) noexcept;
  bool runs_in_pack(std::size_t index) const noexcept;
  void answer(std::size_t index, outcome&& got);
  void learn_from(const pack_done& done);
  void go_on();
  outcome ended_early(std::size_t index) const;
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
  admission::ticket ticket_; ///< Empty where it was refused.
  enum class progress : std::uint8_t { waits, runs, over };
  std::vector<progress> each_;      ///< By position.
  std::vector<caf::actor> running_; ///< By position; null where no actor runs the query by itself.
  /// A pack, and who runs it: null where it has not begun or is over.
  struct running_pack {
    pack of;
    caf::actor actor{};
    std::chrono::nanoseconds late_after{};
    bool is_late = false; ///< What it had not answered runs elsewhere, too.
  };
  std::vector<running_pack> packs_;    ///< By number, from 1.
  std::vector<std::uint32_t> pack_of_; ///< By position: the number of its pack, 0 for none; empty without packs.
  /// Of the queries of one database, those at positions `before` this one have begun, and of the actors that run them
  /// `pending` are not over.
  struct begun {
    std::size_t before = 0, pending = 0;
  };
  boost::container::small_vector<begun, 2> begun_; ///< By database.
  std::size_t spawned_ = 0, over_ = 0;             ///< Queries that have begun, and that are over.
  std::size_t pending_ = 0;                        ///< Actors that are not over.
  std::size_t succeeded_ = 0, failed_ = 0;
  std::size_t width_ = 0; ///< 0 for as many of each database as its pool has sessions.
  bool ending_ = false;   ///< No query begins any more, and those that run have been told to end.
  bool replied_ = false;  ///< It only waits for the last actors to end.
  early_end end_;         ///< With this, if so.
  timer deadline_;
};

} // namespace sheaf
