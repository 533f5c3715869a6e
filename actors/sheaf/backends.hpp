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

/// The kind that takes this URL; an unknown scheme is `invalid_request`. The failure never repeats the URL, which may
/// hold a password. A missing server, or file, shows when a session is opened.
result<const backend*> backend_for(std::string_view url);

/// The kind of a database: its own if it has one, else that of its URL.
result<const backend*> backend_for(const database_options& database);

/// The lexical rules that this database's statements follow; PostgreSQL's where no kind takes the URL.
dialect dialect_of(const database_options& database);

} // namespace sheaf
