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

result<std::vector<std::string>>
template_text::fillings(const std::function<result<std::string>(const hole&)>& find) const {
  std::vector<std::string> all;
  for (const auto& x : holes_) {
    auto filling = find(x);
    if (filling.has_error() && !x.has_default)
      return std::move(filling).error();
    if (filling.has_value())
      all.push_back(std::move(*filling));
    else
      all.push_back(x.default_text);
  }
  return all;
}

result<std::string> template_text::fill(const std::function<result<std::string>(const hole&)>& find) const {
  const auto all = fillings(find);
  if (all.has_error())
    return all.error();
  std::string out = texts_.front();
  for (std::size_t i = 0; i < all->size(); ++i)
    out.append((*all)[i]).append(texts_[i + 1]);
  return out;
}

} // namespace sheaf::app
