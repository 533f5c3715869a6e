// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/target.hpp"

#include "app/base/text.hpp"

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

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return is_control(static_cast<unsigned char>(c)) && c >= 0; });
}

/// Takes the authority off `http://host:80/path`; false when there is no path behind it that can be served.
bool take_authority(std::string_view& text, std::string& authority) {
  if (text.starts_with('/') || text == "*")
    return true;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme))
      continue;
    text.remove_prefix(scheme.size());
    const auto end = std::min(text.find_first_of("/?"), text.size());
    authority = text.substr(0, end);
    text.remove_prefix(end);
    return !authority.empty() && text.starts_with('/');
  }
  return false;
}

} // namespace

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
  if (has_control(text) || !take_authority(text, made.authority))
    return std::nullopt;
  const auto mark = text.find('?');
  auto path = percent_decoded(text.substr(0, mark), false);
  if (!path || has_control(*path))
    return std::nullopt;
  made.path = std::move(*path);
  if (mark == text.npos)
    return made;
  for (auto rest = text.substr(mark + 1); !rest.empty();) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.empty())
      continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value)
      return std::nullopt;
    made.query.emplace_back(std::move(*name), std::move(*value));
  }
  return made;
}

} // namespace sheaf::app::serve
