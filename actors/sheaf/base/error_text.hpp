// SPDX-License-Identifier: BSD-3-Clause
//
// A database's or a library's words, made fit for a failure's texts. Pure functions.

#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

namespace sheaf {

/// The same text with blanks for line breaks and other control characters, and cut where it gets too long to read.
std::string to_one_line(std::string_view text);

/// The same text with its line breaks, and blanks for other control characters; cut after 4 KiB.
std::string to_lines(std::string_view text);

/// Puts a blank for each control character of `text`, which is UTF-8, C1's among them: a terminal obeys them.
void blank_controls(std::string& text) noexcept;

/// The beginning of `text`, which is UTF-8: at most that many bytes, and no part of a character.
std::string_view in_whole_characters(std::string_view text, std::size_t bytes_max) noexcept;

/// The type of what was thrown. Not its text, which may hold a value.
std::string type_of_thrown(const std::exception_ptr& thrown);

} // namespace sheaf
