// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL session begins, and sends a statement.

#include "sheaf/backend/postgresql/session.hpp"

#include "sheaf/loop/blocking_executor.hpp"

#include <span>
#include <string>

namespace sheaf {

namespace {

/// A statement that was sent again so often, because a name was taken or was not there, goes without one.
constexpr unsigned corrections_max = 2;

} // namespace

postgresql_session::postgresql_session(event_loop& loop, blocking_executor& blocking, opened_connection opened,
                                       const database_options& limits, std::shared_ptr<alteration_count> alterations)
  : loop_(loop), blocking_(blocking), connection_(std::move(opened.connection)), conn_(connection_->native()),
    socket_(PQsocket(conn_)), backend_pid_(PQbackendPID(conn_)), cancel_wait_timeout_(limits.cancel_wait_timeout),
    server_is_shared_(opened.between == pooler::transaction || opened.between == pooler::statement),
    takes_packs_(opened.takes_packs), reset_(limits.reset), settings_(std::move(opened.settings)),
    settings_when_clean_(conn_), statements_(limits.statement_cache_size, std::move(alterations)),
    cancel_timer_([this] { on_cancel_overdue(); }), cancel_again_([this] { cancel_statement(); }),
    alive_(std::make_shared<postgresql_session*>(this)) {
  notices_->listen_to(conn_);
  watch();
}

postgresql_session::~postgresql_session() {
  unwatch();
  blocking_.run([connection = std::move(connection_), heard = notices_]() mutable { connection.reset(); });
}

notices postgresql_session::take_notices() { return state_ == state::in_task ? notices{} : notices_->take(); }

/// Runs a member function from the loop, unless the session is gone by then.
void postgresql_session::post(void (postgresql_session::*f)()) {
  loop_.post([alive = std::weak_ptr{alive_}, f] {
    if (const auto self = alive.lock())
      ((*self)->*f)();
  });
}

/// libpq may have closed the socket by now. Nobody hears from a session before the call that has led here returns.
void postgresql_session::watch() {
  watched_ = loop_.watch(socket_, *this);
  if (!watched_)
    post(&postgresql_session::lose_connection);
}

/// Called at once when the connection is found lost: libpq has closed the socket then, and its number may soon be
/// another's.
void postgresql_session::unwatch() noexcept {
  if (std::exchange(watched_, false))
    loop_.unwatch(socket_, *this);
}

void postgresql_session::start(session_run& x) {
  flight_.emplace(flight{.run = &x, .what = &x.job, .cancel_pause = first_cancel_pause});
  notices_->take(); // those that the last run had when nobody wanted them any more
  if (x.job.query->run)
    start_task();
  else if (server_is_shared_ &&
           (x.job.text->effects.traces == traces::certain || x.job.text->effects.asks_for_sequences))
    refuse_traces();
  else if (x.job.text->effects.asks_for_sequences && !server_is_shared_ && reset_ != session_reset::never)
    send_once_clean();
  else
    send();
}

/// Any insert may have drawn from a sequence, and the next one on this session does not ask for that. So a statement
/// that does begins with a session that has drawn nothing.
void postgresql_session::send_once_clean() {
  flight_->is_to_follow = true;
  undo("discard sequences");
}

/// The next client on the server connection would find its traces, and its own client would not; what it asks for would
/// be another client's.
void postgresql_session::refuse_traces() {
  const bool leaves = flight_->job().text->effects.traces == traces::certain;
  flight_->wrong = failure{
      .code = errc::invalid_request,
      .phase = phase::execute,
      .message =
          std::string{leaves ? "this statement leaves something in its session, and behind a pooler the session is "
                               "the next client's: use `set local` within a transaction"
                             : "this statement asks for what its session has drawn from a sequence, and behind a "
                               "pooler the session is another client's: use `insert … returning`"} +
          ", connect to the server itself, or set pooler: session if each client has a connection for itself"};
  state_ = state::over;                      // nothing is to be read, or cancelled
  post(&postgresql_session::settle_refused); // nobody hears from a session before `push` returns
}

void postgresql_session::settle_refused() {
  if (state_ == state::over) // else the connection was lost meanwhile
    settle();
}

void postgresql_session::send() {
  state_ = state::running;
  auto& x = *flight_;
  const auto& job = x.job();
  notices_->begin(job);
  const bool was_connected = PQstatus(conn_) == CONNECTION_OK;
  const parameter_texts values{*job.text, job.query->parameters};
  bool sent = true;
  x.collected.reset();
  x.binary = false;
  // Beside many rows parsing costs nothing; and a statement without a plan may answer differently each time.
  const bool is_kept =
      statements_.enabled() && !job.query->on_rows && job.text->effects.planned && x.corrections < corrections_max;
  x.statement = is_kept ? statements_.find(*job.text) : nullptr;
  if (x.statement && !x.statement->infers_all && !values.declare(x.statement->declared)) // it is another one, then
    statements_.drop(*std::exchange(x.statement, nullptr));
  x.declared = values.declares_types() && !x.infers_all && (!x.statement || x.statement->name.empty());
  x.awaits_guard = false;
  x.run->when.sent = loop_.refresh_now(); // the server may have answered before this thread has its core again
  if (is_kept && !(x.statement && x.statement->prepared)) {
    sent = send_and_prepare(values);
  } else if (job.is_to_be_guarded()) {
    ++syncs_;
    sent = PQenterPipelineMode(conn_) && forbid_writes() && send_alone(x, values) && PQpipelineSync(conn_);
  } else {
    sent = send_alone(x, values);
  }
  x.row_by_row = may_be_too_large(x);
  if (sent)
    flush();
  else
    lose_unsent(was_connected);
}

/// libpq did not take what was to be sent.
void postgresql_session::lose_unsent(bool was_connected) {
  auto& x = *flight_;
  if (!was_connected)
    x.wrong = failure{.code = errc::connection_lost,
                      .phase = phase::execute,
                      .message = "the connection to the server was lost before the query was sent"};
  else if (PQstatus(conn_) == CONNECTION_OK) // such as too many parameters
    x.wrong = failure{.code = errc::invalid_request, .phase = phase::execute, .message = last_error(conn_)};
  unwatch();
  post(&postgresql_session::lose_connection); // nobody hears from a session before `push` returns
}

/// All that comes up to the next sync is one transaction, which this makes read only before the statement begins; the
/// statement, having a snapshot, cannot undo that (PostgreSQL manual, SET TRANSACTION). An error ends it, as it ends
/// any other statement: nothing has to be rolled back. `set local` would do the same with a warning.
bool postgresql_session::forbid_writes() {
  flight_->awaits_guard = true;
  return PQsendQueryParams(conn_, "select pg_catalog.set_config('transaction_read_only', 'on', true)", 0, nullptr,
                           nullptr, nullptr, nullptr, 0);
}

/// Sends the statement by its name, or without one.
bool postgresql_session::send_alone(flight& x, const parameter_texts& values) {
  using enum known_statement::binary;
  const auto* known = x.statement;
  if (!known)
    return PQsendQueryParams(conn_, x.job().text->text.c_str(), values.count(), x.declared ? values.types() : nullptr,
                             values.data(), nullptr, nullptr, 0);
  x.binary = !server_is_shared_ && // another client may have prepared it when its tables were others
             (known->results == always || (known->results == under_iso_dates && has_iso_dates(conn_)));
  return PQsendQueryPrepared(conn_, known->name.c_str(), values.count(), values.data(), nullptr, nullptr, x.binary);
}

/// Rows that libpq collects cannot be counted before the last one is there, and counting them one by one takes 0.3 µs
/// each. A statement's result is expected to be like those before; where none of these could have been too large, it
/// is taken as a whole.
bool postgresql_session::may_be_too_large(const flight& x) const noexcept {
  using enum known_statement::binary;
  const auto* known = x.statement;
  return x.job().query->on_rows || !known || known->results == unknown ||
         known->bytes_most > bytes_that_fit(x.job(), known->columns->size());
}

/// Prepares and executes in one round trip, as a pipeline. The first time that goes without a name, with the types that
/// the values declare, and the server tells those of all parameters, which the name stands for from then on. Names that
/// have to make room go first, each with a sync of its own: when one is gone already, nobody else fails.
bool postgresql_session::send_and_prepare(const parameter_texts& values) {
  auto& x = *flight_;
  if (!x.statement) {
    x.statement = &statements_.add(*x.job().text);
    x.statement->declared.assign(values.types(), values.types() + values.count());
    x.statement->infers_all = x.infers_all;
  }
  const auto& known = *x.statement;
  const char* name = known.name.c_str();
  const std::span<const Oid> declared{values.types(), x.declared ? static_cast<std::size_t>(values.count()) : 0};
  const auto types = known.name.empty() ? declared : std::span{known.types};
  x.fresh = true;
  x.resolved = known.name.empty();
  x.awaits = flight::preparation::parse;
  bool sent = PQenterPipelineMode(conn_);
  while (const auto evicted = statements_.evict()) {
    if (server_is_shared_) // it may be another client's, too
      continue;
    sent = sent &&
           PQsendQueryParams(conn_, ("deallocate " + *evicted).c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) &&
           PQpipelineSync(conn_);
    ++syncs_;
  }
  sent = sent && (!x.job().is_to_be_guarded() || forbid_writes());
  sent = sent && PQsendPrepare(conn_, name, known.text.text.c_str(), static_cast<int>(types.size()), types.data()) &&
         (!known.name.empty() || PQsendDescribePrepared(conn_, name)) &&
         PQsendQueryPrepared(conn_, name, values.count(), values.data(), nullptr, nullptr, 0) && PQpipelineSync(conn_);
  ++syncs_;
  return sent;
}

void postgresql_session::flush() {
  const int left = PQflush(conn_);
  const bool is_open = left >= 0 && PQsocket(conn_) == socket_; // it reads while it cannot write, and may find the end
  const bool is_watched =
      std::exchange(flushing_, left > 0) == flushing_ || (is_open && loop_.watch_writes(socket_, *this, flushing_));
  if (is_open && is_watched)
    return;
  unwatch();
  post(&postgresql_session::lose_connection);
}

} // namespace sheaf
