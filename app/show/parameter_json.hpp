// SPDX-License-Identifier: BSD-3-Clause
//
// A parameter's value as JSON. Any thread.

#pragma once

#include "sheaf/value.hpp"

#include <string>

namespace sheaf::app {

/// Appends null, true, a number, a string or a list; bytes as `"\\x00ff"`, dates and times as their text.
void append_json_value(std::string& out, const value& x);

} // namespace sheaf::app
