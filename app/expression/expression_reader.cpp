// SPDX-License-Identifier: BSD-3-Clause
//
// The state of reading an expression. Any thread.

#include "app/expression/expression_reader.hpp"

#include "app/base/text.hpp"

#include <utility>

namespace sheaf::app {

bool expression_reader::advance() {
  auto next = next_token(text_, end_);
  if (!next) {
    error_ = std::move(next).error();
    return false;
  }
  now_ = *std::move(next);
  end_ = static_cast<std::size_t>(now_.text.data() - text_.data()) + now_.text.size(); // `==` shows its second half
  return true;
}

std::string expression_reader::shown() const {
  return at_end() ? std::string{"the end"} : shortened(one_line(now_.text), 40, true);
}

bool expression_reader::fail(std::string message, std::size_t offset) {
  error_ = {.code = errc::invalid_request, .message = std::move(message), .position = position_of(text_, offset)};
  return false;
}

} // namespace sheaf::app
