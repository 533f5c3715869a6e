// SPDX-License-Identifier: BSD-3-Clause
//
// A database's or a library's words, made fit for a failure's message: one line. A pure function.

#pragma once

#include <string>
#include <string_view>

namespace sheaf {

/// The same text with blanks for line breaks and other control characters, and cut where it gets too long to read.
std::string to_one_line(std::string_view text);

} // namespace sheaf
