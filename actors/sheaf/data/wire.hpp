// SPDX-License-Identifier: BSD-3-Clause
//
// Values and tables as bytes, for CAF messages that leave the process. Exact: floating-point numbers travel as bits,
// since CAF 0.17.6 sends no infinity. Pure functions, any thread.

#pragma once

#include "sheaf/error.hpp"

#include <string>
#include <string_view>

namespace caf {
class deserializer;
class error;
class serializer;
} // namespace caf

namespace sheaf {
class table;
class value;
} // namespace sheaf

namespace sheaf::wire {

/// Appends `x` in a form that has the same bytes on every machine.
void append(std::string& out, const value& x);
void append(std::string& out, const table& x);

/// Reads all of `in`, which need not be trusted: anything but what `append` writes is an `invalid_request` failure.
/// Allocates no more than in proportion to `in`. Arrays nest at most `depth_max` deep.
result<value> read_value(std::string_view in);
result<table> read_table(std::string_view in);

inline constexpr int depth_max = 16; ///< PostgreSQL's arrays have at most 6 dimensions.

/// The same by way of CAF. Loading allocates as bytes arrive, whatever length the stream announces; a broken stream is
/// an error, and leaves `x` as it was.
caf::error save(caf::serializer& f, const value& x);
caf::error save(caf::serializer& f, const table& x);
caf::error load(caf::deserializer& f, value& x);
caf::error load(caf::deserializer& f, table& x);

} // namespace sheaf::wire
