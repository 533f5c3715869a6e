// SPDX-License-Identifier: BSD-3-Clause
//
// A request as a picture in text: a bar for each query, waiting and running told apart. Any thread.

#pragma once

#include "app/base/terminal.hpp"
#include "sheaf/request.hpp"

#include <string>

namespace sheaf::app {

/// A line for each query (the first 40), an axis, and a line that says what the signs mean.
std::string timeline(const reply& got, const terminal& where);

} // namespace sheaf::app
