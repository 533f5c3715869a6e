// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sql/parsed_statement.hpp"

#include <algorithm>

namespace sheaf {

std::size_t characters(std::string_view utf8) noexcept {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::size_t parsed_statement::position_in_source(std::size_t position) const noexcept {
  if (position == 0)
    return 0;
  const auto at = position - 1;
  auto next = std::upper_bound(replacements.begin(), replacements.end(), at,
                               [](std::size_t x, const replacement& r) { return x < r.at_text; });
  if (next == replacements.begin())
    return position;
  const auto& last = *--next;
  const auto past = at - last.at_text;
  if (past < last.text_length)
    return last.at_source + 1;
  return last.at_source + last.source_length + (past - last.text_length) + 1;
}

} // namespace sheaf
