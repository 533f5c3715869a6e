// SPDX-License-Identifier: BSD-3-Clause
//
// Reads files that people have written. Any thread.

#pragma once

#include "sheaf/error.hpp"

#include <cstddef>
#include <string>

namespace sheaf::app {

/// The content of a file, or of standard input for `-`, without a byte order mark. One that cannot be read, or is
/// larger, is `invalid_request` with the reason alone.
result<std::string> read_text_file(const std::string& path, std::size_t mebibytes_max = 16);

} // namespace sheaf::app
