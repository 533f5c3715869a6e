// SPDX-License-Identifier: BSD-3-Clause

#include "app/file/value_spec.hpp"

#include "app/file/parameter_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::app {

namespace {

result<std::optional<std::string>> filled(const template_text& text, const value_spec::filling& find) {
  bool is_null = false;
  auto made = text.fill([&](const template_text::hole& x) -> result<std::string> {
    auto found = find(x);
    if (found.has_error())
      return std::move(found).error();
    is_null = is_null || !*found;
    return std::move(*found).value_or("");
  });
  if (made.has_error())
    return std::move(made).error();
  if (!is_null)
    return std::optional{std::move(*made)};
  const bool alone = text.holes().size() == 1 && text.texts().front().empty() && text.texts().back().empty();
  if (alone)
    return std::optional<std::string>{};
  return failure{.code = errc::invalid_request, .message = "a ${…} within text is null"};
}

} // namespace

bool value_spec::has_holes() const noexcept {
  return std::any_of(texts.begin(), texts.end(), [](const auto& x) { return x && !x->holes().empty(); });
}

result<value> value_spec::fill(std::string_view type, const filling& find) const {
  const bool takes_list = type.ends_with("[]");
  const auto element = takes_list ? type.substr(0, type.size() - 2) : type;
  if (takes_list != is_list && (is_list || texts.front())) // a null is a list as well
    return failure{.code = errc::invalid_request,
                   .message = takes_list ? fmt::format("{} takes a list", type)
                                         : fmt::format("{} takes one value, and this is a list", type)};
  value::array all;
  for (const auto& text : texts) {
    auto given = text ? filled(*text, find) : result<std::optional<std::string>>{std::optional<std::string>{}};
    if (given.has_error())
      return std::move(given).error();
    auto made = *given ? parse_value(element, **given) : std::optional{value{}};
    if (!made) // the value may be a secret that a variable holds
      return failure{.code = errc::invalid_request,
                     .message = fmt::format("{} takes {}", element, described_type(element))};
    all.push_back(std::move(*made));
  }
  return is_list ? value{std::move(all)} : std::move(all.front());
}

} // namespace sheaf::app
