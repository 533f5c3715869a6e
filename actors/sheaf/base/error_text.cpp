// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/base/error_text.hpp"

#include <algorithm>
#include <cstddef>

namespace sheaf {

namespace {

/// A syntax error quotes the token it stumbled over, which may be a literal of any length.
constexpr std::size_t message_bytes_max = 500;

/// A context has a line for each function that called another.
constexpr std::size_t lines_bytes_max = 4096;

constexpr std::string_view ellipsis = "…";

std::string plain(std::string_view text, std::size_t bytes_max, char kept) {
  auto size = std::min(text.size(), bytes_max);
  const bool cut = size < text.size();
  while (cut && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
    --size; // not within a character
  std::string out{text.substr(0, size)};
  std::replace_if(
      out.begin(), out.end(),
      [kept](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != kept) || c == 0x7f; }, ' ');
  constexpr std::string_view blanks = " \n";
  out.erase(out.find_last_not_of(blanks) + 1);
  out.erase(0, out.find_first_not_of(blanks));
  if (cut)
    out += ellipsis;
  return out;
}

} // namespace

std::string to_one_line(std::string_view text) { return plain(text, message_bytes_max, ' '); }

std::string to_lines(std::string_view text) { return plain(text, lines_bytes_max, '\n'); }

} // namespace sheaf
