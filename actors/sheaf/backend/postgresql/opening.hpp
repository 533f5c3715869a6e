// SPDX-License-Identifier: BSD-3-Clause
//
// Opens a connection to a PostgreSQL server by a deadline, which holds until all is set that a session needs.

#pragma once

#include "sheaf/backend/postgresql/connection.hpp"
#include "sheaf/backend/postgresql/url.hpp"
#include "sheaf/options.hpp"
#include "sheaf/session/session.hpp"

#include <memory>
#include <string>

namespace sheaf {

struct opened_connection {
  std::shared_ptr<postgresql_connection> connection; ///< It does not block.
  pooler between;                                    ///< Not `automatic`.
  std::string settings;                              ///< Sets what a new session has, as a list of statements.
};

/// Blocking executor: waits for the server until `end`, and for the resolver as long as that takes. `between` is
/// what is declared, and found out if it is `automatic`. An attempt that fails leaves nothing behind.
result<opened_connection> open_connection(const connection_parameters& parameters, pooler between,
                                          const attempt_end& end);

} // namespace sheaf
