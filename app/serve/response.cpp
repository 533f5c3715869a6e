// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/response.hpp"

#include <fmt/format.h>

#include <iterator>

namespace sheaf::app::serve {

std::string_view date_line::now() {
  if (const auto second = std::time(nullptr); second != second_) {
    second_ = second;
    std::tm utc{};
    gmtime_r(&second, &utc);
    size_ = std::strftime(text_, sizeof text_, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
  }
  return {text_, size_};
}

std::string_view safety_fields(std::string_view type) {
  if (type.starts_with("text/html"))
    return "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
           "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
           "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n";
  return "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
         "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";
}

void append_status_line(std::string& out, http::status status) {
  const std::string_view reason = http::obsolete_reason(status);
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", static_cast<unsigned>(status), reason);
}

} // namespace sheaf::app::serve
