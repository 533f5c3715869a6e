// SPDX-License-Identifier: BSD-3-Clause
//
// Decodes UTF-8 strictly (RFC 3629) and measures it with the C library's tables. Any thread.

#include "app/base/text.hpp"

#include <algorithm>
#include <cwchar>
#include <fmt/format.h>
#include <iterator>

namespace sheaf::app {

namespace {

struct shape {
  std::size_t size;
  char32_t bits, least;
};

/// The shape that a lead byte announces; size 0 when it is none.
shape shape_of(unsigned char lead) noexcept {
  if (lead < 0x80)
    return {1, lead, 0};
  if (lead >= 0xc2 && lead < 0xe0)
    return {2, lead & 0x1fu, 0x80};
  if (lead >= 0xe0 && lead < 0xf0)
    return {3, lead & 0x0fu, 0x800};
  if (lead >= 0xf0 && lead < 0xf5)
    return {4, lead & 0x07u, 0x10000};
  return {0, 0, 0};
}

} // namespace

character first_character(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  const character invalid{lead, 1, false};
  auto [size, code, least] = shape_of(lead);
  if (size == 0 || size > text.size())
    return invalid;
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0u) != 0x80)
      return invalid;
    code = (code << 6) | (next & 0x3fu);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < least || code > 0x10ffff || surrogate)
    return invalid;
  return {code, size, true};
}

std::size_t display_width(char32_t code) noexcept {
  if (code < 0x7f)
    return 1;
  // The C library knows no width for characters newer than itself; most are one column wide.
  const int width = wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

std::size_t display_width(std::string_view text) noexcept {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto c = first_character(text);
    width += c.valid ? display_width(c.code) : 1;
    text.remove_prefix(c.size);
  }
  return width;
}

bool has_control(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto c = first_character(text);
    if (is_control(c.code))
      return true;
    text.remove_prefix(c.size);
  }
  return false;
}

std::size_t append_visible(std::string& out, const character& c, std::string_view bytes) {
  const auto before = out.size();
  if (c.valid && !is_control(c.code)) {
    out.append(bytes.substr(0, c.size));
    return display_width(c.code);
  }
  if (c.valid && c.code == '\r')
    out += "\\r";
  else if (c.valid && c.code >= 0x80)
    fmt::format_to(std::back_inserter(out), "\\u{:04X}", static_cast<unsigned>(c.code));
  else
    fmt::format_to(std::back_inserter(out), "\\x{:02X}", static_cast<unsigned>(c.code));
  return out.size() - before;
}

std::string one_line(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto c = first_character(text);
    if (c.valid && (c.code == '\n' || c.code == '\r' || c.code == '\t'))
      out += ' ';
    else
      append_visible(out, c, text);
    text.remove_prefix(c.size);
  }
  return out;
}

std::string padded(std::string_view text, std::size_t width) {
  const auto taken = display_width(text);
  return std::string{text}.append(width - std::min(width, taken), ' ');
}

std::string shortened(std::string_view text, std::size_t width, bool utf8) {
  if (display_width(text) <= width)
    return std::string{text};
  const std::string_view ellipsis = utf8 ? "…" : "...";
  const auto room = width - std::min(width, display_width(ellipsis));
  std::string out;
  for (std::size_t taken = 0; !text.empty();) {
    const auto c = first_character(text);
    taken += c.valid ? display_width(c.code) : 1;
    if (taken > room)
      break;
    out.append(text.substr(0, c.size));
    text.remove_prefix(c.size);
  }
  return out.append(ellipsis);
}

std::size_t position_of(std::string_view text, std::size_t offset) noexcept {
  std::size_t position = 1, at = 0;
  while (at < offset) {
    at += first_character(text.substr(at)).size;
    ++position;
  }
  return position;
}

} // namespace sheaf::app
