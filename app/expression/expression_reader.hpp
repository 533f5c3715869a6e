// SPDX-License-Identifier: BSD-3-Clause
//
// The state of reading an expression: its present token, and the first error. Any thread.

#pragma once

#include "app/base/text.hpp"
#include "app/expression/expression_token.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sheaf::app {

class expression_reader {
public:
  explicit expression_reader(std::string_view text) : text_(text) {}

  /// Reads the next token, the first one at first. False when it is none.
  bool advance();

  const token& now() const noexcept { return now_; }
  bool at_end() const noexcept { return now_.type == token::kind::end; }
  bool at_word(std::string_view word) const noexcept { return now_.type == token::kind::name && now_.text == word; }
  bool at_sign(std::string_view sign) const noexcept { return now_.type == token::kind::sign && now_.text == sign; }

  /// The present token's place, in characters from 1.
  std::size_t position() const noexcept { return position_of(text_, now_.offset); }

  /// The present token for a message.
  std::string shown() const;

  /// Keeps what is wrong at the present token, or at byte `offset`. Always false.
  bool fail(std::string message) { return fail(std::move(message), now_.offset); }
  bool fail(std::string message, std::size_t offset);

  /// The error, after a function said false.
  failure error() { return *std::move(error_); }

private:
  std::string_view text_;
  std::size_t end_ = 0; // of the present token, in bytes
  token now_;
  std::optional<failure> error_;
};

} // namespace sheaf::app
