// SPDX-License-Identifier: BSD-3-Clause
//
// Builds a parsed statement from left to right: numbers the parameters and keeps account of what stands where.

#pragma once

#include "sheaf/sql/parsed_statement.hpp"

#include <string_view>
#include <unordered_map>
#include <vector>

namespace sheaf {

/// The texts it is given outlive it.
class statement_writer {
public:
  /// A writer for a source of `bytes`.
  explicit statement_writer(std::size_t bytes) { out_.text.reserve(bytes + 16); }

  /// Source text that stays as it is.
  void append(std::string_view source) { out_.text.append(source); }

  /// `:name`, as `sign` with the name's number.
  void append_parameter(std::string_view name, std::string_view sign);

  /// `:name` that stays as it is, to be appended with what is around it. Its number, from 1.
  std::size_t number(std::string_view name);

  /// All but `empty`, `positional` and `effects`.
  parsed_statement finish() &&;

private:
  parsed_statement out_;
  std::vector<std::string_view> names_;
  std::unordered_map<std::string_view, std::size_t> numbers_; ///< The numbers of `names_`, once there are many.

  // Up to the end of the last parameter.
  std::size_t text_bytes_ = 0, text_characters_ = 0, source_characters_ = 0;
};

} // namespace sheaf
