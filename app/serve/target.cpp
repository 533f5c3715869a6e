// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/target.hpp"

#include "app/base/text.hpp"

#include <boost/beast/core/string.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sheaf::app::serve {

namespace {

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto c = first_character(text);
    if (!c.valid)
      return false;
    text.remove_prefix(c.size);
  }
  return true;
}

bool has_ascii_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return is_control(static_cast<unsigned char>(c)) && c >= 0; });
}

/// Takes the authority off `http://host:80/path`; false when that is none, or of another scheme.
bool take_authority(std::string_view& text, std::string& authority) {
  if (text.starts_with('/') || text == "*")
    return true;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!boost::beast::iequals(text.substr(0, scheme.size()), scheme))
      continue;
    text.remove_prefix(scheme.size());
    const auto end = std::min(text.find_first_of("/?"), text.size());
    authority = text.substr(0, end);
    text.remove_prefix(end);
    return !authority.empty() && is_authority(authority);
  }
  return false;
}

} // namespace

bool is_authority(std::string_view text) noexcept {
  constexpr std::string_view in_name = "-._~!$&'()*+,;=%", in_brackets = ":.";
  constexpr unsigned port_max = 65535;
  const bool is_bracketed = text.starts_with('[');
  const auto host_end = is_bracketed ? text.find(']') : std::min(text.find(':'), text.size());
  if (host_end == text.npos)
    return false;
  const auto host = is_bracketed ? text.substr(1, host_end - 1) : text.substr(0, host_end);
  if (!std::all_of(host.begin(), host.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (is_bracketed ? in_brackets : in_name).find(c) != std::string_view::npos;
      }))
    return false;
  auto rest = text.substr(is_bracketed ? host_end + 1 : host_end);
  if (rest.empty())
    return true;
  unsigned port = 0;
  const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), port);
  return rest.front() == ':' && !host.empty() &&
         (rest.size() == 1 || (error == std::errc{} && end == rest.data() + rest.size() && port <= port_max));
}

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
      continue;
    }
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2)
      return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  if (out.find('\0') != out.npos || !is_utf8(out))
    return std::nullopt;
  return out;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text)
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
        std::string_view{"-._~"}.find(c) != std::string_view::npos)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

std::optional<target> parse_target(std::string_view text) {
  target made;
  if (has_ascii_control(text) || !take_authority(text, made.authority))
    return std::nullopt;
  const auto mark = text.find('?');
  auto path = percent_decoded(text.substr(0, mark), false);
  if (!path || has_ascii_control(*path))
    return std::nullopt;
  made.path = path->empty() ? "/" : std::move(*path); // of `http://host`
  if (mark == text.npos)
    return made;
  for (auto rest = text.substr(mark + 1); !rest.empty();) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.empty())
      continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decoded(pair.substr(0, equals), true);
    std::optional<std::string> value;
    if (equals < pair.size())
      value = percent_decoded(pair.substr(equals + 1), true);
    if (!name || (equals < pair.size() && !value))
      return std::nullopt;
    made.query.emplace_back(std::move(*name), std::move(value));
  }
  return made;
}

} // namespace sheaf::app::serve
