// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/arguments.hpp"

#include "app/base/nearest.hpp"
#include "app/file/parameter_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sheaf::app::serve {

namespace {

std::optional<value> typed(std::string_view type, const given_value& x) {
  using kind = given_value::kind;
  if (x.is == kind::null)
    return value{};
  if ((x.is == kind::boolean && type != "bool") || (x.is == kind::number && type != "int" && type != "double"))
    return std::nullopt;
  auto made = parse_value(type, x.text);
  if (!made || contains_nul(*made))
    return std::nullopt;
  const auto* number = std::get_if<double>(&made->data());
  return number && !std::isfinite(*number) ? std::nullopt : made;
}

/// The value, or why there is none.
result<value> typed(const parameter_spec& p, const argument& given) {
  const auto refusal = [](std::string why) {
    return failure{.code = errc::invalid_request, .message = std::move(why)};
  };
  const bool takes_list = p.type.ends_with("[]");
  const auto element = std::string_view{p.type}.substr(0, p.type.size() - (takes_list ? 2 : 0));
  const bool is_null = !given.is_list && given.values.size() == 1 && given.values[0].is == given_value::kind::null;
  if (is_null)
    return value{};
  if (takes_list != given.is_list)
    return refusal(takes_list ? fmt::format("{} takes a list", p.type) : fmt::format("{} takes one value", p.type));
  value::array all;
  for (const auto& x : given.values) {
    auto made = typed(element, x);
    if (!made)
      return refusal(x.text.find('\0') != x.text.npos
                         ? std::string{"it holds a NUL character, which no database takes as text"}
                         : fmt::format("{} takes {}", p.type, described_type(element)));
    all.push_back(std::move(*made));
  }
  return takes_list ? value{std::move(all)} : std::move(all.front());
}

} // namespace

typed_arguments type_arguments(const request_spec& spec, const std::vector<argument>& given) {
  typed_arguments made;
  std::vector<std::string_view> names;
  for (const auto& p : spec.parameters)
    names.emplace_back(p.name);
  for (const auto& x : given)
    if (!spec.find_parameter(x.name))
      made.bad.push_back({x.name, "there is no such parameter" + did_you_mean(x.name, names)});
  for (const auto& p : spec.parameters) {
    const auto found = std::find_if(given.begin(), given.end(), [&](const auto& x) { return x.name == p.name; });
    if (found == given.end()) {
      if (p.default_value)
        made.values.emplace_back(p.name, *p.default_value);
      else
        made.bad.push_back({p.name, "it has no default, so it has to be given"});
      continue;
    }
    auto x = typed(p, *found);
    if (x)
      made.values.emplace_back(p.name, std::move(*x));
    else
      made.bad.push_back({p.name, x.error().message});
  }
  return made;
}

std::vector<argument> arguments_of(const request_spec& spec, const std::vector<named_text>& query) {
  std::vector<argument> all;
  for (const auto& [name, text] : query) {
    auto found = std::find_if(all.begin(), all.end(), [&n = name](const auto& x) { return x.name == n; });
    if (found == all.end()) {
      const auto* p = spec.find_parameter(name);
      all.push_back({.name = name, .is_list = text && p && p->type.ends_with("[]"), .values = {}});
      found = std::prev(all.end());
    } else {
      found->is_list = true;
    }
    if (text)
      found->values.push_back({given_value::kind::text, *text});
    else
      found->values.push_back({given_value::kind::null, {}});
  }
  return all;
}

} // namespace sheaf::app::serve
