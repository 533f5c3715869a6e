// SPDX-License-Identifier: BSD-3-Clause
//
// The text of an answer, written into strings that a connection uses again and again.

#pragma once

#include "sheaf/request.hpp"

#include <boost/beast/http/status.hpp>

#include <ctime>
#include <string>
#include <string_view>

namespace techempower {

/// The header field Date, formatted once a second. One for each loop.
class date_line {
public:
  /// `Date: …` and the end of the line.
  std::string_view now();

private:
  std::time_t second_ = 0;
  char text_[48] = {};
  std::size_t size_ = 0;
};

struct head {
  boost::beast::http::status status = boost::beast::http::status::ok;
  std::string_view type = "application/json";
  std::string_view more{};    ///< Further header lines, each with its end.
  std::size_t body_bytes = 0; ///< Size of the body.
};

/// Replaces `out` with the header of an answer.
void write_head(std::string& out, const head& of, date_line& date);

/// Replaces `out` with the rows of `got`, which has not failed: one object, or an array of them. False when a row is
/// not there.
bool write_world(std::string& out, const sheaf::reply& got, bool as_array);

} // namespace techempower
