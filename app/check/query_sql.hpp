// SPDX-License-Identifier: BSD-3-Clause
//
// A query's SQL for checks: as its database gets it, and the place in the file of a fault in it. Any thread.

#pragma once

#include "app/file/sheaf_file.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace sheaf::app {

/// The parameters that a request declares, without values. Make them once for a request: a file may have very many.
parameters parameters_of(const request_spec& r);

/// The statement of `q` in a dialect. `declared` are its request's; it is as before afterwards.
std::shared_ptr<const parsed_statement> parsed_for(dialect d, parameters& declared, const query_spec& q);

/// The finding of a fault in the SQL of `q` at a position in it, which counts characters from 1; 0 when it is not
/// known.
finding finding_in_sql(const query_spec& q, finding::severity how, std::string_view message, std::size_t position);

} // namespace sheaf::app
