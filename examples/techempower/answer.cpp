// SPDX-License-Identifier: BSD-3-Clause

#include "answer.hpp"

#include <charconv>
#include <concepts>

namespace techempower {

namespace {

void append_number(std::string& out, std::integral auto x) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, x).ptr);
}

bool append_row(std::string& out, const sheaf::table& row) {
  const auto id = row.try_get<std::int32_t>(0, 0), number = row.try_get<std::int32_t>(0, 1);
  if (!id || !number)
    return false;
  out += "{\"id\":";
  append_number(out, *id);
  out += ",\"randomNumber\":";
  append_number(out, *number);
  out += '}';
  return true;
}

} // namespace

std::string_view date_line::now() {
  if (const auto second = std::time(nullptr); second != second_) {
    second_ = second;
    std::tm utc{};
    gmtime_r(&second, &utc);
    size_ = std::strftime(text_, sizeof text_, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
  }
  return {text_, size_};
}

void write_head(std::string& out, const head& of, date_line& date) {
  out = "HTTP/1.1 ";
  append_number(out, static_cast<unsigned>(of.status));
  out += ' ';
  out += std::string_view{boost::beast::http::obsolete_reason(of.status)};
  out += "\r\nServer: sheaf\r\n";
  out += date.now();
  out += of.more;
  out += "Content-Type: ";
  out += of.type;
  out += "\r\nContent-Length: ";
  append_number(out, of.body_bytes);
  out += "\r\n\r\n";
}

bool write_world(std::string& out, const sheaf::reply& got, bool as_array) {
  out.clear();
  for (const auto& x : got.outcomes) {
    if (as_array)
      out += out.empty() ? '[' : ',';
    if (!append_row(out, x.table()))
      return false;
  }
  if (as_array)
    out += ']';
  return true;
}

} // namespace techempower
