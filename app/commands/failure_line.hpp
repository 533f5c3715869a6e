// SPDX-License-Identifier: BSD-3-Clause
//
// The failure of a query, as every command tells it on stderr. Main thread.

#pragma once

#include "sheaf/error.hpp"

#include <string_view>

namespace sheaf::app {

/// One line, the place in the SQL where the database gave one, and its details. `sql` is that of the query; empty when
/// the failure is no query's.
void tell_failure(const failure& why, std::string_view sql);

} // namespace sheaf::app
