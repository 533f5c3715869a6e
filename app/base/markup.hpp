// SPDX-License-Identifier: BSD-3-Clause
//
// Text within XML and HTML. Any thread.

#pragma once

#include <string>
#include <string_view>

namespace sheaf::app {

/// Appends `text` as the content of an element or attribute of XML or HTML, on one line. Characters that XML cannot
/// hold are made visible.
void append_markup(std::string& out, std::string_view text);
std::string markup(std::string_view text);

} // namespace sheaf::app
