// SPDX-License-Identifier: BSD-3-Clause
//
// The SQLite database that a URL names, and its mode. Pure functions, any thread.

#pragma once

#include "sheaf/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// Allowed uses of the file.
enum class sqlite_mode : std::uint8_t {
  ro,     ///< Only reading.
  rw,     ///< Reading and writing; the file has to be there. The default.
  rwc,    ///< The same, and a missing file is created.
  memory, ///< No file.
};

struct sqlite_url {
  std::string path; ///< Absolute; empty for a database in memory.
  sqlite_mode mode = sqlite_mode::rw;
  bool immutable = false; ///< Nobody writes it while it is open: only read, without locks and files beside it.
};

/// Reads `sqlite:PATH[?mode=ro|rw|rwc|memory|immutable=1]`, or `sqlite::memory:`. `PATH` is relative to the current
/// folder or begins with a slash (with three: `sqlite:///PATH`). In it a `%` and two hexadecimal digits stand for a
/// byte, so that it may hold a question mark (`%3F`); any other `%` stands for itself, as in SQLite's own URIs. The
/// failure, `invalid_request`, never repeats the text.
result<sqlite_url> parse_sqlite_url(std::string_view url);

/// The path as it is written in a URL.
std::string encode_sqlite_path(std::string_view path);

/// `texts[0] + values[0] + texts[1] + …` so that each value stays within its place: what would be syntax in it is
/// percent-encoded. What begins the text is taken as it stands.
std::string join_sqlite_url(const std::vector<std::string>& texts, const std::vector<std::string>& values);

/// The database as a file name in SQLite's own URI form (SQLite manual, "Uniform Resource Identifiers"): plain ASCII
/// without blanks or quotes. `memory_name` tells databases in memory apart: all sessions of this process that open the
/// same one share it.
std::string sqlite_uri(const sqlite_url& url, std::string_view memory_name);

} // namespace sheaf
