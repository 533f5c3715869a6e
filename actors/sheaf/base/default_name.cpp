// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/base/default_name.hpp"

#include <array>
#include <charconv>

namespace sheaf {

std::string default_name(std::size_t position) {
  std::array<char, 24> text{'q'};
  const auto end = std::to_chars(text.data() + 1, text.data() + text.size(), position + 1).ptr;
  return {text.data(), end};
}

} // namespace sheaf
