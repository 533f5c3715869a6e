// SPDX-License-Identifier: BSD-3-Clause
//
// The setup and teardown of a scenario: the steps of one database in a row are one transaction. Main thread; the work
// itself on the engine's executor.

#pragma once

#include "app/file/sheaf_file.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <string>

namespace sheaf {
class backend;
}

namespace sheaf::app {

/// Is told how many rows of a step's file are in. On the engine's executor.
using row_progress = std::function<void(const setup_spec&, std::size_t rows)>;

/// A query that does `steps`, which are of one database of this kind, all or none of them. Its value is the number of
/// rows of CSV files.
query make_setup_query(const backend& kind, std::span<const setup_spec> steps, std::string name, row_progress progress);

} // namespace sheaf::app
