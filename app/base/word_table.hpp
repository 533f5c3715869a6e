// SPDX-License-Identifier: BSD-3-Clause
//
// Tables of words and their meanings. Any thread.

#pragma once

#include <cassert>
#include <cstddef>
#include <string_view>

namespace sheaf::app {

template <class T>
struct meaning {
  std::string_view word;
  T value;
};

/// The meaning of `word`, or null.
template <class T, std::size_t N>
constexpr const T* find_meaning(std::string_view word, const meaning<T> (&table)[N]) noexcept {
  for (const auto& x : table)
    if (x.word == word)
      return &x.value;
  return nullptr;
}

/// The meaning of `word`, which is in the table.
template <class T, std::size_t N>
constexpr T meaning_of(std::string_view word, const meaning<T> (&table)[N]) noexcept {
  const auto* found = find_meaning(word, table);
  assert(found);
  return *found;
}

/// The word that means `value`, which is in the table.
template <class T, std::size_t N>
constexpr std::string_view word_for(T value, const meaning<T> (&table)[N]) noexcept {
  for (const auto& x : table)
    if (x.value == value)
      return x.word;
  assert(false);
  return {};
}

} // namespace sheaf::app
