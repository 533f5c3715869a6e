// SPDX-License-Identifier: BSD-3-Clause

#include "app/file/value_spec.hpp"

#include "app/file/parameter_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::app {

bool value_spec::has_holes() const noexcept {
  return std::any_of(texts.begin(), texts.end(), [](const template_text& x) { return !x.holes().empty(); });
}

result<value> value_spec::fill(std::string_view type,
                               const std::function<result<std::string>(const template_text::hole&)>& find) const {
  if (is_null)
    return value{};
  const bool takes_list = type.ends_with("[]");
  const auto element = takes_list ? type.substr(0, type.size() - 2) : type;
  if (takes_list != is_list)
    return failure{.code = errc::invalid_request,
                   .message = takes_list ? fmt::format("{} takes a list", type)
                                         : fmt::format("{} takes one value, and this is a list", type)};
  value::array all;
  for (const auto& text : texts) {
    auto filled = text.fill(find);
    if (filled.has_error())
      return std::move(filled).error();
    auto made = parse_value(element, *filled);
    if (!made) // the value may be a secret that a variable holds
      return failure{.code = errc::invalid_request,
                     .message = fmt::format("{} takes {}", element, described_type(element))};
    all.push_back(std::move(*made));
  }
  return is_list ? value{std::move(all)} : std::move(all.front());
}

} // namespace sheaf::app
