// SPDX-License-Identifier: BSD-3-Clause
//
// What is wrong with a sheaf file beyond its form: names that do not fit together, parameters, SQL that does not parse,
// expectations that cannot hold. Any thread.

#pragma once

#include "sheaf_file.hpp"

namespace sheaf::app {

/// Everything that can be known without a database. `given` are the variables that steps may use.
std::vector<finding> check_file(const sheaf_file& file, const variables& given);

/// The statement of `q`, as that database gets it.
std::shared_ptr<const parsed_statement> parsed_for(const database_options& database, const request_spec& of,
                                                   const query_spec& q);

/// What is wrong with the SQL of `q` at a position in it, which counts characters from 1; 0 when it is not known.
finding finding_in_sql(const query_spec& q, finding::severity how, std::string_view message, std::size_t position);

} // namespace sheaf::app
