// SPDX-License-Identifier: BSD-3-Clause
//
// From what a sheaf file says of a request, and values for its parameters, to a request for the engine. Any thread.

#pragma once

#include "sheaf_file.hpp"

namespace sheaf::app {

/// The request with its queries, each with the values that its statement uses; one for each element of a list under
/// `for_each`. `values` has all parameters of `what`. More than 10,000 queries, and none because all lists are empty,
/// are `invalid_request`.
result<request> make_request(const sheaf_file& file, const request_spec& what, const parameters& values);

/// The query of `what` that each query of a request made of it came from: its place there.
std::vector<std::size_t> origins(const request_spec& what, const std::vector<query>& made);

} // namespace sheaf::app
