// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL session takes a pack: reads that are known to be short go out one behind the other, with one sync at the
// end, in one round trip (libpq manual, 34.5). To the server they are one implicit transaction, in which each statement
// has its own snapshot as long as the isolation is read committed. It keeps its answers until the sync or a full
// buffer. After an error it skips what is left, up to the sync: none of that has run.

#include "sheaf/backend/postgresql/session.hpp"

#include <algorithm>
#include <utility>

namespace sheaf {

namespace {

failure lost_with_the_others() {
  return {.code = errc::connection_lost,
          .phase = phase::execute,
          .message = "the connection to the server was lost while the query ran",
          .reached_server = true};
}

} // namespace

void postgresql_session::start_pack(session_run& x) {
  notices_->take(); // those that the last run had when nobody wanted them any more
  state_ = state::running;
  pack_was_cancelled_ = false;
  packed_.reserve(x.pack.size());
  const bool was_connected = PQstatus(conn_) == CONNECTION_OK;
  const auto learnt = statements_.now();
  bool sent = PQenterPipelineMode(conn_);
  while (const auto evicted = server_is_shared_ ? std::nullopt : statements_.evict()) {
    sent = sent &&
           PQsendQueryParams(conn_, ("deallocate " + *evicted).c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) &&
           PQpipelineSync(conn_); // when one is gone already, nobody else fails
    ++syncs_;
  }
  for (const auto& job : x.pack) {
    flight made{.run = &x, .what = &job, .cancel_pause = first_cancel_pause};
    sent = sent && send_packed(made, learnt);
    behind_.push_back(std::move(made));
  }
  x.when.sent = loop_.refresh_now(); // the server may have answered before this thread has its core again
  sent = sent && PQpipelineSync(conn_);
  ++syncs_;
  flight_.emplace(std::move(behind_.front()));
  behind_.pop_front();
  notices_->begin(flight_->job());
  if (sent)
    flush();
  else
    lose_unsent(was_connected);
}

/// Sends one statement of a pack: by its name; where the server does not have that yet, prepared before; and where its
/// types are not known, without a name and with a question for them. Where the pooler shares the server's connections,
/// names may be those of others: there all go without.
bool postgresql_session::send_packed(flight& x, statement_cache::moment learnt) {
  const auto& job = x.job();
  const parameter_texts values{*job.text, job.query->parameters};
  if (statements_.enabled() && job.text->effects.planned && !server_is_shared_) {
    x.statement = statements_.find(*job.text, learnt);
    const bool is_other = x.statement && !x.statement->infers_all && !values.declare(x.statement->declared);
    if (is_other || (x.statement && x.statement->name.empty() && is_being_resolved(*x.statement))) {
      x.statement = nullptr;
    } else if (!x.statement && !statements_.full()) { // to make room could drop what is on its way here
      x.statement = &statements_.add(*job.text, learnt);
      x.statement->declared.assign(values.types(), values.types() + values.count());
    }
  }
  auto* known = x.statement;
  x.declared = values.declares_types() && (!known || (known->name.empty() && !known->infers_all));
  x.row_by_row = may_be_too_large(x);
  x.commands = 1;
  if (known && !known->prepared) {
    x.fresh = true;
    x.resolved = known->name.empty();
    x.awaits = flight::preparation::parse;
    x.commands += x.resolved ? 2 : 1;
    const auto* types = x.resolved ? values.types() : known->types.data();
    const auto count = x.resolved ? (x.declared ? values.count() : 0) : static_cast<int>(known->types.size());
    if (!PQsendPrepare(conn_, known->name.c_str(), known->text.text.c_str(), count, types) ||
        (x.resolved && !PQsendDescribePrepared(conn_, "")))
      return false;
    known->results = known_statement::binary::unknown; // and so those behind it come in text, too
    known->prepared = !x.resolved;                     // for those behind it; `leave_behind` takes it back
    if (x.resolved)
      return PQsendQueryPrepared(conn_, "", values.count(), values.data(), nullptr, nullptr, 0);
  }
  return send_alone(x, values);
}

/// Another statement of this pack asks for its types.
bool postgresql_session::is_being_resolved(const known_statement& x) const noexcept {
  return std::any_of(behind_.begin(), behind_.end(), [&](const flight& y) { return y.statement == &x && y.resolved; });
}

/// The server has told all of one statement of a pack; those behind it are next.
void postgresql_session::end_packed() {
  auto& x = *flight_;
  packed_answer got{.said = notices_->take()};
  if (x.wrong) {
    if (!is_wanted() && x.wrong->sqlstate == "57014")
      x.run->stopped_in = packed_.size();
    leave_behind(nullptr);
    const bool was_another_meant = pack_was_cancelled_ && x.wrong->sqlstate == "57014" && is_wanted();
    const auto stale = x.stale;
    auto* known = std::exchange(x.statement, nullptr);
    if (known && x.awaits == flight::preparation::parse && stale != staleness::named)
      known->prepared = false;
    if (known && (stale == staleness::named || stale == staleness::unknown || stale == staleness::changed))
      note_staleness(stale, *known);
    else if (known && x.resolved && known->name.empty())
      forget(*known);
    if (!x.is_left && !was_another_meant && stale == staleness::none)
      got.data = std::move(*x.wrong);
  } else if (!x.is_left && x.rows) {
    if (x.statement)
      x.statement->bytes_most = std::max(x.statement->bytes_most, x.received - x.received_before);
    check_columns();
    got.data = take_answer();
  }
  x.awaits = flight::preparation::none;
  packed_.push_back(std::move(got));
  if (behind_.empty())
    return;
  auto& next = behind_.front();
  next.reads = x.reads;
  next.received = next.received_before = next.held_since = x.received;
  flight_.emplace(std::move(next));
  behind_.pop_front();
  notices_->begin(flight_->job());
}

/// The statements behind are left: all of them, or those that run by the name of `only`. None of them has run as it was
/// meant to, and what they were to prepare is not there.
void postgresql_session::leave_behind(const known_statement* only) {
  for (auto& x : behind_) {
    if (only && x.statement != only)
      continue;
    if (!only && x.statement && x.awaits == flight::preparation::parse) {
      x.statement->prepared = false;
      if (x.resolved)
        statements_.drop(*x.statement);
    }
    x.statement = nullptr;
    x.awaits = flight::preparation::none;
    x.is_left = true;
  }
}

/// Drops a statement, which others of a pack may be on their way by.
void postgresql_session::forget(known_statement& x) {
  leave_behind(&x);
  statements_.drop(x);
}

void postgresql_session::complete_pack() {
  if (PQstatus(conn_) != CONNECTION_OK || PQsocket(conn_) < 0 || PQtransactionStatus(conn_) == PQTRANS_UNKNOWN)
    lose_connection();
  else
    settle();
}

/// The connection was lost before all had an answer: the one that ran has its failure, and the others are lost with it.
void postgresql_session::fill_pack() {
  const auto& x = *flight_;
  if (!is_wanted())
    return;
  if (packed_.size() < x.run->pack.size())
    packed_.push_back({.data = x.wrong.value_or(lost_with_the_others()), .said = notices_->take()});
  while (packed_.size() < x.run->pack.size())
    packed_.push_back({.data = lost_with_the_others()});
}

} // namespace sheaf
