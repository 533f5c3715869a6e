// SPDX-License-Identifier: BSD-3-Clause
//
// UTF-8 text on a terminal: characters, the columns that they take, and those that must not reach a terminal as they
// are.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sheaf::app {

/// One character at the start of a text. A byte that is not valid UTF-8 counts as a character of its own.
struct character {
  char32_t code = 0;
  std::size_t size = 0; ///< The size in bytes, at least 1.
  bool valid = false;   ///< False for a byte that is not UTF-8; `code` is that byte.
};

/// The first character of `text`, which is not empty.
character first_character(std::string_view text) noexcept;

/// The position of byte `offset` of `text`, in characters from 1.
std::size_t position_of(std::string_view text, std::size_t offset) noexcept;

/// Columns that a printable text takes on a terminal: 2 for a wide character, 0 for a combining one.
std::size_t display_width(std::string_view text) noexcept;

/// Columns of one character; 0 or more. Control characters are the caller's to escape.
std::size_t display_width(char32_t code) noexcept;

constexpr bool is_decimal(char c) noexcept { return c >= '0' && c <= '9'; }

/// True for characters that move the cursor or change the terminal: C0, DEL and C1.
constexpr bool is_control(char32_t code) noexcept { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

/// True when one is among these characters.
bool has_control(std::string_view text) noexcept;

/// Appends `c`, found at the start of `bytes`, as `psql` shows it: control characters as `\x1B` or `\u0085`, `\r` for a
/// carriage return, bytes that are not UTF-8 as `\xFF`. Gives the columns it takes.
std::size_t append_visible(std::string& out, const character& c, std::string_view bytes);

/// `text` on one line, safe for a terminal: line ends and tabs become spaces, other controls are escaped.
std::string one_line(std::string_view text);

/// `text` with spaces behind it up to `width` columns.
std::string padded(std::string_view text, std::size_t width);

/// `text` cut to `width` columns, with `…` (or `...`) where something is missing.
std::string shortened(std::string_view text, std::size_t width, bool utf8);

} // namespace sheaf::app
