// SPDX-License-Identifier: BSD-3-Clause
//
// The queries of one pack: gets a session for them, runs them on it at once, hands it back, tells what became of each,
// and is gone. What a pack cannot answer, its request runs by itself. Lives on the loop of its session's pool.

#pragma once

#include "sheaf/core/engine_loops.hpp"
#include "sheaf/core/messages.hpp"
#include "sheaf/core/packing.hpp"
#include "sheaf/loop/loop_actor.hpp"
#include "sheaf/session/session_pool.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace sheaf {

/// Takes a pack actor's words: its request actor. On the same loop a message would only be a detour.
class pack_joiner {
public:
  virtual void join(pack_done&& done) = 0;
  virtual void unpack(const pack_late& late) = 0;
  virtual void call(const pack_called& called) = 0;

protected:
  ~pack_joiner() = default;
};

struct pack_job {
  std::shared_ptr<const checked_request> request;
  pack of;
  std::uint32_t number = 0;                                  ///< From 1.
  session_pool* pool = nullptr;                              ///< Of the loop that the actor is spawned on.
  engine_loop* home = nullptr;                               ///< Where the request lives.
  std::optional<clock::time_point> turn{};                   ///< As `query_job` has it.
  clock::time_point latest_start = clock::time_point::max(); ///< The same.
  std::chrono::nanoseconds late_after{};                     ///< From the moment that it is sent.
  caf::actor reply_to;
  pack_joiner* here = nullptr; ///< `reply_to`, if it lives on the same loop.
  bool reserved = false;       ///< The pool counts on it.
  std::optional<pack_called> before{};
};

class pack_actor final : public loop_actor, private session_waiter, private run_listener {
public:
  pack_actor(caf::actor_config& cfg, event_loop& loop, pack_job job);

  const char* name() const override { return "sheaf.pack"; }

private:
  void begin() override;
  void receive(caf::message& message) override;
  void on_kill() override { give_up({errc::query_canceled, "the pack's actor was ended"}); }
  void on_thrown(const std::exception_ptr& thrown) override { give_up(early_end_for(thrown)); }

  void on_lease(lease got) override { run(std::move(got)); }
  void on_refused(failure why) override;
  void on_call(session_pool& there, clock::time_point since) override;
  std::string_view label() const noexcept override { return query_at(0).name; }
  void on_answer(answer&&, const moments&) override {}
  void on_pack(std::vector<packed_answer>&& got, const moments& when) override;

  void acquire(session_pool::arrival how);
  void run(lease got);
  bool run_again(pack_done& done);
  void fail(const failure& why);
  void give_up(const early_end& why);
  void fail_overdue();
  void arm_timeout();
  void look_whether_late();
  void forget(std::size_t query);
  void stop();
  void leave_the_rest(pack_done&& done);
  void tell(pack_done&& done);
  void tell_last(pack_done&& done);

  outcome failed(std::size_t member, failure why);
  sheaf::phase phase_reached() const noexcept;
  std::chrono::nanoseconds since_start(clock::time_point t) const noexcept { return t - job_.request->taken_at; }
  void note(const moments& when) noexcept;
  const query& query_at(std::size_t member) const noexcept {
    return job_.request->given.queries[job_.of.queries[member]];
  }

  pack_job job_;
  std::vector<bool> wanted_; ///< By member: nobody has had its answer yet.
  lease lease_;
  query_times times_;
  timer timeout_; ///< For the member whose own timeout is next.
  timer late_;
  std::uint32_t attempts_ = 1;
  bool is_late_ = false, has_looked_ = false, retries_ = false;
};

} // namespace sheaf
