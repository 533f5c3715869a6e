// SPDX-License-Identifier: BSD-3-Clause
//
// The effects that a statement may leave behind: in its database, and in its PostgreSQL session, where the next one
// would find them. Judged by its words alone. Plain data.

#pragma once

#include <cstdint>

namespace sheaf {

/// The effect of a statement on the rows of its database.
enum class effect : std::uint8_t {
  reads,     ///< It is a query, and calls no function but the database's own that read.
  may_write, ///< It is a query, but calls a function that is not known, or names a command: `select … for update`.
  writes,    ///< Anything else.
};

/// The traces of a statement in its PostgreSQL session: settings, temporary tables, locks, prepared statements, a seed.
enum class traces : std::uint8_t {
  none,     ///< It reads or writes rows and names nothing that is known to outlive it.
  possible, ///< It calls a function that is not known, or is no query.
  certain,  ///< It leaves something, or undoes what somebody has left.
};

/// A view, a rule, a trigger, an operator or a default of the user's own that does more than it shows is not seen
/// through: a statement that names one may leave what its words do not say.
struct statement_effects {
  sheaf::effect effect = effect::writes;
  sheaf::traces traces = traces::possible;

  /// PostgreSQL makes a plan for it, whose columns it then answers for: `select`, `with`, `values`, `table`, `insert`,
  /// `update`, `delete`, `merge`. Anything else (`call`, `execute`, `fetch`, …) may have other columns each time and
  /// may have committed before it fails. A doubt is a no.
  bool planned = false;

  bool names_change = false; ///< It is a query that names a command that changes or locks rows: `for update`.

  bool asks_for_sequences = false; ///< For their last values in its session: `lastval`, `currval`.
  bool spoils_session = false;     ///< It leaves what no statement undoes, as a temporary replication slot.
};

} // namespace sheaf
