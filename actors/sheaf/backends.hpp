// SPDX-License-Identifier: BSD-3-Clause
//
// The kinds of databases that there are. Any thread.

#pragma once

#include "sheaf/backend.hpp"
#include "sheaf/options.hpp"

#include <span>
#include <string_view>

namespace sheaf {

/// All of them.
std::span<const backend* const> backends() noexcept;

/// The one that takes this URL; an unknown scheme is `invalid_request`. The failure never repeats the URL, which may
/// hold a password. Whether there is a server, or a file, shows when a session is opened.
result<const backend*> backend_for(std::string_view url);

/// That of a database: its own if it has one, else by its URL.
result<const backend*> backend_for(const database_options& database);

/// Whose lexical rules this database's statements follow; PostgreSQL's where the URL is nobody's.
dialect dialect_of(const database_options& database);

} // namespace sheaf
