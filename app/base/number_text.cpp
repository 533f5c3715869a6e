// SPDX-License-Identifier: BSD-3-Clause

#include "app/base/number_text.hpp"

#include <array>
#include <fmt/format.h>
#include <string_view>

namespace sheaf::app {

std::string to_people(double x) {
  constexpr std::array<std::string_view, 5> units{"", " k", " M", " G", " T"};
  std::size_t unit = 0;
  for (; x >= 999.5 && unit + 1 < units.size(); ++unit)
    x /= 1000;
  return fmt::format("{:.3g}{}", x, units[unit]);
}

} // namespace sheaf::app
