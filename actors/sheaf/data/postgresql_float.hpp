// SPDX-License-Identifier: BSD-3-Clause
//
// Floating-point numbers as PostgreSQL prints them. Pure functions, any thread.

#pragma once

#include <string>

namespace sheaf::postgresql {

/// The text of a `float8` with the server's default `extra_float_digits`: the shortest digits that give the value back
/// (manual, 8.1.3), with an exponent below 1e-04 and from 1e+15; `NaN`, `Infinity`.
void append_float8(std::string& out, double x);

/// The same for a `float4`, with an exponent from 1e+06.
void append_float4(std::string& out, float x);

} // namespace sheaf::postgresql
