// SPDX-License-Identifier: BSD-3-Clause
//
// The words of an expression: literals, names, signs. Any thread.

#pragma once

#include "app/expression/operand.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sheaf::app {

struct token {
  enum class kind : std::uint8_t {
    end,
    literal, ///< `value` holds it.
    integer, ///< `magnitude` holds it: its sign is not known yet, and the least whole number needs one.
    name,    ///< A word or a dotted path.
    sign,    ///< An operator, a parenthesis or a comma; `==` is written `=`.
  };

  kind type = kind::end;
  std::size_t offset = 0;  ///< The place in bytes.
  std::string_view text{}; ///< The text as it stands in the expression.
  operand value{};
  std::uint64_t magnitude = 0;
};

/// The token at or behind byte `offset` of `text`. A text that is none is `invalid_request`; its position is set.
result<token> next_token(std::string_view text, std::size_t offset);

} // namespace sheaf::app
