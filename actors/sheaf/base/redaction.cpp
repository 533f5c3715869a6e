// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/base/redaction.hpp"

#include "sheaf/base/quoted_text.hpp"

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <utility>

namespace sheaf {

namespace {

constexpr std::size_t looked_at_bytes_max = 4096;

/// A run of so many bytes in common is no accident. They fit into one number.
constexpr std::size_t run_bytes = 8;

constexpr std::string_view left_out = "…";

/// As a server may have changed it on its way into a message: names lose their case, and lines their ends.
unsigned char folded(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte < ' ' ? ' ' : byte;
}

std::size_t find_folded(std::string_view in, std::string_view text, std::size_t from = 0) noexcept {
  const auto found = std::search(in.begin() + static_cast<std::ptrdiff_t>(std::min(from, in.size())), in.end(),
                                 text.begin(), text.end(), [](char a, char b) { return folded(a) == folded(b); });
  return found == in.end() && !text.empty() ? in.npos : static_cast<std::size_t>(found - in.begin());
}

bool is_number(std::string_view text) noexcept {
  return text.find_first_not_of("0123456789.,-+eE") == text.npos && text.find_first_of("0123456789") != text.npos;
}

/// True when a word goes on across `at`. One of ASCII and one of another script are two: languages without blanks.
bool is_within_word(std::string_view text, std::size_t at) noexcept {
  const auto before = character_before(text, at).code, after = character_from(text, at).code;
  return is_in_word(before) && is_in_word(after) && (before < 0x80) == (after < 0x80);
}

/// Without the dots by which a server says that it has left something out.
std::string_view without_dots(std::string_view word) noexcept {
  constexpr std::string_view dots = "...";
  if (word.starts_with(dots))
    word.remove_prefix(dots.size());
  if (word.ends_with(dots))
    word.remove_suffix(dots.size());
  return word;
}

std::string_view trimmed(std::string_view text) noexcept {
  for (auto c = character_from(text, 0); c.size > 0 && (c.code <= U' ' || c.code == 0xa0 || c.code == 0x202f);
       c = character_from(text, 0))
    text.remove_prefix(c.size);
  for (auto c = character_before(text, text.size());
       c.size > 0 && (c.code <= U' ' || c.code == 0xa0 || c.code == 0x202f); c = character_before(text, text.size()))
    text.remove_suffix(c.size);
  return text;
}

/// A message, and what is to stand in place of each of its bytes.
class covered_text {
public:
  covered_text(std::string_view text, const redaction& how) : text_(text), how_(how), by_(text.size(), none) {}

  /// Covers the places where a whole secret stands alone.
  void cover_whole_secrets() {
    for (std::size_t i = 0; i < how_.secrets.size(); ++i) {
      const auto secret = how_.secrets[i].text;
      if (secret.empty() || secret.size() > text_.size())
        continue;
      for (auto at = find_folded(text_, secret); at != text_.npos; at = find_folded(text_, secret, at + 1))
        if (const range x{at, at + secret.size()}; stands_alone(x, secret))
          cover(x, i);
    }
  }

  /// Covers the runs that the message and a secret have in common. Takes time in proportion to the secrets.
  void cover_runs() {
    if (text_.size() < run_bytes)
      return;
    struct run {
      std::uint64_t bytes;
      std::size_t at;
      bool found = false;
      bool operator<(const run& x) const noexcept { return bytes < x.bytes; }
    };
    std::vector<run> runs;
    std::bitset<1 << 15> filter; // most runs of a secret are none of the message's
    const auto place_of = [](std::uint64_t x) { return (x * 0x9e3779b97f4a7c15) >> 49; };
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      last = last << 8 | folded(text_[i]);
      if (i + 1 < run_bytes)
        continue;
      runs.push_back({.bytes = last, .at = i + 1 - run_bytes});
      filter.set(place_of(last));
    }
    std::stable_sort(runs.begin(), runs.end());
    for (std::size_t i = 0; i < how_.secrets.size(); ++i) {
      const auto secret = how_.secrets[i].text;
      for (std::size_t j = 0; j < secret.size(); ++j) {
        last = last << 8 | folded(secret[j]);
        if (j + 1 < run_bytes || !filter.test(place_of(last)))
          continue;
        auto x = std::lower_bound(runs.begin(), runs.end(), run{.bytes = last, .at = 0});
        if (x == runs.end() || x->bytes != last || std::exchange(x->found, true))
          continue;
        for (; x != runs.end() && x->bytes == last; ++x)
          cover({x->at, x->at + run_bytes}, i);
      }
    }
  }

  /// Half a word, or half a character, would tell something; a blank at the end does not.
  void cover_whole_words() {
    for (std::size_t i = 0; i < by_.size(); ++i)
      if (text_[i] == ' ' && (i == 0 || by_[i - 1] == none))
        by_[i] = none;
    for (std::size_t i = by_.size(); i-- > 0;)
      if (text_[i] == ' ' && (i + 1 == by_.size() || by_[i + 1] == none))
        by_[i] = none;
    for (std::size_t i = 1; i < by_.size(); ++i)
      if (by_[i] == none && by_[i - 1] != none && continues(i))
        by_[i] = by_[i - 1];
    for (std::size_t i = by_.size(); i-- > 1;)
      if (by_[i - 1] == none && by_[i] != none && continues(i))
        by_[i - 1] = by_[i];
  }

  /// Covers quotations that have to do with a secret, and drops what else may be input.
  void cover_quotations() {
    const bool may_be_input = how_.repeats == repeats::input;
    std::vector<range> suspect;
    for (const auto& x : quotations_in(uncovered())) {
      const auto content = trimmed(text_.substr(x.begin, x.end - x.begin));
      const bool is_known = is_name(content);
      auto by = cover_of(x);
      if (by == none && !is_known)
        by = secret_with(content, may_be_input ? 1 : 3);
      if (by != none)
        fill(x, by);
      else if (is_known || (content.empty() ? !may_be_input : is_in_sql(content)))
        continue;
      if (may_be_input)
        suspect.push_back(x); // one with nothing in it may be the first mark of a value
    }
    if (suspect.empty())
      return;
    // A value may itself hold quotation marks: what follows up to the last of them may belong to it.
    const auto last = text_.rfind('"');
    drop({suspect.front().begin, last == text_.npos ? suspect.back().end : std::max(suspect.back().end, last)});
  }

  /// Drops what else may be input without quotes.
  void cover_bare_input() {
    if (how_.repeats != repeats::bytes && how_.repeats != repeats::input)
      return;
    const auto colon = text_.rfind(':');
    const auto quoted = quotations_in(text_);
    for (std::size_t begin = 0, end = 0; begin < text_.size(); begin = end + 1) {
      end = std::min(text_.find_first_of(" ,;()", begin), text_.size());
      const auto word = text_.substr(begin, end - begin);
      if (word.empty() || cover_of({begin, end}) != none)
        continue;
      if (how_.repeats == repeats::bytes) {
        if (word.starts_with("0x"))
          fill({begin, end}, dropped);
      } else if (colon != text_.npos && begin > colon && !is_in(quoted, begin)) {
        if (const auto i = secret_with(without_dots(word), 2); i != none)
          fill({begin, end}, i);
        else if (word.find_first_of("0123456789") != word.npos)
          fill({begin, end}, dropped);
      }
    }
  }

  /// Drops what else stands between the parentheses of a row's values, which may hold parentheses themselves: up to the
  /// last one.
  void cover_row() {
    if (how_.repeats != repeats::key && how_.repeats != repeats::row)
      return;
    auto begin = text_.npos;
    if (how_.repeats == repeats::key)
      for (const std::string_view mark : {")=(", ") = ("})
        if (const auto at = text_.find(mark); at < begin)
          begin = at + mark.size();
    if (begin == text_.npos)
      begin = std::min(text_.find('('), text_.size() - 1) + 1;
    const auto end = std::min(text_.rfind(')'), text_.size());
    for (auto i = begin; i < end; ++i)
      if (by_[i] == none)
        by_[i] = dropped;
  }

  /// A text that was cut may end with a piece of a secret.
  void drop_last_word() {
    auto begin = text_.size() - std::min(text_.size(), run_bytes);
    while (begin > 0 && continues(begin))
      --begin;
    fill({begin, text_.size()}, dropped);
  }

  std::string result() const {
    std::string out;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (by_[i] == none)
        out += text_[i];
      else if (i > 0 && by_[i] == by_[i - 1])
        continue;
      else if (by_[i] == dropped)
        out += left_out;
      else
        out.append("‹").append(how_.secrets[by_[i]].name).append("›");
    }
    return out;
  }

private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1), dropped = none - 1;

  void fill(range x, std::size_t by) {
    std::fill(by_.begin() + static_cast<std::ptrdiff_t>(x.begin), by_.begin() + static_cast<std::ptrdiff_t>(x.end), by);
  }

  void drop(range x) { cover(x, dropped); }

  void cover(range x, std::size_t by) {
    for (auto i = x.begin; i < x.end; ++i)
      if (by_[i] == none)
        by_[i] = by;
  }

  /// The first secret in a place, or `none`.
  std::size_t cover_of(range x) const noexcept {
    for (auto i = x.begin; i < x.end; ++i)
      if (by_[i] != none)
        return by_[i];
    return none;
  }

  bool continues(std::size_t at) const noexcept {
    return (static_cast<unsigned char>(text_[at]) & 0xc0) == 0x80 || is_within_word(text_, at);
  }

  bool stands_alone(range x, std::string_view secret) const noexcept {
    if (is_within_word(text_, x.begin) || is_within_word(text_, x.end))
      return false;
    if (secret.size() >= 4 || is_number(secret))
      return true;
    const auto left = trimmed(text_.substr(0, x.begin)), right = trimmed(text_.substr(x.end));
    if (left.empty() && right.empty())
      return true;
    const auto before = character_before(left, left.size()).code;
    return (is_quote(before) && is_quote(character_from(right, 0).code)) ||
           (before != 0 && std::u32string_view{U":=(\uff1a"}.find(before) != std::u32string_view::npos);
  }

  /// The text without the quotation marks that are a secret's own.
  std::string uncovered() const {
    std::string out{text_};
    for (std::size_t i = 0; i < out.size(); ++i)
      if (by_[i] != none)
        out[i] = '.';
    return out;
  }

  bool is_name(std::string_view content) const noexcept {
    return std::find(how_.names.begin(), how_.names.end(), content) != how_.names.end();
  }

  /// The secret that `content` is a piece of, or `none`.
  std::size_t secret_with(std::string_view content, std::size_t bytes_min) const noexcept {
    if (content.size() >= bytes_min)
      for (std::size_t i = 0; i < how_.secrets.size(); ++i)
        if (find_folded(how_.secrets[i].text, content) != std::string_view::npos)
          return i;
    return none;
  }

  bool is_in_sql(std::string_view content) const noexcept {
    for (auto at = find_folded(how_.sql, content); at != content.npos; at = find_folded(how_.sql, content, at + 1))
      if (!is_within_word(how_.sql, at) && !is_within_word(how_.sql, at + content.size()))
        return true;
    return false;
  }

  static bool is_in(const std::vector<range>& all, std::size_t at) noexcept {
    return std::any_of(all.begin(), all.end(), [at](const range& x) { return x.begin <= at && at < x.end; });
  }

  std::string_view text_;
  const redaction& how_;
  std::vector<std::size_t> by_; ///< For each byte the index of a secret, `dropped` or `none`.
};

} // namespace

std::string redacted(std::string_view message, const redaction& how) {
  covered_text text{message.substr(0, looked_at_bytes_max), how};
  text.cover_whole_secrets();
  text.cover_runs();
  text.cover_whole_words();
  text.cover_quotations();
  text.cover_bare_input();
  text.cover_row();
  if (message.size() > looked_at_bytes_max)
    text.drop_last_word();
  return text.result();
}

std::string without_values(std::string_view message) {
  const auto quoted = quotations_in(message);
  const auto colon = message.find(':');
  auto begin = message.size(), end = begin;
  if (!quoted.empty()) {
    begin = quoted.front().begin;
    end = quoted.back().end;
  } else if (colon != message.npos && colon + 1 < message.size()) {
    begin = colon + 1;
  }
  if (begin == message.size())
    return std::string{message};
  std::string out{message.substr(0, begin)};
  if (quoted.empty())
    out += ' ';
  return out.append(left_out).append(message.substr(end));
}

} // namespace sheaf
