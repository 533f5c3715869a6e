// SPDX-License-Identifier: BSD-3-Clause
//
// The grammar of PostgreSQL's array_out: elements are quoted when they are empty, spell NULL, or hold braces, the
// delimiter, quotes, backslashes or white space.

#include "sheaf/data/postgresql_array.hpp"

#include "sheaf/data/postgresql_types.hpp"

#include <algorithm>

namespace sheaf::postgresql {

array_reader::array_reader(const cell& array)
  : rest_(array.data, array.size), type_(element_of(array.oid)), delimiter_(array.oid == oid_box_array ? ';' : ',') {}

bool array_reader::next(cell& element) {
  if (status_ != decoding::ok || (!at_start_ && rest_.empty()))
    return false;
  if (at_start_) {
    at_start_ = false;
    if (!skip_bounds() || !rest_.starts_with('{') || !rest_.ends_with('}') || rest_.size() < 2)
      return status_ == decoding::ok && fail(decoding::malformed);
    rest_.remove_prefix(1);
    if (rest_ == "}") {
      rest_ = {};
      return false;
    }
  }
  if (rest_.starts_with('{'))
    return fail(decoding::dimensions);
  const bool is_quoted = rest_.starts_with('"');
  if (!(is_quoted ? quoted() : unquoted()))
    return fail(decoding::malformed);
  // An element is followed by the delimiter and another one, or by the closing brace and nothing.
  if (rest_.starts_with(delimiter_))
    rest_.remove_prefix(1);
  else if (rest_ == "}")
    rest_ = {};
  else
    return fail(decoding::malformed);
  element = {};
  element.oid = type_;
  if (is_quoted || element_ != "NULL") {
    element.encoding = encoding::text;
    element.data = element_.data();
    element.size = element_.size();
  }
  return true;
}

bool array_reader::fail(decoding why) noexcept {
  status_ = why;
  return false;
}

/// `[2:4]=`, which stands before the braces when the array does not begin at 1.
bool array_reader::skip_bounds() noexcept {
  if (!rest_.starts_with('['))
    return true;
  const auto equals = rest_.find('=');
  if (equals == std::string_view::npos)
    return false;
  const auto bounds = rest_.substr(0, equals);
  rest_.remove_prefix(equals + 1);
  if (std::ranges::count(bounds, '[') > 1)
    return fail(decoding::dimensions);
  return bounds.find_first_not_of("[]:-0123456789") == std::string_view::npos && bounds.ends_with(']');
}

bool array_reader::quoted() {
  element_.clear();
  for (std::size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == '"') {
      rest_.remove_prefix(i + 1);
      return true;
    }
    if (rest_[i] == '\\' && ++i == rest_.size())
      break;
    element_ += rest_[i];
  }
  return false;
}

bool array_reader::unquoted() {
  const auto end = std::ranges::find_if(rest_, [this](char x) { return x == delimiter_ || x == '}'; });
  element_.assign(rest_.begin(), end);
  rest_.remove_prefix(element_.size());
  return !element_.empty() && element_.find_first_of("{\"\\") == std::string::npos;
}

} // namespace sheaf::postgresql
