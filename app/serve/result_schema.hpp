// SPDX-License-Identifier: BSD-3-Clause
//
// A result as JSON Schema (https://spec.openapis.org/oas/v3.1.0, section 4.8.24). Any thread.

#pragma once

#include "sheaf/cell.hpp"

#include <boost/json/object.hpp>

#include <vector>

namespace sheaf::app::serve {

/// A result in each of its shapes: with these columns, or with any when there are none.
boost::json::object result_schema(const std::vector<column>& columns);

} // namespace sheaf::app::serve
