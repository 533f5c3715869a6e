// SPDX-License-Identifier: BSD-3-Clause
//
// Reads sheaf files. Any thread.

#pragma once

#include "app/file/finding.hpp"
#include "app/file/sheaf_file.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace sheaf::app {

struct read_result {
  sheaf_file file;               ///< The file as far as it could be understood.
  std::vector<finding> findings; ///< In the order of the file.
};

/// Reads the text of a file of that name, and everything that it names, as below.
read_result read_sheaf_text(const std::string& text, const std::filesystem::path& path, const variables& given);

/// Reads a file and everything that it names. All that is wrong is found at once; nothing is sent to a database.
read_result read_sheaf_file(const std::filesystem::path& path, const variables& given);

} // namespace sheaf::app
