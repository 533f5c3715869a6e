// SPDX-License-Identifier: BSD-3-Clause
//
// The setup and teardown of a scenario: what belongs to one database in a row is one transaction. Main thread; the work
// itself on the engine's executor.

#pragma once

#include "sheaf_file.hpp"

#include <span>

namespace sheaf::app {

/// A query that does `steps`, which are of one database, all or none of them. Its value is the number of rows of CSV
/// files.
query make_setup_query(std::span<const setup_spec> steps, std::string name);

} // namespace sheaf::app
