// SPDX-License-Identifier: BSD-3-Clause
//
// The outcome of reading a cell as a C++ type. Plain data.

#pragma once

#include <cstdint>

namespace sheaf {

/// Everything but `ok` leaves the value that was to be read in a valid but unspecified state.
enum class decoding : std::uint8_t {
  ok,
  no_cell,      ///< Row or column index out of range.
  null,         ///< NULL, and the C++ type has no place for it.
  null_element, ///< The same for an element of an array.
  wrong_type,   ///< The column's type is never read as this C++ type.
  out_of_range, ///< The value is outside of the C++ type's range.
  inexact,      ///< The C++ type has no value that is exactly this one.
  dimensions,   ///< An array of several dimensions.
  malformed,    ///< The bytes are not what the column's type says (for a date: DateStyle is not ISO).
};

} // namespace sheaf
