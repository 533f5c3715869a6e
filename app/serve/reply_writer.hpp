// SPDX-License-Identifier: BSD-3-Clause
//
// A reply as one JSON object, written a piece at a time, so that a large one is never held twice. One thread at a time.

#pragma once

#include "sheaf/request.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace sheaf::app::serve {

enum class answer_shape : std::uint8_t { rows, objects, scalar };

struct answer_form {
  answer_shape shape = answer_shape::rows;
  /// Integers beyond 2^53 and every numeric as strings: what JavaScript would round.
  bool exact_numbers = false;
};

class reply_writer {
public:
  /// `databases` has the name of each query's, in their order.
  reply_writer(reply what, std::vector<std::string> databases, answer_form how);

  /// Appends to `out` until it has `bytes_max` bytes or a row more, or all is written: then true.
  bool write(std::string& out, std::size_t bytes_max);

  /// Of all values of the reply. Adds them up: takes time for large ones.
  std::size_t value_bytes() const noexcept;

private:
  enum class part : std::uint8_t { results, errors, timing, done };

  bool fits_shape(const outcome& x) const;
  bool write_result(std::string& out, const outcome& x, std::size_t bytes_max);
  void write_head(std::string& out, const table& rows);
  void write_row(std::string& out, const table& rows);
  void write_cell(std::string& out, const table& rows, std::size_t row, std::size_t column) const;
  void write_error(std::string& out, const outcome& x) const;
  void write_timing(std::string& out) const;
  std::string& begin_member(std::string& out, std::string_view name);

  const reply what_;
  const std::vector<std::string> databases_;
  const answer_form how_;
  part part_ = part::results;
  std::size_t outcome_ = 0, row_ = 0;
  bool any_ = false, within_ = false; ///< A member stands already; a result's head is written.
  std::vector<std::string> keys_;
};

/// For the Server-Timing field: `db;dur=12.3, serial;dur=31`.
std::string server_timing(const reply& what);

} // namespace sheaf::app::serve
