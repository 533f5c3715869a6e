// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/base/quoted_text.hpp"

#include <algorithm>
#include <iterator>

namespace sheaf {

namespace {

struct marks {
  char32_t open;
  std::u32string_view closing;
};

constexpr marks known_marks[] = {
    {U'"', U"\""},
    {U'\'', U"'"},
    {U'`', U"`'"},
    {U'[', U"]"},
    {U'\u201c', U"\u201d"},       // “…”
    {U'\u201e', U"\u201c\u201d"}, // „…“, „…”
    {U'\u201d', U"\u201d"},       // ”…”
    {U'\u2018', U"\u2019"},       // ‘…’
    {U'\u201a', U"\u2018\u2019"}, // ‚…‘
    {U'\u00ab', U"\u00bb"},       // «…»
    {U'\u00bb', U"\u00ab\u00bb"}, // »…«, »…»
    {U'\u2039', U"\u203a"},       // ‹…›
    {U'\u300c', U"\u300d"},       // 「…」
};

const marks* opened_by(char32_t c) noexcept {
  const auto* found =
      std::find_if(std::begin(known_marks), std::end(known_marks), [c](const marks& x) { return x.open == c; });
  return found == std::end(known_marks) ? nullptr : found;
}

bool is_apostrophe(char32_t c) noexcept { return c == U'\'' || c == U'\u2019'; }

} // namespace

character_at character_from(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size())
    return {};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const auto first = byte(0);
  const std::size_t size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
  if (size == 0 || at + size > text.size())
    return {.code = 0xfffd, .size = 1};
  char32_t code = size == 1 ? first : first & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80)
      return {.code = 0xfffd, .size = 1};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  return {code, size};
}

character_at character_before(std::string_view text, std::size_t at) noexcept {
  for (std::size_t size = 1; size <= std::min<std::size_t>(4, at); ++size)
    if (const auto c = character_from(text, at - size); c.size == size && (size > 1 || c.code < 0x80))
      return c;
  return at == 0 ? character_at{} : character_at{.code = 0xfffd, .size = 1};
}

bool is_in_word(char32_t c) noexcept {
  if (c < 0x80)
    return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9') || c == U'_';
  const bool punctuation = c < 0xc0 || (c >= 0x2000 && c <= 0x206f) || (c >= 0x3000 && c <= 0x303f) || c >= 0xff00;
  return !punctuation;
}

bool is_quote(char32_t c) noexcept {
  return std::any_of(std::begin(known_marks), std::end(known_marks),
                     [c](const marks& x) { return x.open == c || x.closing.find(c) != x.closing.npos; });
}

std::vector<range> quotations_in(std::string_view text) {
  std::vector<range> found;
  const marks* open = nullptr;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = character_from(text, at);
    const auto next = at + c.size;
    if (!open) {
      open = opened_by(c.code);
      if (open && is_apostrophe(c.code) && is_in_word(character_before(text, at).code))
        open = nullptr;
      begin = next;
    } else if (open->closing.find(c.code) != open->closing.npos &&
               !(is_apostrophe(c.code) && is_in_word(character_from(text, next).code))) {
      found.push_back({begin, at});
      open = nullptr;
    }
    at = next;
  }
  if (open)
    found.push_back({begin, text.size()});
  return found;
}

} // namespace sheaf
