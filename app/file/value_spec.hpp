// SPDX-License-Identifier: BSD-3-Clause
//
// A parameter's value as a sheaf file gives it: text with holes, or a list of such. Any thread.

#pragma once

#include "app/file/finding.hpp"
#include "app/file/template_text.hpp"

#include "sheaf/value.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

struct value_spec {
  location at;
  bool is_list = false;
  std::vector<std::optional<template_text>> texts; ///< One, or a list's elements; nothing is NULL.

  /// The text for a hole; nothing is NULL.
  using filling = std::function<result<std::optional<std::string>>(const template_text::hole&)>;

  /// The value of that type (`int`, `text[]`) with its holes filled: NULL for a NULL, and for a hole that is NULL and
  /// all there is. `invalid_request` when it is none.
  result<value> fill(std::string_view type, const filling& find) const;

  bool has_holes() const noexcept;
};

} // namespace sheaf::app
