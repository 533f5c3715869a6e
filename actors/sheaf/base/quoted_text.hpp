// SPDX-License-Identifier: BSD-3-Clause
//
// Finds what a message quotes, whatever its language. Pure functions.

#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace sheaf {

/// A place within a text, in bytes.
struct range {
  std::size_t begin, end;
};

/// One character of UTF-8, or a byte that is none.
struct character_at {
  char32_t code = 0; ///< 0 at the text's ends.
  std::size_t size = 0;
};

character_at character_from(std::string_view text, std::size_t at) noexcept;
character_at character_before(std::string_view text, std::size_t at) noexcept;

/// Letters, digits and the underscore. What is not ASCII is a letter unless it is punctuation.
bool is_in_word(char32_t c) noexcept;

/// The quotation marks of the languages that PostgreSQL speaks, and SQLite's brackets.
bool is_quote(char32_t c) noexcept;

/// The insides of the quotations in `text`, each up to the next mark that can end it, or to the end of the text. An
/// apostrophe within a word is none.
std::vector<range> quotations_in(std::string_view text);

} // namespace sheaf
