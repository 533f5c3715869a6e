// SPDX-License-Identifier: BSD-3-Clause
//
// A session owns one connection, and a line of runs, which it takes one after another, without blocking the loop it
// lives on. Everything here is called on that loop.

#pragma once

#include "sheaf/session/session_run.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

namespace sheaf {

class blocking_executor;
class event_loop;
struct database_options;

class session {
public:
  virtual ~session() = default;

  /// The number of runs that may be pushed now: one at most, so each query has its session for itself.
  virtual std::size_t room() const noexcept = 0;

  /// True when it takes packs. That does not change.
  virtual bool takes_packs() const noexcept { return false; }

  /// Starts `x`, which is at rest; only when there is room, and a pack only where it takes some. Its listener lives
  /// until it has the answer or `x` is dropped; it never hears from the session before this returns. When the answer
  /// comes `x` is at rest, and the session is clean: what the run left behind (an open transaction) has been undone, or
  /// the session is not usable any more.
  void push(session_run& x);

  /// Stops `x`, which is in line, and forgets its listener: that hears nothing any more. `done` is called once, never
  /// before this returns, when the database has confirmed that it is finished with `x`, or the connection is gone (then
  /// `usable()` is false). `x` is at rest by then.
  void drop(session_run& x, std::function<void()> done);

  /// Goes on with `x`, which is in line, after `run_listener::on_rows`; not from within that.
  void resume(session_run& x);

  /// The points that `x`, which is in line, has reached.
  virtual run_listener::moments progress(const session_run& x) const noexcept { return x.when; }

  /// What the database has said beside the rows of the run that was pushed last, so far; each is given once. Nothing
  /// while a C++ task has the connection.
  virtual notices take_notices() { return {}; }

  /// False when the session is broken and has to be destroyed.
  virtual bool usable() const noexcept = 0;

  /// Called by the pool while the session is idle and breaks by itself (the server ended it).
  virtual void on_broken(std::function<void()> callback) = 0;

  /// For reports: the process that a PostgreSQL server's or pooler's login named (any 32 bits), a running number for
  /// others.
  virtual int id() const noexcept = 0;

protected:
  virtual void start(session_run& x) = 0;  ///< `x` has been pushed.
  virtual void start_pack(session_run&) {} ///< A pack has been pushed.
  virtual void stop(session_run& x) = 0;   ///< `x` has been dropped.
  virtual void go_on(session_run& x) = 0;  ///< More rows of `x` are wanted.

  /// The end of `x`: its listener gets the answer, or whoever dropped it hears that it is over. A session's last word
  /// in a call: the next run may be pushed from within, or the session destroyed.
  static void finish(session_run& x, answer&& got);
  static void finish_pack(session_run& x, std::vector<packed_answer>&& got);

private:
  template <class Tell>
  static void end(session_run& x, Tell tell);
};

/// The end of an attempt to open a session, by the clock or with its engine. Any thread.
struct attempt_end {
  clock::time_point give_up;
  std::shared_ptr<const std::atomic<bool>> engine_ends; ///< Null for an attempt of nobody.

  bool has_come() const noexcept { return (engine_ends && *engine_ends) || clock::now() >= give_up; }
};

/// Opens sessions of one database. One per database, used from all loops.
class session_factory {
public:
  virtual ~session_factory() = default;

  /// The longest time that an attempt to open a session may take.
  virtual std::chrono::nanoseconds open_timeout() const { return std::chrono::seconds{10}; }

  /// Opens a session for `loop` without blocking it, and calls `done` there, once: by `give_up`, or soon after
  /// `end_attempts`, unless the system's resolver of names takes longer.
  virtual void open(event_loop& loop, clock::time_point give_up,
                    std::function<void(result<std::unique_ptr<session>>)> done) = 0;

  /// The lexical rules that its statements follow.
  virtual sheaf::dialect dialect() const noexcept = 0;

  /// False once it is known that its sessions take no packs. Any thread.
  virtual bool takes_packs() const noexcept { return false; }

  /// The engine ends: attempts that are under way have nobody to open a session for. Any thread.
  void end_attempts() noexcept { *engine_ends_ = true; }

protected:
  attempt_end end_of_attempt(clock::time_point give_up) const { return {give_up, engine_ends_}; }

private:
  const std::shared_ptr<std::atomic<bool>> engine_ends_ = std::make_shared<std::atomic<bool>>(false);
};

} // namespace sheaf
