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

/// The timeout for each host; libpq takes a missing one, 0 and less as no limit, and one second as two.
std::chrono::seconds connect_timeout(const connection_parameters& parameters) {
  constexpr std::int64_t otherwise = 10, at_most = 3600;
  std::int64_t x = 0;
  if (const auto* text = find(parameters, "connect_timeout"))
    std::from_chars(text->data(), text->data() + text->size(), x);
  return std::chrono::seconds{x <= 0 ? otherwise : std::clamp<std::int64_t>(x, 2, at_most)};
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

} // namespace

result<connection_parameters> parse_postgresql_url(const std::string& url) {
  char* ignored = nullptr; // libpq's message quotes the text
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed{PQconninfoParse(url.c_str(), &ignored),
                                                                            PQconninfoFree};
  PQfreemem(ignored);
  if (!parsed)
    return failure{
        .code = errc::invalid_request,
        .phase = phase::connect,
        .message =
            "the PostgreSQL URL does not parse: it reads postgresql://user:password@host:port/dbname?keyword=value "
            "with special characters percent-encoded, or host=… port=… user=… dbname=…"};
  connection_parameters parameters;
  for (const auto* option = parsed.get(); option->keyword; ++option)
    if (option->val && option->keyword != std::string_view{client_encoding.first})
      parameters.emplace_back(option->keyword, option->val);
  parameters.emplace_back(client_encoding);
  for (const auto& [keyword, value] : defaults)
    if (!find(parameters, keyword))
      parameters.emplace_back(keyword, value);
  return parameters;
}

std::chrono::seconds total_connect_timeout(const connection_parameters& parameters) {
  const auto commas = [&](std::string_view keyword) {
    const auto* list = find(parameters, keyword);
    return list ? std::count(list->begin(), list->end(), ',') : 0;
  };
  return (1 + std::max(commas("host"), commas("hostaddr"))) * connect_timeout(parameters);
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
