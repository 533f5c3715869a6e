// SPDX-License-Identifier: BSD-3-Clause
//
// Keeps what a PostgreSQL server says beside the rows of one run. Used by one thread at a time: the loop's, or that of
// the C++ task that has the connection.

#pragma once

#include "sheaf/backend/postgresql/server_error.hpp"
#include "sheaf/session/session_run.hpp"

#include <libpq-fe.h>

#include <cstddef>
#include <optional>

namespace sheaf {

class notice_box {
public:
  /// Takes what `conn` says from now on. libpq keeps the address: this outlives the connection.
  void listen_to(PGconn* conn) noexcept;

  /// Keeps what is said from now on: of `job`, whose statement and values live until `stop`.
  void begin(const execution& job);

  /// Keeps no more: what is said from now on belongs to nobody's statement.
  void stop() noexcept;

  notices take(); ///< All that was kept since the last `begin`; once.

private:
  void add(const PGresult& said);

  bool listens_ = false;
  const parsed_statement* text_ = nullptr; ///< Null for a task.
  const parameters* given_ = nullptr;
  std::optional<sent_values> values_; ///< Made for the first notice.
  std::size_t bytes_ = 0;             ///< Of the texts that are kept.
  std::size_t bytes_looked_through_ = 0;
  notices kept_;
};

} // namespace sheaf
