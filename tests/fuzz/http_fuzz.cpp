// SPDX-License-Identifier: BSD-3-Clause
//
// Any bytes as an HTTP request, from the parser to the parameters that would be bound: a value that is taken is of its
// declared type, and one that is not has a name or a reason.

#include "app/serve/arguments.hpp"
#include "app/serve/gzip.hpp"
#include "app/serve/target.hpp"
#include "app/serve/time_limit.hpp"
#include "app/serve/trace.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace sheaf;
using namespace sheaf::app;
using namespace sheaf::app::serve;

namespace http = boost::beast::http;

void require(bool held) {
  if (!held)
    std::abort();
}

request_spec every_type() {
  request_spec made;
  for (const std::string type : {"text", "int", "double", "bool", "bytes"})
    for (const auto& full : {type, type + "[]"})
      made.parameters.push_back({.name = full.substr(0, 1) + (full.ends_with(']') ? "s" : ""), .type = full});
  return made;
}

void check(const value& x) {
  require(!contains_nul(x));
  if (const auto* number = std::get_if<double>(&x.data()))
    require(std::isfinite(*number));
  if (const auto* all = std::get_if<value::array>(&x.data()))
    for (const auto& element : *all)
      check(element);
}

void check(const std::vector<argument>& given) {
  static const auto spec = every_type();
  const auto typed = type_arguments(spec, given);
  for (const auto& [name, x] : typed.values)
    check(x);
  for (const auto& x : typed.bad)
    require(!x.reason.empty());
}

std::string_view text_of(boost::beast::string_view x) { return {x.data(), x.size()}; }

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  http::request_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(1 << 16);
  boost::beast::error_code why;
  std::size_t taken = 0;
  while (!why && taken < size && !parser.is_done())
    taken += parser.put(boost::asio::buffer(data + taken, size - taken), why);
  if (!parser.is_header_done())
    return 0;
  const auto& request = parser.get();
  static const auto spec = every_type();
  if (const auto target = parse_target(text_of(request.target()))) {
    require(target->path == "*" || target->path.starts_with('/'));
    require(percent_decoded(percent_encoded(target->path), false) == target->path);
    check(arguments_of(spec, target->query));
  }
  if (const auto json = parse_json_arguments(request.body()))
    check(*json);
  else
    require(!json.error().message.empty());
  takes_gzip(text_of(request[http::field::accept_encoding]));
  require(continue_trace(text_of(request["traceparent"])).header().size() == 55);
  require(!request_id(text_of(request["X-Request-Id"])).empty());
  if (const auto limit = parse_grpc_timeout(text_of(request["grpc-timeout"])))
    require(limit->count() > 0);
  return 0;
}
