// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL session begins, and sends a statement.

#include "sheaf/backend/postgresql/session.hpp"

#include "sheaf/loop/blocking_executor.hpp"

#include <soci/soci.h>

namespace sheaf {

namespace {

/// The first pause between two cancels of the same statement.
constexpr auto first_cancel_pause = std::chrono::milliseconds{10};

} // namespace

postgresql_session::postgresql_session(event_loop& loop, blocking_executor& blocking,
                                       std::shared_ptr<soci::session> connection, const database_options& limits)
  : loop_(loop), blocking_(blocking), connection_(std::move(connection)), conn_(native_connection(*connection_)),
    socket_(PQsocket(conn_)), backend_pid_(PQbackendPID(conn_)), cancel_wait_timeout_(limits.cancel_wait_timeout),
    prepared_(limits.statement_cache_size), cancel_timer_([this] { on_cancel_overdue(); }),
    cancel_again_([this] { stop_statement(); }), alive_(std::make_shared<postgresql_session*>(this)) {
  watch();
}

postgresql_session::~postgresql_session() {
  unwatch();
  blocking_.run([connection = std::move(connection_)]() mutable { connection.reset(); });
}

/// Runs a member function from the loop, unless the session is gone by then.
void postgresql_session::post(void (postgresql_session::*f)()) {
  loop_.post([alive = std::weak_ptr{alive_}, f] {
    if (const auto self = alive.lock())
      ((*self)->*f)();
  });
}

void postgresql_session::watch() {
  loop_.watch(socket_, *this);
  watched_ = true;
}

/// Called at once when the connection is found lost: libpq has closed the socket then, and its number may soon be
/// another's.
void postgresql_session::unwatch() noexcept {
  if (std::exchange(watched_, false))
    loop_.unwatch(socket_, *this);
}

void postgresql_session::execute(execution job, session_listener& listener) {
  job_ = std::move(job);
  listener_ = &listener;
  when_ = {};
  rows_.reset();
  parts_.reset();
  failure_.reset();
  task_answer_.reset();
  reads_ = 0;
  received_ = held_since_ = 0;
  cancel_pause_ = first_cancel_pause;
  if (job_.what->run)
    start_task();
  else
    send();
}

void postgresql_session::send() {
  state_ = state::running;
  fresh_ = false;
  statement_ = nullptr;
  stale_ = staleness::none;
  const bool was_connected = PQstatus(conn_) == CONNECTION_OK;
  const parameter_texts values{*job_.text, job_.what->parameters};
  bool sent = true;
  // Beside many rows parsing costs nothing; and a statement without a plan may answer differently each time.
  if (!prepared_.enabled() || job_.what->on_rows || !job_.text->planned) {
    sent =
        PQsendQueryParams(conn_, job_.text->text.c_str(), values.count(), nullptr, values.data(), nullptr, nullptr, 0);
    if (sent && job_.what->on_rows)
      PQsetSingleRowMode(conn_);
  } else if ((statement_ = prepared_.find(*job_.text))) {
    using enum prepared_statement::binary;
    const bool binary =
        statement_->results == always || (statement_->results == under_iso_dates && has_iso_dates(conn_));
    sent =
        PQsendQueryPrepared(conn_, statement_->name.c_str(), values.count(), values.data(), nullptr, nullptr, binary);
  } else {
    sent = send_and_prepare(values.data(), values.count());
  }
  when_.sent = loop_.refresh_now();
  if (sent) {
    flush();
    return;
  }
  if (!was_connected)
    failure_ = failure{.code = errc::connection_lost,
                       .phase = phase::execute,
                       .message = "the connection to the server was lost before the query was sent"};
  else if (PQstatus(conn_) == CONNECTION_OK) // such as too many parameters
    failure_ = failure{.code = errc::invalid_request, .phase = phase::execute, .message = last_error(conn_)};
  unwatch();
  post(&postgresql_session::lose_connection); // nobody hears from a session before `execute` returns
}

/// Prepares and executes in one round trip, as a pipeline. Statements that have to make room go first, each with a sync
/// of its own: when one is gone already, nobody else fails.
bool postgresql_session::send_and_prepare(const char* const* values, int count) {
  statement_ = &prepared_.add(*job_.text);
  fresh_ = preparing_ = true;
  bool sent = PQenterPipelineMode(conn_);
  while (const auto evicted = prepared_.evict()) {
    sent = sent &&
           PQsendQueryParams(conn_, ("deallocate " + *evicted).c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) &&
           PQpipelineSync(conn_);
    ++syncs_;
  }
  sent = sent && PQsendPrepare(conn_, statement_->name.c_str(), statement_->text.text.c_str(), 0, nullptr) &&
         PQsendQueryPrepared(conn_, statement_->name.c_str(), count, values, nullptr, nullptr, 0) &&
         PQpipelineSync(conn_);
  ++syncs_;
  return sent;
}

void postgresql_session::flush() {
  const int left = PQflush(conn_);
  if (left < 0) {
    unwatch();
    post(&postgresql_session::lose_connection);
  } else if ((left > 0) != flushing_) {
    flushing_ = left > 0;
    loop_.watch_writes(socket_, *this, flushing_);
  }
}

} // namespace sheaf
