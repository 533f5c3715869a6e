// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL session learns what the server knows of a statement, and sends it again where that was wrong.

#include "sheaf/backend/postgresql/server_error.hpp"
#include "sheaf/backend/postgresql/session.hpp"

#include <utility>

namespace sheaf {

/// The server's view of the statement, as the error `r` shows it, which has become `wrong`.
staleness postgresql_session::staleness_by(const PGresult& r) {
  auto& x = *flight_;
  const bool refuses = refuses_types(server_error{&r});
  if (x.declared && refuses)
    return staleness::refused;
  if (!x.statement)
    return staleness::none;
  if (x.awaits == flight::preparation::parse && x.wrong->sqlstate == "42P05")
    return staleness::named;
  if (!x.statement->types.empty() && may_be_retyped(*x.wrong)) {
    const bool has_not_begun = refuses || x.awaits == flight::preparation::parse;
    x.may_run_again = has_not_begun || x.job().query->read_only;
    return staleness::retyped;
  }
  return x.awaits == flight::preparation::parse ? staleness::none : staleness_of(&r, x.statement->name);
}

/// Takes the types of the statement's parameters, and with them its name, or compares them with those that were known.
void postgresql_session::learn(const PGresult& described) {
  auto& x = *flight_;
  std::vector<Oid> types;
  for (int i = 0; i < PQnparams(&described); ++i)
    types.push_back(PQparamtype(&described, i));
  x.awaits = flight::preparation::none;
  if (x.asks_types) {
    x.types_hold = types == x.statement->types;
    return;
  }
  x.statement->types = std::move(types);
  x.statement->name = statement_name(x.statement->text.text, x.statement->types);
}

/// The server may know other statements than this session thinks: somebody deallocated one, or prepared it on the same
/// connection, as behind PgBouncer; or tables were altered since, which the database's other sessions are told of. The
/// statement is sent again when it is proven that nothing has run, or when the query is declared to only read, and else
/// made anew by the next query that runs it.
bool postgresql_session::send_again() {
  auto& x = *flight_;
  const auto stale = std::exchange(x.stale, staleness::none);
  if (stale == staleness::refused)
    return send_undeclared();
  const bool is_its_own = x.fresh && stale != staleness::named && stale != staleness::retyped; // it was just prepared
  if (stale == staleness::none || !x.statement || x.resolved || is_its_own)
    return false;
  if (stale == staleness::retyped)
    return ask_types();
  note_staleness(stale, *std::exchange(x.statement, nullptr));
  return stale != staleness::possible && send_anew();
}

/// Corrects what is known of a statement. It may be gone then.
void postgresql_session::note_staleness(staleness stale, known_statement& known) {
  if (stale == staleness::named) {
    known.prepared = true;
    known.results = known_statement::binary::unknown;
  } else if (stale == staleness::unknown) {
    known.prepared = false;
  } else {
    forget(known);
    if (stale == staleness::changed)
      statements_.note_alteration();
  }
}

/// Such an error is of the values, or of types that are out of date. The server is asked for the types before anybody
/// hears of it, and may send the statement again on another session. False when there is nothing to wait for.
bool postgresql_session::ask_types() {
  auto& x = *flight_;
  if (PQtransactionStatus(conn_) != PQTRANS_IDLE || !is_wanted()) {
    statements_.drop(*std::exchange(x.statement, nullptr));
    return false;
  }
  notices_->stop(); // it has had its own
  const auto& known = *x.statement;
  x.asks_types = true;
  x.awaits = flight::preparation::parse;
  ++syncs_;
  if (PQenterPipelineMode(conn_) &&
      PQsendPrepare(conn_, "", known.text.text.c_str(), known.infers_all ? 0 : static_cast<int>(known.declared.size()),
                    known.declared.data()) &&
      PQsendDescribePrepared(conn_, "") && PQpipelineSync(conn_)) {
    flush();
  } else {
    unwatch();
    post(&postgresql_session::lose_connection); // nobody hears from a session before `push` returns
  }
  return true;
}

/// The types have come, or the server does not take the statement any more. Where they are still the same, the error is
/// of the values, and nothing was wrong with what is known.
bool postgresql_session::send_retyped() {
  auto& x = *flight_;
  x.asks_types = false;
  if (x.types_hold)
    return false;
  if (auto* known = std::exchange(x.statement, nullptr))
    statements_.drop(*known);
  if (!is_wanted()) // it may have been stopped before it could tell
    return false;
  statements_.note_alteration();
  return x.may_run_again && send_anew();
}

bool postgresql_session::send_anew() {
  ++flight_->corrections;
  flight_->fresh = false;
  return send_if_wanted();
}

/// Nothing has run. The server may infer types that do: `repeat(text, integer)` takes no bigint.
bool postgresql_session::send_undeclared() {
  auto& x = *flight_;
  if (auto* known = std::exchange(x.statement, nullptr))
    known->infers_all = true;
  x.infers_all = true;
  return send_if_wanted();
}

/// False when it cannot be sent, or nobody wants it: its failure stands.
bool postgresql_session::send_if_wanted() {
  if (PQtransactionStatus(conn_) != PQTRANS_IDLE || !is_wanted())
    return false;
  flight_->wrong.reset();
  flight_->run->when = {};
  send();
  return true;
}

/// Binary results cost less on both sides, but libpq asks for all columns or none, and not every type's binary form can
/// be turned into the server's exact text. So a statement's first result, in text, decides. The server refuses a
/// prepared statement when its columns would change: rows with others are those of somebody else's statement, unless it
/// was prepared only now, or by another client of a pooler.
void postgresql_session::check_columns() {
  using enum known_statement::binary;
  auto& x = *flight_;
  if (!x.statement || !x.rows)
    return;
  auto& known = *x.statement;
  if (known.results != unknown && are_columns_of(*x.rows, *known.columns))
    return;
  if (known.results == unknown || x.fresh || server_is_shared_) {
    known.columns = columns_of(*x.rows);
    known.results = always;
    for (const auto& [name, oid, type] : *known.columns) {
      if (!postgresql::binary_is_exact(oid))
        known.results = never;
      else if (known.results == always && is_date_or_timestamp(oid))
        known.results = under_iso_dates;
    }
  } else {
    x.rows.reset();
    x.wrong = failure{.code = errc::internal,
                      .phase = phase::fetch,
                      .message = "another statement has run: somebody has given the name " + known.name +
                                 ", which sheaf had prepared this one under, to a statement of their own",
                      .reached_server = true};
    forget(*std::exchange(x.statement, nullptr));
  }
}

} // namespace sheaf
