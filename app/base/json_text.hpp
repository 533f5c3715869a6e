// SPDX-License-Identifier: BSD-3-Clause
//
// Text as JSON. Any thread.

#pragma once

#include <string>
#include <string_view>

namespace sheaf::app {

/// Appends `text` as a JSON string; bytes that are not UTF-8 become U+FFFD. False if there are such.
bool append_json_string(std::string& out, std::string_view text);

} // namespace sheaf::app
