// SPDX-License-Identifier: BSD-3-Clause
//
// The target of a request line: a path and named values, decoded strictly. Any thread.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::app::serve {

/// A name with its value; without an equals sign behind the name there is none.
using named_text = std::pair<std::string, std::optional<std::string>>;

struct target {
  std::string path;              ///< Decoded; begins with `/`, or is `*`.
  std::string authority;         ///< The authority of the absolute form (`http://host/path`), else empty.
  std::vector<named_text> query; ///< Decoded, in order; a name may stand several times.
};

/// Nothing for a text that is neither a path nor an http URL, for a broken escape, for a control character (also an
/// escaped one in the path; in a value all but NUL are taken) and for bytes that do not decode to UTF-8. A plus sign in
/// the query is a space, as forms send it.
std::optional<target> parse_target(std::string_view text);

/// True for a host with or without a port, as a Host field has it (RFC 9110, section 4.2.1), and for none.
bool is_authority(std::string_view text) noexcept;

/// `%41` as `A`. Nothing for a broken escape, NUL, and bytes that are not UTF-8.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);

/// Escapes all but letters, digits and `-._~`, for a part of a path.
std::string percent_encoded(std::string_view text);

} // namespace sheaf::app::serve
