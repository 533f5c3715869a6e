// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/sqlite/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <optional>
#include <system_error>

namespace sheaf {

namespace {

failure wrong(std::string_view why) {
  return {.code = errc::invalid_request, .message = fmt::format("SQLite URL: {}", why)};
}

/// The byte for which `%41` at the beginning of `text` stands; nothing where it begins otherwise.
std::optional<char> escape_at(std::string_view text) noexcept {
  if (text.size() < 3 || text[0] != '%')
    return std::nullopt;
  unsigned char byte = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + 3, byte, 16);
  return error == std::errc{} && end == text.data() + 3 ? std::optional{static_cast<char>(byte)} : std::nullopt;
}

std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (const auto byte = escape_at(text.substr(i))) {
      out += *byte;
      i += 2;
    } else {
      out += text[i];
    }
  return out;
}

/// The same text, which makes an escape with nothing that follows it.
std::string closed(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '%' && !escape_at(text.substr(i)))
      out += "25";
  }
  return out;
}

std::optional<sqlite_mode> mode_named(std::string_view name) {
  if (name == "ro")
    return sqlite_mode::ro;
  if (name == "rw")
    return sqlite_mode::rw;
  if (name == "rwc")
    return sqlite_mode::rwc;
  if (name == "memory")
    return sqlite_mode::memory;
  return std::nullopt;
}

std::string_view name_of(sqlite_mode mode) {
  switch (mode) {
  case sqlite_mode::ro:
    return "ro";
  case sqlite_mode::rwc:
    return "rwc";
  default:
    return "rw";
  }
}

struct url_settings {
  std::optional<sqlite_mode> mode;
  bool immutable = false;
};

/// `key=value&…`.
result<url_settings> parse_settings(std::string_view settings) {
  url_settings made;
  while (!settings.empty()) {
    const auto setting = settings.substr(0, settings.find('&'));
    settings.remove_prefix(std::min(setting.size() + 1, settings.size()));
    const auto equals = setting.find('=');
    if (setting == "immutable=1") {
      made.immutable = true;
      continue;
    }
    if (setting.substr(0, equals) != "mode" || equals == setting.npos)
      return wrong("unknown setting after the '?'; known are mode=ro|rw|rwc|memory and immutable=1 (a '?' in the path "
                   "is written %3F)");
    if (made.mode)
      return wrong("mode is given twice");
    made.mode = mode_named(setting.substr(equals + 1));
    if (!made.mode)
      return wrong("unknown mode; known are ro, rw, rwc and memory");
  }
  if (made.immutable && made.mode.value_or(sqlite_mode::ro) != sqlite_mode::ro)
    return wrong("an immutable file is only read, so its mode is ro");
  return made;
}

} // namespace

result<sqlite_url> parse_sqlite_url(std::string_view url) {
  constexpr std::string_view scheme = "sqlite:";
  if (!url.starts_with(scheme))
    return wrong("it does not begin with sqlite:");
  url.remove_prefix(scheme.size());
  const auto question = url.find('?');
  auto path = decode(url.substr(0, question));
  url_settings how;
  if (question != url.npos) {
    auto settings = parse_settings(url.substr(question + 1));
    if (settings.has_error())
      return std::move(settings).error();
    how = *settings;
  }
  if (path.find('\0') != path.npos)
    return wrong("a path cannot hold a NUL byte");
  if (path == ":memory:" && (how.immutable || how.mode.value_or(sqlite_mode::memory) != sqlite_mode::memory))
    return wrong("a database in memory has no other mode");
  if (path == ":memory:" || how.mode == sqlite_mode::memory)
    return sqlite_url{.path = {}, .mode = sqlite_mode::memory};
  if (path.starts_with("//")) {
    if (!path.starts_with("///"))
      return wrong("a host makes no sense; write sqlite:PATH or sqlite:///PATH");
    path.erase(0, 2);
  }
  if (path.empty())
    return wrong("there is no path");
  std::error_code error;
  auto absolute =
      std::filesystem::absolute(path, error).string(); // sessions are opened later, perhaps from another folder
  if (error)
    return wrong("the current folder is gone, so a relative path means nothing");
  return sqlite_url{.path = std::move(absolute),
                    .mode = how.mode.value_or(how.immutable ? sqlite_mode::ro : sqlite_mode::rw),
                    .immutable = how.immutable};
}

std::string encode_sqlite_path(std::string_view path) {
  std::string out;
  for (const char c : path)
    if (c == '%' || c == '?' || c == '&')
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    else
      out += c;
  return out;
}

std::string join_sqlite_url(const std::vector<std::string>& texts, const std::vector<std::string>& values) {
  const bool has_base = texts.front().empty(); // the first value is the URL's beginning, with a '?' of its own or none
  std::string url = closed(texts.front());
  for (std::size_t i = 0; i < values.size(); ++i) {
    url += i == 0 && has_base ? closed(values[i]) : encode_sqlite_path(values[i]);
    url += closed(texts[i + 1]);
  }
  return url;
}

std::string sqlite_uri(const sqlite_url& url, std::string_view memory_name) {
  // The memdb file system shares names that begin with a slash within the process. A shared cache would do as well, but
  // its table locks fail at once instead of asking the busy handler.
  if (url.mode == sqlite_mode::memory)
    return fmt::format("file:/{}?vfs=memdb", memory_name);
  std::string uri = "file://"; // an empty host, so that a path that begins with two slashes is still a path
  for (const unsigned char c : url.path)
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' ||
        c == '-' || c == '_')
      uri += static_cast<char>(c);
    else
      fmt::format_to(std::back_inserter(uri), "%{:02x}", c);
  return fmt::format("{}?mode={}{}", uri, name_of(url.mode), url.immutable ? "&immutable=1" : "");
}

} // namespace sheaf
