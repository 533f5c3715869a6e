// SPDX-License-Identifier: BSD-3-Clause

#include "app/file/template_text.hpp"

#include "app/base/text.hpp"

namespace sheaf::app {

result<template_text> template_text::parse(std::string_view text) {
  template_text made;
  made.texts_.emplace_back();
  const auto refuse = [text](std::size_t at, const char* message) {
    return failure{.code = errc::invalid_request, .message = message, .position = position_of(text, at)};
  };
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i).starts_with("$${")) {
      made.texts_.back() += "${";
      i += 3;
    } else if (text.substr(i).starts_with("${")) {
      const auto end = text.find('}', i);
      if (end == text.npos)
        return refuse(i, "this ${ has no }; write $${ for a ${ as it stands");
      const auto inner = text.substr(i + 2, end - i - 2);
      const auto sign = inner.find(":-");
      hole h{.inner = std::string{inner.substr(0, sign)}, .has_default = sign != inner.npos, .default_text = {}};
      if (h.has_default)
        h.default_text = inner.substr(sign + 2);
      if (h.inner.empty())
        return refuse(i, "there is nothing in this ${}");
      made.holes_.push_back(std::move(h));
      made.texts_.emplace_back();
      i = end + 1;
    } else {
      made.texts_.back() += text[i++];
    }
  }
  return made;
}

result<std::string> template_text::fill(const std::function<result<std::string>(const hole&)>& find) const {
  std::string out = texts_.front();
  for (std::size_t i = 0; i < holes_.size(); ++i) {
    auto filling = find(holes_[i]);
    if (filling.has_value())
      out += *filling;
    else if (holes_[i].has_default)
      out += holes_[i].default_text;
    else
      return filling;
    out += texts_[i + 1];
  }
  return out;
}

} // namespace sheaf::app
