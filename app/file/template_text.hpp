// SPDX-License-Identifier: BSD-3-Clause
//
// Text with places to fill: `Author ${n}`, `${NAME:-default}`; `$${` is a `${` as it stands. Any thread.

#pragma once

#include "sheaf/error.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

class template_text {
public:
  /// The text between `${` and `}`, and the default for when nothing has that name.
  struct hole {
    std::string inner;
    bool has_default = false;
    std::string default_text;
  };

  /// A `${` without its `}`, and an empty `${}`, are `invalid_request` with the position in characters from 1.
  static result<template_text> parse(std::string_view text);

  const std::vector<hole>& holes() const noexcept { return holes_; }
  const std::vector<std::string>& texts() const noexcept { return texts_; } ///< One before each hole, one at the end.

  /// For each hole the text that `find` gives, or the hole's default. The failure of `find` where it has none.
  result<std::vector<std::string>> fillings(const std::function<result<std::string>(const hole&)>& find) const;

  /// The text with its holes filled.
  result<std::string> fill(const std::function<result<std::string>(const hole&)>& find) const;

private:
  std::vector<std::string> texts_;
  std::vector<hole> holes_;
};

} // namespace sheaf::app
