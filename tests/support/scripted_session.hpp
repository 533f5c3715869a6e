// SPDX-License-Identifier: BSD-3-Clause
//
// A database without a database: a statement of its sessions is a script for the session.
//
//   answer 7    one row with one column, n, which is 7
//   fail        a failure, `rejected_sql`
//   break       `connection_lost`, and the session is not usable any more
//   select 1    a row, which is what a pool checks its sessions with, unless checks are ignored
//   never       no answer, until it is cancelled
//   hold        no answer, until `release`
//   meet 3      the session's id, once three such statements run at the same time
//   turn 3      the session's id, once three such statements before it are over

#pragma once

#include "sheaf/options.hpp"
#include "sheaf/session/session.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

namespace sheaf::test {

class scripted_database {
public:
  struct counts {
    int opened = 0, open = 0, most_open = 0; ///< Sessions.
    int executed = 0, running = 0, most_running = 0, cancelled = 0;
    int opening_held = 0, cancels_held = 0;
  };

  scripted_database();
  ~scripted_database();

  /// This database as a kind of its own, for as long as this lives: an engine that is given these options opens its
  /// sessions here.
  options engine_options(pool_options pool = {}) const;

  std::unique_ptr<session_factory> make_factory() const;

  // All of these: any thread.

  counts now() const;

  /// From now on sessions are refused with this; with nothing, they are opened again.
  void refuse_sessions(std::optional<failure> why);

  /// From now on a session stays on its way until it is let in (or not): the oldest one first.
  void hold_opening(bool on);
  void let_in(std::optional<failure> unless = {});

  /// The time that its factories give for opening a session. To be set before they are asked.
  void open_timeout(std::chrono::nanoseconds x);

  /// From now on a cancel is not confirmed until it is released: the oldest one first.
  void hold_cancels(bool on);
  void confirm_cancel();

  /// From now on the pool's checks get no answer; then they do again, those from before as well.
  void ignore_checks(bool on);

  /// Lets the query of that name, which holds, answer.
  void release(std::string_view query);

  /// The session of this id, which is idle, ends by itself. On its loop only.
  void break_idle(int id);

  /// The session of this id is not usable any more, but nobody is told.
  void spoil(int id);
  /// The same for one whose cancel is held.
  void spoil_cancelled(int id);

  struct stage;
  class kind;

private:
  std::shared_ptr<stage> stage_;
  std::unique_ptr<kind> kind_;
};

} // namespace sheaf::test
