// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/head_checks.hpp"

#include "app/base/text.hpp"
#include "app/serve/problem.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include <openssl/crypto.h>

#include <algorithm>
#include <iterator>

namespace sheaf::app::serve {

namespace {

using boost::beast::iequals;
using http::field;
using http::status;
using http::verb;

using head = http::request<http::string_body>;

/// Fields of which the first one counts for some, and the last for others.
constexpr field lone_fields[] = {field::host,   field::content_type, field::content_encoding, field::authorization,
                                 field::origin, field::expect,       field::content_length};

/// RFC 9112, sections 3.2 and 6: a request that two readers could understand in two ways is refused.
bool is_ambiguous(const head& x) {
  if (std::any_of(std::begin(lone_fields), std::end(lone_fields), [&](field f) { return x.count(f) > 1; }))
    return true;
  if ((x.count(field::host) == 0 && x.version() >= 11) || !is_authority(field_of(x, field::host)))
    return true;
  const auto lengths = x.count(field::content_length);
  if (field_of(x, field::content_length).find(',') != std::string_view::npos)
    return true;
  return x.count(field::transfer_encoding) > 0 && (lengths > 0 || x.version() < 11);
}

bool has_other_coding(const head& x) {
  const auto codings = x.count(field::transfer_encoding);
  return codings > 1 || (codings == 1 && !iequals(field_of(x, field::transfer_encoding), "chunked"));
}

/// The host of an authority such as `localhost:8080` and `[::1]:8080`: without the port.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('['))
    return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool is_known_host(const access_rules& rules, std::string_view authority) {
  const auto host = host_of(authority);
  return !rules.checks_host ||
         std::any_of(rules.hosts.begin(), rules.hosts.end(), [&](const auto& x) { return iequals(x, host); });
}

/// Compares in a time that says nothing of where the two differ.
bool has_token(const access_rules& rules, std::string_view authorization) {
  constexpr std::string_view scheme = "Bearer ";
  if (authorization.size() < scheme.size() || !iequals(authorization.substr(0, scheme.size()), scheme))
    return false;
  const auto given = authorization.substr(scheme.size());
  return given.size() == rules.token.size() && CRYPTO_memcmp(given.data(), rules.token.data(), given.size()) == 0;
}

/// A browser says so with all that it sends to a trustworthy origin, and anywhere by the Origin of what is no plain
/// load. Where there is a token, no page of another site has it; and a proxy may have another Host.
bool is_from_other_site(const service& of, const head& x) {
  const auto origin = field_of(x, field::origin);
  if (!of.rules.cors_origin.empty() && origin == of.rules.cors_origin)
    return false;
  if (const auto site = x["Sec-Fetch-Site"]; !site.empty()) // which no script can forge
    return site == "cross-site" || site == "same-site";
  if (origin.empty() || !of.rules.token.empty())
    return false;
  const auto scheme_end = origin.find("://");
  return scheme_end == origin.npos || !iequals(origin.substr(scheme_end + 3), field_of(x, field::host));
}

bool is_json(std::string_view type) {
  const auto semicolon = std::min(type.find(';'), type.size());
  auto media = type.substr(0, semicolon);
  media = media.substr(0, media.find_last_not_of(" \t") + 1);
  if (!iequals(media, "application/json"))
    return false;
  auto parameter = type.substr(std::min(semicolon + 1, type.size()));
  parameter.remove_prefix(std::min(parameter.find_first_not_of(" \t"), parameter.size()));
  return parameter.empty() || iequals(parameter, "charset=utf-8") || iequals(parameter, "charset=\"utf-8\"");
}

bool has_body(const request_parser& x) { return x.chunked() || (x.content_length() && *x.content_length() > 0); }

response answer_options(const service& of, const exchange& x) {
  response made{.status = status::no_content};
  const auto allowed = x.where ? x.where->allowed() : "GET, HEAD, POST, OPTIONS";
  ((made.fields += "Allow: ") += allowed) += "\r\n";
  if (!of.rules.cors_origin.empty() && field_of(x.request(), field::origin) == of.rules.cors_origin)
    ((made.fields += "Access-Control-Allow-Methods: ") += allowed) +=
        "\r\nAccess-Control-Allow-Headers: Authorization, Content-Type, Traceparent, X-Request-Id, "
        "X-Request-Timeout\r\n"
        "Access-Control-Max-Age: 600\r\n";
  return made;
}

/// Checks who asks, and for what.
std::optional<response> check_access(const service& of, const exchange& x) {
  const auto& r = x.request();
  const auto host = x.asked.authority.empty() ? field_of(r, field::host) : std::string_view{x.asked.authority};
  const bool has_host = r.version() >= 11 || !host.empty(); // a browser always names it
  if (has_host && !is_known_host(of.rules, host))
    return make_problem(status::misdirected_request, "unknown_host",
                        "the Host field names none of the service's own names; --allow-host adds one", x.id);
  if (r.method() == verb::options)
    return answer_options(of, x);
  const bool is_open = x.where && x.where->is_open;
  if (!of.rules.token.empty() && !is_open && !has_token(of.rules, field_of(r, field::authorization))) {
    auto refused = make_problem(status::unauthorized, "no_token", "it takes Authorization: Bearer TOKEN", x.id);
    refused.fields += "WWW-Authenticate: Bearer\r\n";
    return refused;
  }
  if (!x.where)
    return make_problem(status::not_found, "not_found", "there is nothing at this path", x.id);
  const bool reads = r.method() == verb::get || r.method() == verb::head;
  if (!(reads && x.where->takes_get()) && !(r.method() == verb::post && x.where->takes_post())) {
    auto refused = make_problem(
        status::method_not_allowed, "bad_method",
        reads ? "it may change something, which takes POST" : "this path takes the methods in the field Allow", x.id);
    ((refused.fields += "Allow: ") += x.where->allowed()) += "\r\n";
    return refused;
  }
  if (!is_open && is_from_other_site(of, r))
    return make_problem(status::forbidden, "other_site", "a page of another site may not ask this service", x.id);
  return {};
}

std::optional<response> check_body(const exchange& x) {
  const auto& r = x.request();
  if (r.method() != verb::post || (!has_body(*x.parser) && r.count(field::content_type) == 0))
    return {};
  if (!is_json(field_of(r, field::content_type)))
    return make_problem(status::unsupported_media_type, "bad_type", "the body is application/json in UTF-8", x.id);
  if (r.count(field::content_encoding) > 0)
    return make_problem(status::unsupported_media_type, "bad_type", "the body is not compressed", x.id);
  return {};
}

} // namespace

std::optional<response> check_framing(exchange& x) {
  const auto& r = x.request();
  x.trace = continue_trace({r["traceparent"].data(), r["traceparent"].size()});
  x.id = request_id({r["X-Request-Id"].data(), r["X-Request-Id"].size()});
  if (r.version() / 10 == 1 && r.version() > 11)
    return make_problem(status::bad_request, "bad_request", "there is no such version of HTTP/1", x.id);
  if (r.version() != 11 && r.version() != 10)
    return make_problem(status::http_version_not_supported, "bad_version", "this is a service for HTTP/1.1", x.id);
  if (is_ambiguous(r))
    return make_problem(status::bad_request, "bad_request",
                        "a request has one Host, at most one Content-Length or Transfer-Encoding, and one Content-Type",
                        x.id);
  if (has_other_coding(r))
    return make_problem(status::not_implemented, "bad_coding", "the only transfer coding is chunked", x.id);
  if (r.count(field::expect) > 0 && !iequals(field_of(r, field::expect), "100-continue"))
    return make_problem(status::expectation_failed, "bad_expectation", "the only expectation is 100-continue", x.id);
  if (r.method() == verb::unknown)
    return make_problem(status::not_implemented, "unknown_method", "there is no such method", x.id);
  auto asked = parse_target({r.target().data(), r.target().size()});
  if (!asked || (asked->path == "*" && r.method() != verb::options))
    return make_problem(status::bad_request, "bad_target", "the request line names no path that can be read", x.id);
  x.asked = std::move(*asked);
  return {};
}

bool has_folded_line(std::string_view head) noexcept {
  for (auto at = head.find("\r\n"); at != head.npos && at + 2 < head.size(); at = head.find("\r\n", at + 2))
    if (head[at + 2] == ' ' || head[at + 2] == '\t')
      return true;
  return false;
}

bool names_other_version(std::string_view head) noexcept {
  constexpr std::string_view form = " HTTP/";
  const auto line = head.substr(0, head.find("\r\n"));
  const auto at = line.rfind(form);
  if (line.size() == head.size() || at == line.npos)
    return false;
  const auto version = line.substr(at + form.size());
  return version.size() == 3 && is_decimal(version[0]) && version[1] == '.' && is_decimal(version[2]) &&
         version[0] != '1';
}

std::optional<response> check_head(const service& of, exchange& x) {
  x.where = of.routes.find(x.asked.path);
  if (auto refused = check_access(of, x))
    return refused;
  return check_body(x);
}

response problem_of_syntax(boost::system::error_code why, bool is_line, std::string_view id) {
  using http::error;
  if (why == error::header_limit) {
    if (is_line)
      return make_problem(status::uri_too_long, "uri_too_long", "the request line is longer than allowed", id);
    return make_problem(status::request_header_fields_too_large, "header_too_large",
                        "the header fields are longer than allowed", id);
  }
  if (why == error::body_limit)
    return make_problem(status::payload_too_large, "body_too_large", "the body is longer than allowed", id);
  if (why == error::bad_version)
    return make_problem(status::http_version_not_supported, "bad_version", "this is a service for HTTP/1.1", id);
  if (why == error::partial_message)
    return make_problem(status::bad_request, "truncated", "the request ends before it is whole", id);
  return make_problem(status::bad_request, "bad_request", "this is not HTTP/1.1: " + why.message(), id);
}

} // namespace sheaf::app::serve
