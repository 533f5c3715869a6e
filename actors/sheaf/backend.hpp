// SPDX-License-Identifier: BSD-3-Clause
//
// A kind of database: all that is particular to it. One object for each kind, immutable and there as long as the
// program; any thread.

#pragma once

#include "sheaf/error.hpp"
#include "sheaf/sql/parsed_statement.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace soci {
class session;
}

namespace sheaf {

class blocking_executor;
class session_factory;
struct database_options;

class backend {
public:
  /// The system's name in OpenTelemetry (`db_system_name`): `postgresql`, `sqlite`.
  virtual std::string_view name() const noexcept = 0;

  /// The lexical rules that its statements follow.
  virtual sheaf::dialect dialect() const noexcept = 0;

  /// True when its databases infer a parameter's type from where it stands; else a value's own type counts.
  virtual bool infers_types() const noexcept = 0;

  // -- its URLs

  /// True when a URL is one of its own, by the scheme.
  virtual bool takes(std::string_view url) const noexcept = 0;

  /// The error in a URL of its own, as opening a session would report it, or nothing. Never repeats the text, which may
  /// hold a password.
  virtual std::optional<failure> check(const std::string& url) const = 0;

  /// The same database for somebody in another folder: where `url` names a file, it is found from `folder`.
  virtual std::string from_folder(std::string url, const std::filesystem::path& folder) const;

  /// The URL `texts[0] + values[0] + texts[1] + …`, whose `values` are not part of its syntax: each stays in the place
  /// where it stands, whatever characters it has. A value before all text is the URL's beginning, and may hold syntax.
  virtual std::string join_url(const std::vector<std::string>& texts, const std::vector<std::string>& values) const;

  /// The URL at which statements meant for `url` can be prepared: a file that would only be created is not there to
  /// ask, and an empty database is as good.
  virtual std::string for_preparing(std::string url) const;

  // -- its sessions

  /// Opens the sessions of one database, whose URL it checks. `blocking` outlives the factory and its sessions.
  virtual result<std::unique_ptr<session_factory>> make_factory(const database_options& database,
                                                                blocking_executor& blocking) const = 0;

  // -- statements on a session's own handle, within a C++ task: not by way of SOCI, which would look for parameters in
  // them and take several in one string

  using text_row = std::vector<std::optional<std::string>>;

  /// Runs one statement to its end; its rows are dropped. `values` are its parameters' values in text, each bound where
  /// its `placeholder` stands.
  virtual std::optional<failure> run(soci::session& on, const std::string& sql, const text_row& values) const = 0;

  struct insert_failure {
    failure why;
    std::optional<std::size_t>
        row{}; ///< The place from 0 of the row that is refused; nothing where it is none's fault.
  };

  /// Puts rows into these columns of a table, within the transaction that is open: in bulk where the kind has a way to,
  /// else one after another. The names are plain, whatever characters they have. After each piece, and at the end,
  /// `done` is told how many are in. On failure the transaction is to be rolled back.
  virtual std::optional<insert_failure> insert(soci::session& on, std::string_view table,
                                               std::span<const std::string> columns, std::span<const text_row> rows,
                                               const std::function<void(std::size_t)>& done) const;

  /// The database's error in one statement, found without running it, or nothing. The position is one in `sql`. The
  /// prepared statement does not stay.
  virtual std::optional<failure> prepare(soci::session& on, const std::string& sql) const = 0;

  /// The text that stands for parameter `n`, from 1.
  virtual std::string placeholder(std::size_t n) const = 0;

protected:
  ~backend() = default;
};

/// `"a""b"`: a name as SQL takes it, whatever is in it.
std::string as_identifier(std::string_view name);

} // namespace sheaf
