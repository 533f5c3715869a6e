// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/base/error_text.hpp"

#include <algorithm>
#include <cstddef>

namespace sheaf {

namespace {

/// A syntax error quotes the token it stumbled over, which may be a literal of any length.
constexpr std::size_t message_bytes_max = 500;

constexpr std::string_view ellipsis = "…";

} // namespace

std::string to_one_line(std::string_view text) {
  auto size = std::min(text.size(), message_bytes_max);
  const bool cut = size < text.size();
  while (cut && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
    --size; // not within a character
  std::string line{text.substr(0, size)};
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  line.erase(line.find_last_not_of(' ') + 1);
  line.erase(0, line.find_first_not_of(' '));
  if (cut)
    line += ellipsis;
  return line;
}

} // namespace sheaf
