// SPDX-License-Identifier: BSD-3-Clause
//
// Opens a connection to a PostgreSQL server by a deadline, which holds until all is set that a session needs.

#pragma once

#include "sheaf/backend/postgresql/connection.hpp"
#include "sheaf/backend/postgresql/url.hpp"
#include "sheaf/options.hpp"
#include "sheaf/session/session.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace sheaf {

/// It tells whether a server, and the pooler before it, are right with packs; the first session finds out.
enum class pack_proof : std::uint8_t { unknown, taken, refused };

struct opened_connection {
  std::shared_ptr<postgresql_connection> connection; ///< It does not block.
  pooler between;                                    ///< Not `automatic`.
  bool takes_packs = false;                          ///< Packs are right on it (session_pack.cpp).
  std::string settings;                              ///< Sets what a new session has, as a list of statements.
};

/// Blocking executor: waits for the server until `end`, and for the resolver as long as that takes. `between` is
/// what is declared, and found out if it is `automatic`, as is `packs` if it is `unknown`. An attempt that fails leaves
/// nothing behind.
result<opened_connection> open_connection(const connection_parameters& parameters, pooler between, pack_proof& packs,
                                          const attempt_end& end);

} // namespace sheaf
