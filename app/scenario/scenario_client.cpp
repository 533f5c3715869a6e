// SPDX-License-Identifier: BSD-3-Clause

#include "app/scenario/scenario_client.hpp"

#include "app/base/exit.hpp"
#include "app/scenario/reply_scope.hpp"
#include "app/scenario/request_maker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace sheaf::app {

namespace {

/// A captured value as text, as it would be bound.
std::optional<std::string> plain(const operand& x) {
  if (std::holds_alternative<std::monostate>(x))
    return {};
  if (const auto* text = std::get_if<std::string>(&x))
    return *text;
  return to_text(x);
}

} // namespace

scenario_client::scenario_client(const sheaf_file& file, const variables& given, generator random)
  : file_(file), random_(random) {
  for (const auto& [name, text] : given)
    known_.emplace(name, text);
}

// -- values

result<operand> scenario_client::look_up(std::string_view name) const {
  if (const auto found = known_.find(name); found != known_.end())
    return found->second;
  if (const char* there = std::getenv(std::string{name}.c_str()))
    return operand{std::string{there}};
  return failure{.code = errc::invalid_request, .message = fmt::format("nothing is called \"{}\"", name)};
}

const result<expression>& scenario_client::read(const std::string& text,
                                                result<expression> (*parse)(std::string_view)) {
  const auto found = read_.find(&text);
  return found != read_.end() ? found->second : read_.emplace(&text, parse(text)).first->second;
}

result<std::optional<std::string>> scenario_client::fill(const template_text::hole& x) {
  const auto& parsed = read(x.inner, expression::parse);
  if (parsed.has_error())
    return parsed.error();
  auto value = parsed->evaluate([this](std::string_view name) { return look_up(name); }, &random_);
  if (value.has_error())
    return std::move(value).error();
  return plain(*value);
}

request scenario_client::make(const request_step& how) {
  const auto& spec = *file_.find_request(how.request);
  parameters values;
  for (const auto& p : spec.parameters) {
    const auto given = std::find_if(how.with.begin(), how.with.end(), [&](const auto& x) { return x.first == p.name; });
    if (given == how.with.end()) {
      if (!p.default_value)
        bad_input(fmt::format("{} needs a value for \"{}\"", spec.name, p.name));
      values.emplace_back(p.name, *p.default_value);
      continue;
    }
    auto made = given->second.fill(p.type, [this](const template_text::hole& x) { return fill(x); });
    values.emplace_back(p.name, value_or_throw(std::move(made), fmt::format("{}: \"{}\": ", spec.name, p.name)));
  }
  return value_or_throw(make_request(file_.databases, spec, values));
}

// -- expectations

checked_expectation scenario_client::judge(const expectation_spec& expected, const scope& names) {
  const auto& [path, text] = expected;
  checked_expectation x{.at = text.at, .text = fmt::format("{}: {}", path.text, text.text)};
  const auto it = names(path.text);
  const auto& condition = read(text.text, expression::parse_expectation);
  if (it.has_error() || condition.has_error()) {
    x.why = (it.has_error() ? it.error() : condition.error()).message;
    return x;
  }
  x.value = *it;
  const auto holds = condition->holds(
      [&](std::string_view name) -> result<operand> {
        if (name == "it")
          return *it;
        return known_.contains(name) ? look_up(name) : names(name);
      },
      &random_);
  x.held = holds.has_value() && *holds;
  if (holds.has_error())
    x.why = holds.error().message;
  return x;
}

std::vector<checked_expectation> scenario_client::judge(const std::vector<expectation_spec>& all, const scope& names) {
  std::vector<checked_expectation> made;
  made.reserve(all.size());
  for (const auto& x : all)
    made.push_back(judge(x, names));
  return made;
}

std::vector<checked_expectation> scenario_client::judge(const request_step& how, const reply& got) {
  auto made = judge(how.expect, [&](std::string_view path) { return field_of(got, path); });
  for (const auto& [name, path] : how.capture)
    if (auto value = field_of(got, path.text))
      known_.insert_or_assign(name.text, std::move(*value));
    else
      made.push_back(
          {.at = path.at, .text = fmt::format("capture {}: {}", name.text, path.text), .why = value.error().message});
  for (auto& x : made)
    x.step = how.number;
  return made;
}

} // namespace sheaf::app
