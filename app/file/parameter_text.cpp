// SPDX-License-Identifier: BSD-3-Clause
//
// Reads parameters strictly: a value that its type does not take whole is refused, never cut or rounded. Any thread.

#include "app/file/parameter_text.hpp"

#include "app/base/parse_number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <system_error>

namespace sheaf::app {

namespace {

/// The number that `text` is the one spelling of.
std::optional<value> canonical_number(std::string_view text) {
  if (const auto x = parse_number<std::int64_t>(text); x && fmt::to_string(*x) == text)
    return value{*x};
  const auto x = parse_number<double>(text);
  if (!x || !std::isfinite(*x) || text.find('.') == text.npos)
    return std::nullopt;
  const auto shortest = fmt::format("{}", *x);
  if (shortest == text || shortest + ".0" == text)
    return value{*x};
  return std::nullopt;
}

std::optional<bytes> parse_hex(std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0)
    return std::nullopt;
  bytes out;
  for (text.remove_prefix(2); !text.empty(); text.remove_prefix(2)) {
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 2, byte, 16);
    if (error != std::errc{} || end != text.data() + 2)
      return std::nullopt;
    out.push_back(static_cast<std::byte>(byte));
  }
  return out;
}

} // namespace

std::optional<value> parse_value(std::string_view type, std::string_view text) {
  const auto wrap = [](auto x) { return x ? std::optional{value{std::move(*x)}} : std::nullopt; };
  if (type == "int")
    return wrap(parse_number<std::int64_t>(text));
  if (type == "double")
    return wrap(parse_number<double>(text));
  if (type == "bytes")
    return wrap(parse_hex(text));
  if (type == "bool") {
    if (text == "true" || text == "t")
      return value{true};
    if (text == "false" || text == "f")
      return value{false};
    return std::nullopt;
  }
  return value{text};
}

std::string_view described_type(std::string_view type) {
  if (type == "int")
    return "a whole number of 64 bits";
  if (type == "double")
    return "a number";
  if (type == "bytes")
    return "bytes such as \\x00ff";
  if (type == "bool")
    return "true or false";
  if (type == "text")
    return "text";
  return {};
}

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

/// Takes an element in double quotes off the front of `text`; nothing when the quotes do not end.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string element;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text = trimmed(text.substr(i + 1));
      return element;
    }
    if (text[i] == '\\' && ++i == text.size())
      break;
    element += text[i];
  }
  return std::nullopt;
}

std::optional<value> parse_array(std::string_view type, std::string_view text) {
  const auto elements = split_list(text);
  if (!elements)
    return std::nullopt;
  value::array all;
  for (const auto& x : *elements) {
    auto made = x ? parse_value(type, *x) : std::optional{value{}};
    if (!made)
      return std::nullopt;
    all.push_back(std::move(*made));
  }
  return value{std::move(all)};
}

} // namespace

std::optional<std::vector<std::optional<std::string>>> split_list(std::string_view text) {
  std::vector<std::optional<std::string>> all;
  text = trimmed(text);
  if (text.empty())
    return all;
  for (;;) {
    if (text.starts_with('"')) {
      auto quoted = take_quoted(text);
      if (!quoted)
        return std::nullopt;
      all.push_back(std::move(quoted));
    } else {
      const auto bare = trimmed(text.substr(0, text.find(',')));
      text.remove_prefix(std::min(text.find(','), text.size()));
      all.push_back(bare == "null" || bare == "NULL" ? std::nullopt : std::optional<std::string>{bare});
    }
    if (text.empty())
      return all;
    if (text.front() != ',')
      return std::nullopt;
    text = trimmed(text.substr(1));
  }
}

result<std::pair<std::string, value>> parse_parameter(std::string_view argument, const backend& of) {
  const auto refusal = [](std::string message) {
    return failure{.code = errc::invalid_request, .message = std::move(message)};
  };
  const auto equals = argument.find('=');
  const auto head = argument.substr(0, equals);
  const auto colon = head.find(':');
  const auto name = std::string{head.substr(0, colon)};
  const bool typed = colon != head.npos;
  const auto type = typed ? head.substr(colon + 1) : std::string_view{};
  if (name.empty())
    return refusal("a parameter is given as name=value or name:type=value");
  if (type == "null") {
    if (equals != argument.npos)
      return refusal(fmt::format("{}:null takes no value", name));
    return std::pair{name, value{}};
  }
  if (equals == argument.npos)
    return refusal("a parameter has no value: write name=VALUE, or name:null"); // not shown: it may be a value alone
  const auto text = argument.substr(equals + 1);
  if (!typed) {
    auto number = of.infers_types() ? std::nullopt : canonical_number(text);
    return std::pair{name, number ? std::move(*number) : value{text}};
  }
  const bool array = type.ends_with("[]");
  const auto element = array ? type.substr(0, type.size() - 2) : type;
  if (described_type(element).empty())
    return refusal(fmt::format("{}: a type is text, int, double, bool, bytes, one of these with [], or null", name));
  auto parsed = array ? parse_array(element, text) : parse_value(element, text);
  if (!parsed)
    return refusal(
        fmt::format("{}:{} takes {}{}", name, type, described_type(element), array ? ", with commas between" : ""));
  return std::pair{name, std::move(*parsed)};
}

} // namespace sheaf::app
