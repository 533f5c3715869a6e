// SPDX-License-Identifier: BSD-3-Clause
//
// From the command line of `sheaf query` to the queries of a request. Main thread.

#pragma once

#include "sheaf/backend.hpp"
#include "sheaf/request.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

/// SQL, or a file's path, and the name it was given; empty for none.
struct named_text {
  std::string name, text;
};

/// Splits `name=rest`. A name is a word (letters, digits, `_`, and any character outside ASCII; no digit first)
/// directly followed by `=` at the very start. No SQL statement starts like that, so `select a = 1` has no name.
named_text split_name(std::string_view argument);

/// A URL as it is given on a command line: `env:NAME` is the one that an environment variable holds, which other users
/// do not see in a list of processes. Ends the command when there is no such variable.
std::string given_url(const std::string& argument);

/// Ends the command for what is no URL but SQL, or the name of an SQLite file, with what to write in its place.
void expect_url(const std::string& argument);

/// The queries in order: those of the command line, then those of files (`-` is standard input). A query without a name
/// is `q1`, `q2`, … by its position among all. Ends the command for a file that cannot be read or is larger than 16
/// MiB.
std::vector<named_text> gather_queries(const std::vector<std::string>& arguments,
                                       const std::vector<std::string>& files);

/// Gives each query those of the parameters that it uses. Ends the command for a parameter that is given twice or that
/// no query uses, and for one that is missing; the message lists the names.
std::vector<query> bind_parameters(const std::vector<named_text>& queries, const std::vector<std::string>& arguments,
                                   const backend& of);

} // namespace sheaf::app
