// SPDX-License-Identifier: BSD-3-Clause
//
// A reply as a picture: the queries that waited and ran, and those that the whole had to wait for. Any thread.

#pragma once

#include "sheaf/request.hpp"

#include <string>
#include <string_view>

namespace sheaf::app {

/// An SVG file: a row for each query, an axis, the critical path, and what the queries would have taken one after
/// another. Follows the reader's light or dark scheme. Needs nothing from elsewhere and runs no script.
std::string to_svg(const reply& got, std::string_view title);

/// A page with the same picture, a table of the queries, and their notices. Needs nothing from elsewhere and runs no
/// script.
std::string to_html(const reply& got, std::string_view title);

/// Chrome's trace event format, which Perfetto opens: a lane for each query, its phases within it.
std::string to_trace(const reply& got, std::string_view title);

} // namespace sheaf::app
