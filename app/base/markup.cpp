// SPDX-License-Identifier: BSD-3-Clause

#include "app/base/markup.hpp"

#include "app/base/text.hpp"

namespace sheaf::app {

void append_markup(std::string& out, std::string_view text) {
  const auto shown = one_line(text);
  for (std::string_view rest = shown; !rest.empty();) {
    const auto c = first_character(rest);
    switch (c.code) {
    case U'<':
      out += "&lt;";
      break;
    case U'>':
      out += "&gt;";
      break;
    case U'&':
      out += "&amp;";
      break;
    case U'"':
      out += "&quot;";
      break;
    case U'\'':
      out += "&#39;";
      break;
    case 0xfffe:
    case 0xffff: // no characters of XML 1.0
      out += "\uFFFD";
      break;
    default:
      out += rest.substr(0, c.size);
    }
    rest.remove_prefix(c.size);
  }
}

std::string markup(std::string_view text) {
  std::string out;
  append_markup(out, text);
  return out;
}

} // namespace sheaf::app
