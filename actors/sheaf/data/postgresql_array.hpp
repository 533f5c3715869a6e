// SPDX-License-Identifier: BSD-3-Clause
//
// Takes apart PostgreSQL's text for an array: `{1,NULL,"a \"b\""}`. Any thread, one at a time.

#pragma once

#include "sheaf/cell.hpp"
#include "sheaf/data/decoding.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sheaf::postgresql {

/// Reads the elements of an array of at most one dimension, whatever its lower bound (manual, 8.15.6).
///
///     for (cell element; reader.next(element);) …
///     if (reader.status() != decoding::ok) …
class array_reader {
public:
  /// The text of `array`, which outlives the reader. An array type that is not built in has elements of type 0.
  explicit array_reader(const cell& array);

  /// The next element, as text or NULL; valid until the next call. False at the end, and when the text is no such
  /// array.
  bool next(cell& element);

  decoding status() const noexcept { return status_; }

private:
  bool fail(decoding why) noexcept;
  bool skip_bounds() noexcept;
  bool quoted();
  bool unquoted();

  std::string_view rest_;  // after the last separator, or after the opening brace
  std::string element_;    // without quotes and escapes
  std::uint32_t type_ = 0; // of the elements
  char delimiter_ = ',';
  bool at_start_ = true;
  decoding status_ = decoding::ok;
};

} // namespace sheaf::postgresql
