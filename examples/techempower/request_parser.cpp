// SPDX-License-Identifier: BSD-3-Clause

#include "request_parser.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace techempower {

namespace {

constexpr std::int64_t queries_max = 500;

/// The number of queries that `?queries=…` asks for: a text that is not a number means 1, any other number the nearest
/// allowed.
std::size_t queries_in(std::string_view parameters) {
  constexpr std::string_view name = "queries=";
  while (!parameters.empty() && !parameters.starts_with(name))
    parameters.remove_prefix(std::min(parameters.find('&'), parameters.size() - 1) + 1);
  if (parameters.empty())
    return 1;
  const auto value = parameters.substr(name.size(), parameters.find('&') - name.size());
  std::int64_t n = 1;
  const auto [end, why] = std::from_chars(value.data(), value.data() + value.size(), n);
  if (end != value.data() + value.size() || why == std::errc::invalid_argument)
    return 1;
  if (why == std::errc::result_out_of_range)
    n = value.starts_with('-') ? 1 : queries_max;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(n, 1, queries_max));
}

} // namespace

/// Beast's own limit (Boost 1.81) is one of what comes at once.
std::size_t request_parser::take(boost::asio::const_buffer bytes, error& why) {
  const auto taken = put(bytes, why);
  bytes_ += taken;
  const bool is_part = why == http::error::need_more;
  if ((!why || is_part) && bytes_ + (is_part ? bytes.size() - taken : 0) > header_bytes_max)
    why = http::error::header_limit;
  return taken;
}

void request_parser::on_request_impl(http::verb method, text, text target, int version, error&) {
  const std::string_view whole{target.data(), target.size()};
  const auto path = whole.substr(0, whole.find('?'));
  method_ = method;
  version_ = version;
  if (path == "/db") {
    asked_ = resource::db;
  } else if (path == "/queries") {
    asked_ = resource::queries;
    queries_ = queries_in(whole.substr(std::min(path.size() + 1, whole.size())));
  }
}

/// RFC 9112, section 3.2: HTTP/1.1 without exactly one Host is a bad request.
void request_parser::on_header_impl(error& e) {
  if (hosts_ > 1 || (hosts_ == 0 && !is_http_1_0()))
    e = http::error::bad_field;
}

} // namespace techempower
