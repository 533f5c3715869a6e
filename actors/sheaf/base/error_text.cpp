// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/base/error_text.hpp"

#include <boost/core/demangle.hpp>

#include <algorithm>
#include <cstddef>
#include <typeinfo>

namespace sheaf {

namespace {

/// A syntax error quotes the token it stumbled over, which may be a literal of any length.
constexpr std::size_t message_bytes_max = 500;

/// A context has a line for each function that called another.
constexpr std::size_t lines_bytes_max = 4096;

constexpr std::string_view ellipsis = "…";

/// A control character of C1 is C2 80 to C2 9F; the second byte of a character in two is never the first of one.
void blank_controls(std::string& text, char kept) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0u;
    if ((c < 0x20 && text[i] != kept) || c == 0x7f)
      text[i] = ' ';
    else if (c == 0xc2 && next >= 0x80 && next < 0xa0)
      text[i] = text[i + 1] = ' ';
  }
}

std::string plain(std::string_view text, std::size_t bytes_max, char kept) {
  std::string out{in_whole_characters(text, bytes_max)};
  const bool cut = out.size() < text.size();
  blank_controls(out, kept);
  constexpr std::string_view blanks = " \n";
  out.erase(out.find_last_not_of(blanks) + 1);
  out.erase(0, out.find_first_not_of(blanks));
  if (cut)
    out += ellipsis;
  return out;
}

} // namespace

std::string_view in_whole_characters(std::string_view text, std::size_t bytes_max) noexcept {
  auto size = std::min(text.size(), bytes_max);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
    --size;
  return text.substr(0, size);
}

void blank_controls(std::string& text) noexcept { blank_controls(text, ' '); }

std::string type_of_thrown(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return boost::core::demangle(typeid(e).name());
  } catch (...) { // there is no more to say of it
    return "something that is not a std::exception";
  }
}

std::string to_one_line(std::string_view text) { return plain(text, message_bytes_max, ' '); }

std::string to_lines(std::string_view text) { return plain(text, lines_bytes_max, '\n'); }

} // namespace sheaf
