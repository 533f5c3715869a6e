// SPDX-License-Identifier: BSD-3-Clause

#include "app/base/json_text.hpp"

#include "app/base/text.hpp"

#include <fmt/format.h>

#include <iterator>

namespace sheaf::app {

bool append_json_string(std::string& out, std::string_view text) {
  bool is_whole = true;
  out += '"';
  while (!text.empty()) {
    const auto c = first_character(text);
    is_whole = is_whole && c.valid;
    if (!c.valid)
      out += "\ufffd";
    else if (c.code == '"' || c.code == '\\')
      (out += '\\') += static_cast<char>(c.code);
    else if (c.code == '\n')
      out += "\\n";
    else if (c.code == '\t')
      out += "\\t";
    else if (c.code == '\r')
      out += "\\r";
    else if (is_control(c.code) || c.code == 0x2028 || c.code == 0x2029)
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c.code));
    else
      out.append(text.substr(0, c.size));
    text.remove_prefix(c.size);
  }
  out += '"';
  return is_whole;
}

} // namespace sheaf::app
