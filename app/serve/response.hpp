// SPDX-License-Identifier: BSD-3-Clause
//
// A response that is known whole, and the lines above every response. Any thread.

#pragma once

#include <boost/beast/http/status.hpp>

#include <ctime>
#include <string>
#include <string_view>

namespace sheaf::app::serve {

namespace http = boost::beast::http;

struct response {
  http::status status = http::status::ok;
  std::string_view type = "application/json"; ///< A view of static text.
  std::string body{};
  std::string fields{}; ///< Further lines, each with its CRLF.
  std::string code{};   ///< For the log: the failure, in a word.
  std::string detail{}; ///< For the log only.
};

/// The Date field (RFC 9110, section 6.6.1), made anew once a second. One thread.
class date_line {
public:
  std::string_view now();

private:
  std::time_t second_ = 0;
  char text_[64];
  std::size_t size_ = 0;
};

/// Lines that tell a browser with every answer: nothing may be guessed, kept, framed or loaded from elsewhere.
std::string_view safety_fields(std::string_view type);

/// `HTTP/1.1 404 Not Found`, with its CRLF.
void append_status_line(std::string& out, http::status status);

} // namespace sheaf::app::serve
