// SPDX-License-Identifier: BSD-3-Clause
//
// A reply as text: the output formats of `sheaf query`. Main thread.

#pragma once

#include "app/base/output.hpp"
#include "app/base/terminal.hpp"

#include "sheaf/request.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

/// `psql`'s aligned style: a heading for each query when there are several, numbers to the right, `(3 rows)` below.
void write_table_format(output& to, const reply& got, const terminal& where);

/// With one query the bytes of `psql --csv`. With several, each result has a line `# name` before it and an empty line
/// between.
void write_csv_format(output& to, const reply& got);

/// One object: `results` and `errors` by query name, `notices` when there are any, and `timing`. `sql` holds each
/// query's text, for the errors' places.
void write_json_format(output& to, const reply& got, const std::vector<std::string>& sql);

/// `notices` by query name, and `notices_left_out`, in an object that has other members before; each only when there
/// are any.
void write_notices(output& to, const reply& got);

/// A line `{"query":…,"row":{…}}` for each row, in order, and `{"query":…,"error":{…}}` for each failure; before those
/// of a query `{"query":…,"notice":{…}}` for each of its notices.
void write_ndjson_format(output& to, const reply& got, const std::vector<std::string>& sql);

/// Appends a cell's text as `psql` shows it, an SQLite blob as `\x00ff`; nothing for NULL.
void append_cell(std::string& out, const table& from, std::size_t row, std::size_t column);

/// The kinds of PostgreSQL's types in JSON: those that its own to_json() writes as they are (json.c,
/// json_categorize_type), and `string` for all others.
enum class json_kind : std::uint8_t { string, number, numeric, boolean, json };
json_kind kind_of(std::uint32_t oid) noexcept;

struct json_form {
  /// Numbers that a reader would round who has only doubles are strings: integers beyond 2^53, every `numeric`, and in
  /// json those of more than 15 digits, or too large.
  bool exact_numbers = false;
  bool arrays_as_text = false; ///< As PostgreSQL writes them: `[0:1]={5,6}`.
};

/// Appends a cell as JSON: numbers as the database writes them, json as it is, PostgreSQL's arrays as lists, nested as
/// they are and without their bounds, everything else as strings. False for a text of SQLite's that has bytes that are
/// not UTF-8: each has become U+FFFD.
bool append_json_cell(std::string& out, const table& from, std::size_t row, std::size_t column,
                      const json_form& how = {});

/// The columns' names as an object's keys, each a JSON string: a name that stood before gets `_2`, `_3`, … so that no
/// value is lost.
std::vector<std::string> json_keys(const table& rows);
std::vector<std::string> json_keys(const std::vector<std::string>& names);

/// False for a command that answers with nothing but what it did. (`select` without a column has rows.)
bool returns_rows(const table& from) noexcept;

/// The line that `psql` prints for a command, also below the rows of `INSERT … RETURNING`: `INSERT 0 2`; else empty.
std::string command_line_of(const table& from);

} // namespace sheaf::app
