// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL URL or keyword string, brought into the one form that passes through SOCI unchanged.

#pragma once

#include "sheaf/base/redaction.hpp"
#include "sheaf/error.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf {

/// libpq's connection parameters (manual, section 34.1.2) as keyword and value.
using connection_parameters = std::vector<std::pair<std::string, std::string>>;

/// Reads what libpq reads, and adds what sheaf wants unless it is given: keepalives that find a dead peer within
/// seconds, an application name. The client's encoding is UTF-8 whatever is given, here, in PGCLIENTENCODING or for the
/// role. The failure never repeats any of the text, which may hold a password. Refused is also
/// what libpq would take apart at the wrong place, such as a URL whose password has an `@` or a `/`: its pieces would
/// come back in errors, as the name of a host or of a database.
result<connection_parameters> parse_postgresql_url(const std::string& url);

/// The time that each of the hosts has: `connect_timeout`, or 10 s where that sets no limit.
std::chrono::seconds connect_timeout(const connection_parameters& parameters);

/// Takes one of several hosts out of `parameters`, by its name or address and its port. False, and nothing is changed,
/// when it is the only one or not among them.
bool leave_out(connection_parameters& parameters, std::string_view host, std::string_view port);

/// The longest that an attempt takes: `connect_timeout` for each of the hosts.
std::chrono::seconds total_connect_timeout(const connection_parameters& parameters);

/// The values that no message about a connection may repeat, as views into `parameters`. Hosts and ports are none of
/// them, nor are users and databases, unless a sign in them may have been meant to end them: a password may follow.
std::vector<secret> secrets_of(const connection_parameters& parameters);

/// `texts[0] + values[0] + texts[1] + …` so that each value stays within its place: percent-encoded in a URL, its
/// blanks, quotes and backslashes escaped in a keyword string. What begins the text is taken as it stands.
std::string join_postgresql_url(const std::vector<std::string>& texts, const std::vector<std::string>& values);

/// `postgresql:///?keyword=value&…`, every byte that is not plain percent-encoded, with the `connect_timeout` that
/// `total_connect_timeout` counts on. SOCI 4.0.3 splits connection strings on white space and takes double quotes away;
/// in this form there are none.
std::string to_url(const connection_parameters& parameters);

} // namespace sheaf
