// SPDX-License-Identifier: BSD-3-Clause
//
// Makes the request that the engine runs, from one of a sheaf file and its parameters' values. Any thread.

#pragma once

#include "app/file/sheaf_file.hpp"

#include "sheaf/request.hpp"

namespace sheaf::app {

/// The request with each query given the values that its statement uses, one query for each element where `for_each`
/// goes over a list; of empty lists a request without queries. `values` has one for every parameter of `spec`. Lists
/// that would make more than 10,000 queries are `invalid_request`.
result<request> make_request(const std::vector<database_options>& databases, const request_spec& spec,
                             const parameters& values);

/// The query of `spec` that each query of a request made of it came from: its place there.
std::vector<std::size_t> origins(const request_spec& spec, const std::vector<query>& made);

} // namespace sheaf::app
