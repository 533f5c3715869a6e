// SPDX-License-Identifier: BSD-3-Clause
//
// Functions that the commands on sheaf files share. Main thread.

#pragma once

#include "app/file/file_reader.hpp"

#include <CLI/App.hpp>

#include <functional>
#include <string>
#include <vector>

namespace sheaf::app {

/// Adds `-D name=value`.
void add_define_option(CLI::App& command, std::vector<std::string>& into);

/// The variables of `-D`. Ends the command for one that is not `name=value`, or is given twice.
variables parse_defines(const std::vector<std::string>& arguments);

/// Ends the command for a variable that none of these files has in a `${…}` or in a condition. Asks no file that could
/// not be read whole.
void expect_used(const variables& given, const std::vector<const read_result*>& files);

/// The findings of reading and, if the file could be understood, of checking.
std::vector<finding> findings_in(const read_result& read, const variables& given);

/// Reads and checks. Findings are written to stderr; an error ends the command. `change` is called in between: what the
/// command line changes in the file is checked, too.
sheaf_file load_sheaf_file(const std::string& path, const variables& given,
                           const std::function<void(sheaf_file&)>& change = {});

/// An engine for the file's databases.
options engine_options(const sheaf_file& file);

} // namespace sheaf::app
