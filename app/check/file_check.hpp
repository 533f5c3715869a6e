// SPDX-License-Identifier: BSD-3-Clause
//
// Errors in a sheaf file beyond its form: names that do not fit together, parameters, SQL that does not parse,
// expectations that cannot hold. Any thread.

#pragma once

#include "app/file/sheaf_file.hpp"

namespace sheaf::app {

/// Everything that can be known without a database. `given` are the variables that steps may use.
std::vector<finding> check_file(const sheaf_file& file, const variables& given);

} // namespace sheaf::app
