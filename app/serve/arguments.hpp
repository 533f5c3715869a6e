// SPDX-License-Identifier: BSD-3-Clause
//
// A request's parameters as HTTP gives them, and as the sheaf file declares them. Any thread.

#pragma once

#include "app/file/sheaf_file.hpp"
#include "app/serve/target.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::app::serve {

/// One value before it has a type. A number is the text that stood in the JSON, so that nothing is rounded.
struct given_value {
  enum class kind { null, boolean, number, text } is = kind::text;
  std::string text;
};

struct argument {
  std::string name;
  bool is_list = false;
  std::vector<given_value> values;
};

/// A parameter that cannot be taken, and why; says nothing of its value.
struct bad_argument {
  std::string name, reason;
};

struct typed_arguments {
  parameters values;             ///< One for each parameter, in the file's order.
  std::vector<bad_argument> bad; ///< All parameters that are wrong.
};

/// Gives each parameter its value: the one that was given, read as the declared type, or its default. Bad are: unknown
/// names, missing values, a list where one value belongs, text that is not of the type, numbers that are out of range
/// or not finite, and text with NUL.
typed_arguments type_arguments(const request_spec& spec, const std::vector<argument>& given);

/// The values of a query string: a name that stands several times is a list, and so is one that is declared as such. A
/// name without an equals sign is null.
std::vector<argument> arguments_of(const request_spec& spec, const std::vector<named_text>& query);

/// The members of a JSON object whose values are null, true, false, numbers, strings, or lists of these. Anything else
/// (also: deeper than 32, a key twice, invalid UTF-8) is `invalid_request`.
result<std::vector<argument>> parse_json_arguments(std::string_view json);

} // namespace sheaf::app::serve
