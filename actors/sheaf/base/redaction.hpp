// SPDX-License-Identifier: BSD-3-Clause
//
// Takes values out of what a database or a library says of a failure. Pure functions, only called when something
// failed.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// A text that no failure may repeat, and what stands there instead: `‹name›`.
struct secret {
  std::string name; ///< `:id`, `password`.
  std::string_view text;
};

/// The parts of its input that a message may repeat beside the texts that are known.
enum class repeats {
  nothing,
  bytes, ///< Single bytes, such as `0xe4`; what it quotes are names.
  input, ///< Pieces of input, in quotes or after the last colon, that may have been changed on their way.
  key,   ///< Values of some columns of a row, in the second parentheses: `(id)=(7)`.
  row,   ///< Values of a row, in parentheses: `(7, Ada)`.
};

struct redaction {
  std::vector<secret> secrets{};
  std::vector<std::string_view> names{}; ///< What the server says is the name of a table, column or constraint.
  std::string_view sql{};                ///< The statement: a word of it is no secret.
  sheaf::repeats repeats = repeats::nothing;
};

/// `message` without the secrets, whatever its language and the case that the server has put them in:
/// - a run of eight bytes or more that it has in common with a secret, and the rest of that word;
/// - a shorter secret where it stands alone: a number or four characters or more anywhere, fewer only in quotes or
///   behind a colon, an equals sign or a parenthesis, or where it is the whole message, so that `a` and `of` do not
///   take one apart;
/// - a quoted text that is a piece of a secret, or holds one; one or two characters only where input is repeated.
///
/// Then what may be input and is no known secret, name or word of the SQL becomes `…`, and so do a row's values. No
/// more than the first 4 KiB are looked at, and none of the rest is kept.
std::string redacted(std::string_view message, const redaction& how);

/// `message` without anything that may be a value, where the values are not known: what is in quotes or brackets, or
/// else after the first colon.
std::string without_values(std::string_view message);

} // namespace sheaf
