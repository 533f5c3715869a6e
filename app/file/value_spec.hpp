// SPDX-License-Identifier: BSD-3-Clause
//
// A parameter's value as a sheaf file gives it: text with holes, or a list of such. Any thread.

#pragma once

#include "app/file/finding.hpp"
#include "app/file/template_text.hpp"

#include "sheaf/value.hpp"

#include <functional>
#include <string_view>
#include <vector>

namespace sheaf::app {

struct value_spec {
  location at;
  bool is_list = false, is_null = false;
  std::vector<template_text> texts; ///< One, or a list's elements.

  /// The value of that type (`int`, `text[]`) with its holes filled. `invalid_request` when it is none.
  result<value> fill(std::string_view type,
                     const std::function<result<std::string>(const template_text::hole&)>& find) const;

  bool has_holes() const noexcept;
};

} // namespace sheaf::app
