// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/url.hpp"

#include <libpq-fe.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

namespace sheaf {

namespace {

/// SQL, values and results are UTF-8 throughout, so another encoding would only garble them.
constexpr std::pair<const char*, const char*> client_encoding{"client_encoding", "UTF8"};

/// A silent peer is noticed 5 s + 3 × 1 s after the last byte; unsent data does not wait longer either.
constexpr std::pair<const char*, const char*> defaults[] = {
    {"fallback_application_name", "sheaf"}, {"keepalives", "1"},       {"keepalives_idle", "5"},
    {"keepalives_interval", "1"},           {"keepalives_count", "3"}, {"tcp_user_timeout", "8000"},
};

/// Null when it is not given.
const std::string* find(const connection_parameters& parameters, std::string_view keyword) {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [&](const auto& p) { return p.first == keyword; });
  return found == parameters.end() ? nullptr : &found->second;
}

/// The items of a list, as of hosts; none when it is not given.
std::vector<std::string_view> items_of(const connection_parameters& parameters, std::string_view keyword) {
  std::vector<std::string_view> items;
  if (const auto* list = find(parameters, keyword))
    for (std::size_t begin = 0, end = 0; end != list->npos; begin = end + 1) {
      end = list->find(',', begin);
      items.push_back(std::string_view{*list}.substr(begin, end == list->npos ? end : end - begin));
    }
  return items;
}

bool is_url(std::string_view text) noexcept {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

/// libpq takes what stands before the first `@` or `/` for user and password, and the rest for hosts and a database, so
/// that a password with one of them unencoded leaves its end in a host's name, a port or a database's name. Each of
/// these would be shown.
bool has_stray_at(std::string_view url) noexcept {
  url.remove_prefix(url.find("://") + 3);
  if (const auto end = url.find_first_of("@/"); end != url.npos && url[end] == '@')
    url.remove_prefix(end + 1);
  return url.substr(0, url.find('?')).find('@') != url.npos;
}

/// True for what only a piece of a password, or of another URL, would have in such a place. A socket's folder begins
/// with a slash, or with an `@` if it is an abstract one.
bool is_out_of_place(std::string_view keyword, std::string_view value) noexcept {
  if (keyword == "port")
    return value.find_first_not_of("0123456789,") != value.npos;
  if (keyword == "hostaddr")
    return value.find_first_not_of("0123456789abcdefABCDEF.:,%") != value.npos;
  if (keyword == "host")
    for (auto at = value.find('@'); at != value.npos; at = value.find('@', at + 1))
      if (at > 0 && value[at - 1] != ',')
        return true;
  const bool is_folder = value.starts_with('/') || value.starts_with('@');
  if (keyword == "host" && !is_folder && value.find_first_of(";=&#?") != value.npos) // a keyword behind a wrong sign
    return true;
  return (keyword == "host" || keyword == "user" || keyword == "dbname") && value.find("://") != value.npos;
}

constexpr const char* wrong_form =
    "the PostgreSQL URL does not parse: it reads postgresql://user:password@host:port/dbname?keyword=value "
    "with special characters percent-encoded (%40 is @, %2F is /), or host=… port=… user=… dbname=…";

/// The keyword of a URL that libpq does not know; empty when there is none, or when it may be a piece of a password.
std::string_view unknown_keyword(std::string_view url) {
  auto rest = url.substr(std::min(url.find('?'), url.size()));
  if (!is_url(url) || rest.find('@') != rest.npos)
    return {};
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> known{PQconndefaults(), PQconninfoFree};
  while (known && !rest.empty()) {
    rest.remove_prefix(1);
    const auto one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(one.size());
    const auto keyword = one.substr(0, one.find('='));
    const auto* option = known.get();
    while (option->keyword && option->keyword != keyword)
      ++option;
    const bool is_secret = option->keyword && option->dispchar && *option->dispchar == '*';
    if (is_secret || one.find('=') == one.npos) // from there on it may be a piece of one
      return {};
    if (!option->keyword && keyword.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == keyword.npos)
      return keyword;
  }
  return {};
}

void append_encoded(std::string& out, std::string_view text) {
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    if (plain)
      out += c;
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
  }
}

bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// libpq (conninfo_parse) takes a backslash before any character, whether the value is in quotes or not. It skips
/// blanks behind `=`, so an empty value without quotes would have the next keyword for its text.
void append_escaped(std::string& out, std::string_view text, std::string_view behind) {
  const auto last = out.find_last_not_of(" \t\n\v\f\r");
  const bool is_whole = last != out.npos && out[last] == '=' && (behind.empty() || is_blank(behind.front()));
  if (text.empty() && is_whole)
    out += "''";
  for (const char c : text) {
    if (c == '\'' || c == '\\' || is_blank(c))
      out += '\\';
    out += c;
  }
}

} // namespace

result<connection_parameters> parse_postgresql_url(const std::string& url) {
  char* ignored = nullptr; // libpq's message quotes the text
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed{PQconninfoParse(url.c_str(), &ignored),
                                                                            PQconninfoFree};
  PQfreemem(ignored);
  auto wrong = failure{.code = errc::invalid_request, .phase = phase::connect, .message = wrong_form};
  if (const auto keyword = parsed ? std::string_view{} : unknown_keyword(url); !keyword.empty())
    wrong.message = fmt::format("the PostgreSQL URL has the keyword {}, which libpq does not know", keyword);
  if (!parsed || (is_url(url) && has_stray_at(url)))
    return wrong;
  connection_parameters parameters;
  for (const auto* option = parsed.get(); option->keyword; ++option)
    if (option->val && option->keyword != std::string_view{client_encoding.first}) {
      if (is_out_of_place(option->keyword, option->val))
        return wrong;
      parameters.emplace_back(option->keyword, option->val);
    }
  parameters.emplace_back(client_encoding);
  for (const auto& [keyword, value] : defaults)
    if (!find(parameters, keyword))
      parameters.emplace_back(keyword, value);
  return parameters;
}

/// libpq takes a missing one, 0 and less as no limit, and one second as two.
std::chrono::seconds connect_timeout(const connection_parameters& parameters) {
  constexpr std::int64_t otherwise = 10, at_most = 3600;
  std::int64_t x = 0;
  if (const auto* text = find(parameters, "connect_timeout"))
    std::from_chars(text->data(), text->data() + text->size(), x);
  return std::chrono::seconds{x <= 0 ? otherwise : std::clamp<std::int64_t>(x, 2, at_most)};
}

bool leave_out(connection_parameters& parameters, std::string_view host, std::string_view port) {
  const auto names = items_of(parameters, "host"), addresses = items_of(parameters, "hostaddr"),
             ports = items_of(parameters, "port");
  const auto is_at = [](const auto& list, std::size_t i, std::string_view item) {
    return i < list.size() && list[i] == item;
  };
  const auto count = std::max(names.size(), addresses.size());
  std::size_t at = 0;
  while (at < count && !((is_at(names, at, host) || is_at(addresses, at, host)) &&
                         (ports.size() < 2 || is_at(ports, at, port)))) // one port is for all
    ++at;
  if (count < 2 || at == count)
    return false;
  auto others = parameters;
  for (auto& [keyword, value] : others) {
    const auto items = items_of(parameters, keyword);
    const bool is_list = keyword == "host" || keyword == "hostaddr" || (keyword == "port" && items.size() > 1);
    if (!is_list)
      continue;
    value.clear();
    for (std::size_t i = 0; i < items.size(); ++i)
      if (i != at)
        value.append(i > (at == 0 ? 1 : 0) ? "," : "").append(items[i]);
  }
  parameters = std::move(others);
  return true;
}

std::chrono::seconds total_connect_timeout(const connection_parameters& parameters) {
  const auto hosts = std::max(items_of(parameters, "host").size(), items_of(parameters, "hostaddr").size());
  return std::max<std::size_t>(hosts, 1) * connect_timeout(parameters);
}

std::vector<secret> secrets_of(const connection_parameters& parameters) {
  std::vector<secret> all;
  for (const std::string_view keyword : {"password", "sslpassword", "options", "passfile"})
    if (const auto* value = find(parameters, keyword))
      all.push_back({std::string{keyword}, *value});
  for (const std::string_view keyword : {"user", "dbname"})
    if (const auto* value = find(parameters, keyword); value && value->find_first_of(":;=&#?, ") != value->npos)
      all.push_back({std::string{keyword}, *value});
  return all;
}

std::string join_postgresql_url(const std::vector<std::string>& texts, const std::vector<std::string>& values) {
  std::string url = texts.front();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (url.empty())
      url += values[i];
    else if (is_url(url))
      append_encoded(url, values[i]);
    else
      append_escaped(url, values[i], texts[i + 1]);
    url += texts[i + 1];
  }
  return url;
}

std::string to_url(const connection_parameters& parameters) {
  std::string url = "postgresql:///";
  auto add = [&, separator = '?'](std::string_view keyword, std::string_view value) mutable {
    url += std::exchange(separator, '&');
    url += keyword;
    url += '=';
    append_encoded(url, value);
  };
  for (const auto& [keyword, value] : parameters)
    if (keyword != "connect_timeout")
      add(keyword, value);
  add("connect_timeout", std::to_string(connect_timeout(parameters).count()));
  return url;
}

} // namespace sheaf
