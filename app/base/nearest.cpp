// SPDX-License-Identifier: BSD-3-Clause
//
// The edit distance, row by row. Any thread.

#include "app/base/nearest.hpp"

#include "app/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace sheaf::app {

namespace {

constexpr std::size_t characters_max = 64;

std::u32string folded(std::string_view text) {
  std::u32string out;
  while (!text.empty() && out.size() <= characters_max) {
    const auto c = first_character(text);
    out += c.code >= U'A' && c.code <= U'Z' ? c.code - U'A' + U'a' : c.code;
    text.remove_prefix(c.size);
  }
  return out;
}

/// Both have at most `characters_max` characters.
std::size_t distance(std::u32string_view a, std::u32string_view b) {
  std::array<std::array<std::size_t, characters_max + 1>, 3> rows{};
  auto *before = &rows[0], *last = &rows[1], *row = &rows[2];
  for (std::size_t j = 0; j <= b.size(); ++j)
    (*last)[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    (*row)[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
      (*row)[j] = std::min({(*last)[j] + 1, (*row)[j - 1] + 1, (*last)[j - 1] + other});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        (*row)[j] = std::min((*row)[j], (*before)[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return (*last)[b.size()];
}

} // namespace

std::string_view nearest(std::string_view given, std::span<const std::string_view> known) {
  if (const auto same = std::ranges::find(known, given); same != known.end())
    return *same; // not `given`, whose bytes may go away
  const auto word = folded(given);
  constexpr std::size_t words_max = 1000; // a file may have very many, and many mistakes
  if (word.empty() || word.size() > characters_max || known.size() > words_max)
    return {};
  std::string_view best;
  auto best_distance = characters_max;
  for (const auto candidate : known) {
    const auto other = folded(candidate);
    if (other.empty() || other.size() > characters_max)
      continue;
    const auto edits = distance(word, other);
    if (edits > std::max(word.size(), other.size()) / 3 || edits >= best_distance)
      continue;
    best = candidate;
    best_distance = edits;
  }
  return best;
}

std::string did_you_mean(std::string_view given, std::span<const std::string_view> known) {
  const auto near = nearest(given, known);
  return near.empty() ? std::string{} : "; did you mean \"" + std::string{near} + "\"?";
}

} // namespace sheaf::app
