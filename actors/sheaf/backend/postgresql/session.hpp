// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL session without a thread: its connection is opened and closed on the blocking executor; in between,
// statements go over it without blocking, watched by the loop (libpq manual, chapter 34.4, and 34.5 for pipelines).

#pragma once

#include "sheaf/backend/postgresql/native.hpp"
#include "sheaf/backend/postgresql/notice_box.hpp"
#include "sheaf/backend/postgresql/opening.hpp"
#include "sheaf/backend/postgresql/reported_settings.hpp"
#include "sheaf/backend/postgresql/socket_meter.hpp"
#include "sheaf/backend/postgresql/statement_cache.hpp"
#include "sheaf/data/pgresult.hpp"
#include "sheaf/loop/event_loop.hpp"
#include "sheaf/options.hpp"
#include "sheaf/session/row_collector.hpp"
#include "sheaf/session/session.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sheaf {

/// The first pause between two cancels of the same statement.
inline constexpr auto first_cancel_pause = std::chrono::milliseconds{10};

class postgresql_session final : public session, private io_handler {
public:
  /// Loop thread, as everything here.
  postgresql_session(event_loop& loop, blocking_executor& blocking, opened_connection opened,
                     const database_options& limits, std::shared_ptr<alteration_count> alterations);

  /// The connection is closed on the executor, or by the thread of the task that still uses it.
  ~postgresql_session() override;

  bool takes_packs() const noexcept override { return takes_packs_; }
  std::size_t room() const noexcept override { return state_ == state::idle ? 1 : 0; }
  notices take_notices() override;
  bool usable() const noexcept override { return state_ != state::broken; }
  void on_broken(std::function<void()> callback) override { on_broken_ = std::move(callback); }
  int id() const noexcept override { return backend_pid_; }

private:
  enum class state {
    idle,
    running,  ///< A statement; the server has not said yet that it is done with it.
    in_task,  ///< A C++ task has the connection: nobody else touches it.
    over,     ///< It is over, but a cancel for it is still on its way.
    cleaning, ///< Undoing what was left behind, before the answer goes out, or what the statement must not find.
    broken,
  };

  /// A statement or task on this connection, from its push to its answer.
  struct flight {
    session_run* run;
    const execution* what; ///< The run's, or one of its pack.
    const execution& job() const noexcept { return *what; }

    known_statement* statement = nullptr; ///< Null when nothing of it is to be kept.
    bool fresh = false;                   ///< It was prepared with this run.
    bool is_to_follow = false;            ///< It is sent once the session is clean.
    bool resolved = false;                ///< And so were the types of its parameters.
    bool declared = false;                ///< It was sent with the types that its values declare.
    bool infers_all = false;              ///< The server has refused those.
    bool awaits_guard = false;            ///< The answer to `forbid_writes` comes next.
    enum class preparation : std::uint8_t { none, parse, describe } awaits = preparation::none; ///< Comes next.
    bool asks_types = false;    ///< It is over, and only the types of its parameters are asked for.
    bool types_hold = false;    ///< They are still those that were known.
    bool may_run_again = false; ///< It only reads, or has provably not begun.
    unsigned corrections = 0;   ///< The times that it was sent again, because of what the server knew of it.

    pgresult_ptr rows;
    bool binary = false;                    ///< Its rows come in binary.
    bool row_by_row = false;                ///< Its rows are taken as they come, not all at its end.
    std::optional<row_collector> collected; ///< Those that have come, from the first one.
    bool paused = false;                    ///< Until more rows are wanted the socket is not watched.
    std::optional<failure> wrong;           ///< The first failure.
    staleness stale = staleness::none;      ///< Staleness of the prepared statement, as that failure shows it.
    std::optional<answer> task_answer;

    unsigned reads = 0;
    std::size_t received = 0;   ///< Bytes after the first read, as `meter_` has them: of a pack, of all its statements.
    std::size_t held_since = 0; ///< `received` when the last row that was taken was complete.

    std::size_t received_before = 0; ///< Of a pack: by those before it.
    unsigned commands = 0;           ///< Of a pack: those of it whose end the server has not told yet.
    bool is_left = false;            ///< It has to run again by itself.

    clock::duration cancel_pause;        ///< Before the next cancel.
    std::shared_ptr<void> task_cancel{}; ///< A PGcancel, made before a task took the connection.
  };

  void start(session_run& x) override;
  void start_pack(session_run& x) override;
  void stop(session_run& x) override;
  void go_on(session_run& x) override;

  void on_io(bool readable, bool writable) override;
  void on_thrown(const std::exception_ptr& thrown) override;
  void send();
  void send_once_clean();
  bool forbid_writes();
  void lose_unsent(bool was_connected);
  bool send_alone(flight& x, const parameter_texts& values);
  bool send_and_prepare(const parameter_texts& values);
  bool send_packed(flight& x, statement_cache::moment learnt);
  bool is_being_resolved(const known_statement& x) const noexcept;
  void end_packed();
  void complete_pack();
  void leave_behind(const known_statement* only);
  void forget(known_statement& x);
  void note_staleness(staleness stale, known_statement& x);
  void fill_pack();
  bool is_pack() const noexcept { return !flight_->run->pack.empty(); }
  bool may_be_too_large(const flight& x) const noexcept;
  void flush();
  void watch();
  void unwatch() noexcept;
  void read();
  bool take_all();
  bool take(PGresult* r);
  void take_row(const PGresult& row);
  bool hand_on();
  bool check_size();
  void refuse(failure why);
  void complete();
  void learn(const PGresult& described);
  bool send_again();
  bool send_undeclared();
  bool ask_types();
  bool send_retyped();
  bool send_anew();
  bool send_if_wanted();
  staleness staleness_by(const PGresult& r);
  void check_columns();
  void settle();
  bool is_spoiled() const noexcept;
  void end_session();
  bool needs_reset() const noexcept;
  void clean_up();
  void undo(const std::string& sql);
  void take_undone(const PGresult& r);
  void forget_prepared();
  void read_on();
  void rest();
  void answer_now();
  answer take_answer();
  bool is_wanted() const noexcept { return flight_->run->state == session_run::status::in_line; }

  void refuse_traces();
  void settle_refused();

  void start_task();
  void on_task_done(answer got);

  void cancel_statement();
  void on_cancel_sent();
  void on_cancel_overdue();

  void read_idle();
  void lose_connection();
  void post(void (postgresql_session::*f)());

  event_loop& loop_;
  blocking_executor& blocking_;
  std::shared_ptr<postgresql_connection> connection_;
  PGconn* conn_;
  const std::shared_ptr<notice_box> notices_ = std::make_shared<notice_box>(); ///< Lives as long as the connection.
  int socket_;
  const int backend_pid_;
  const std::chrono::nanoseconds cancel_wait_timeout_;
  const bool server_is_shared_; ///< The next statement may have another server connection.
  const bool takes_packs_;
  const session_reset reset_;
  const std::string settings_; ///< Sets what `reset all` undoes of a new session.
  reported_settings settings_when_clean_;
  statement_cache statements_;

  state state_ = state::idle;
  std::optional<flight> flight_;      ///< Set in all states but `idle`, and `broken` once it is answered.
  std::deque<flight> behind_;         ///< Of a pack: the statements whose answers come after that of `flight_`.
  std::vector<packed_answer> packed_; ///< And the answers that have come.

  bool watched_ = false;             ///< The loop watches the socket.
  bool flushing_ = false;            ///< The socket was full: watched for writing.
  int syncs_ = 0;                    ///< Pipeline syncs to come; 0 outside a pipeline.
  bool cleaned_ = true;              ///< The last attempt to clean up has not failed.
  bool has_others_prepared_ = false; ///< It has found prepared statements that are not ours.
  socket_meter meter_;

  bool cancel_on_its_way_ = false;
  bool pack_was_cancelled_ = false; ///< So the server may have stopped another statement than the one that was meant.
  timer cancel_timer_;              ///< Gives up on the server.
  timer cancel_again_;

  std::function<void()> on_broken_;
  std::shared_ptr<postgresql_session*> alive_; ///< Others hold it weakly: gone with the session.
};

} // namespace sheaf
