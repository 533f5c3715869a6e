// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backends.hpp"

#include "sheaf/backend/postgresql/backend.hpp"
#include "sheaf/backend/sqlite/backend.hpp"

#include <array>

namespace sheaf {

std::span<const backend* const> backends() noexcept {
  static const std::array<const backend*, 2> all{&postgresql_backend(), &sqlite_backend()};
  return all;
}

result<const backend*> backend_for(std::string_view url) {
  for (const auto* x : backends())
    if (x->takes(url))
      return x;
  return failure{.code = errc::invalid_request,
                 .phase = phase::connect,
                 .message =
                     "unknown URL scheme: use postgresql://user@host/dbname, a libpq keyword string (host=… dbname=…), "
                     "or sqlite:path"};
}

result<const backend*> backend_for(const database_options& database) {
  if (database.backend)
    return database.backend;
  return backend_for(database.url);
}

dialect dialect_of(const database_options& database) {
  const auto kind = backend_for(database);
  return kind ? (*kind)->dialect() : dialect::postgresql;
}

} // namespace sheaf
