// SPDX-License-Identifier: BSD-3-Clause
//
// The word that someone probably meant: the known one nearest to a mistyped one. Any thread.

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sheaf::app {

/// The word of `known` that takes the fewest edits to get from `given`: a character more, less, other, or two
/// neighbours swapped (Damerau–Levenshtein, no part edited twice); capital ASCII letters count as small ones. The first
/// of equals. Empty when all differ in more than a third of the longer word's characters, or `given` has more than 64,
/// or there are more than 1,000 words.
std::string_view nearest(std::string_view given, std::span<const std::string_view> known);

/// `; did you mean "total"?`, or nothing when no word is near.
std::string did_you_mean(std::string_view given, std::span<const std::string_view> known);

} // namespace sheaf::app
