// SPDX-License-Identifier: BSD-3-Clause

#include "app/show/parameter_json.hpp"

#include "app/base/json_text.hpp"

#include <fmt/format.h>

#include <cmath>

namespace sheaf::app {

void append_json_value(std::string& out, const value& x) {
  if (x.is_null()) {
    out += "null";
  } else if (const auto* boolean = std::get_if<bool>(&x.data())) {
    out += *boolean ? "true" : "false";
  } else if (const auto* integer = std::get_if<std::int64_t>(&x.data())) {
    out += fmt::to_string(*integer);
  } else if (const auto* real = std::get_if<double>(&x.data()); real && std::isfinite(*real)) {
    out += fmt::format("{}", *real);
  } else if (const auto* all = std::get_if<value::array>(&x.data())) {
    out += '[';
    for (std::size_t i = 0; i < all->size(); ++i) {
      if (i > 0)
        out += ',';
      append_json_value(out, (*all)[i]);
    }
    out += ']';
  } else {
    std::string text;
    append_postgresql_text(text, x);
    append_json_string(out, text);
  }
}

} // namespace sheaf::app
