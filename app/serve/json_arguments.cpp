// SPDX-License-Identifier: BSD-3-Clause
//
// Reads the one form of JSON that parameters come in, event by event: a tree of values would have rounded the numbers
// and forgotten the keys that stand twice. Any thread.

#include "app/serve/arguments.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <set>

namespace sheaf::app::serve {

namespace {

namespace json = boost::json;
using json::error_code;
using json::string_view;

constexpr std::size_t depth_max = 32;

/// Gathers the members of one object. The names of its functions are Boost.JSON's.
class argument_handler {
public:
  static constexpr std::size_t max_object_size = 10'000;
  static constexpr std::size_t max_array_size = 1'000'000;
  static constexpr std::size_t max_key_size = 10'000;
  static constexpr std::size_t max_string_size = std::size_t(-1);

  std::vector<argument> all;
  std::string why; ///< The reason of a refusal.

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code& e) { return depth_++ == 0 || refuse(e, "a parameter is no object"); }
  bool on_object_end(std::size_t, error_code&) {
    --depth_;
    return true;
  }

  bool on_array_begin(error_code& e) {
    if (depth_++ != 1)
      return refuse(e, depth_ == 1 ? "the body is a JSON object" : "a list has no lists in it");
    all.back().is_list = true;
    return true;
  }
  bool on_array_end(std::size_t, error_code&) {
    --depth_;
    return true;
  }

  bool on_key_part(string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_key(string_view part, std::size_t, error_code& e) {
    keep(part);
    if (!names_.insert(text_).second)
      return refuse(e, "a key stands twice");
    all.push_back({.name = std::move(text_), .is_list = false, .values = {}});
    text_.clear();
    return true;
  }

  bool on_string_part(string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_string(string_view part, std::size_t, error_code& e) {
    keep(part);
    return add(given_value::kind::text, e);
  }

  bool on_number_part(string_view part, error_code&) { return keep(part); }
  bool on_int64(std::int64_t, string_view part, error_code& e) { return on_number(part, e); }
  bool on_uint64(std::uint64_t, string_view part, error_code& e) { return on_number(part, e); }
  bool on_double(double, string_view part, error_code& e) { return on_number(part, e); }

  bool on_bool(bool x, error_code& e) {
    keep(x ? "true" : "false");
    return add(given_value::kind::boolean, e);
  }
  bool on_null(error_code& e) { return add(given_value::kind::null, e); }

  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

private:
  bool keep(string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }

  bool on_number(string_view part, error_code& e) {
    keep(part);
    return add(given_value::kind::number, e);
  }

  bool add(given_value::kind is, error_code& e) {
    if (depth_ == 0)
      return refuse(e, "the body is a JSON object");
    all.back().values.push_back({is, std::move(text_)});
    text_.clear();
    return true;
  }

  bool refuse(error_code& e, const char* reason) {
    why = reason;
    e = json::error::syntax;
    return false;
  }

  std::size_t depth_ = 0;
  std::string text_;
  std::set<std::string> names_;
};

} // namespace

result<std::vector<argument>> parse_json_arguments(std::string_view text) {
  json::parse_options how;
  how.max_depth = depth_max;
  json::basic_parser<argument_handler> parser{how};
  error_code wrong;
  const auto taken = parser.write_some(false, text.data(), text.size(), wrong);
  if (!wrong && taken < text.size())
    wrong = json::error::extra_data;
  if (!wrong)
    return std::move(parser.handler().all);
  auto why = parser.handler().why;
  if (why.empty()) // Boost's words; the text itself is not shown
    why = "the body is not JSON: " + wrong.message();
  return failure{.code = errc::invalid_request, .message = std::move(why)};
}

} // namespace sheaf::app::serve
