// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/backend.hpp"

#include "sheaf/backend/postgresql/factory.hpp"
#include "sheaf/backend/postgresql/native.hpp"
#include "sheaf/backend/postgresql/server_error.hpp"
#include "sheaf/backend/postgresql/url.hpp"
#include "sheaf/data/pgresult.hpp"

#include <vector>

namespace sheaf {

namespace {

class postgresql_kind final : public backend {
public:
  std::string_view name() const noexcept override { return "postgresql"; }
  sheaf::dialect dialect() const noexcept override { return dialect::postgresql; }
  bool infers_types() const noexcept override { return true; }

  /// True by the scheme, or for a keyword string.
  bool takes(std::string_view url) const noexcept override {
    if (url.starts_with("postgresql://") || url.starts_with("postgres://"))
      return true;
    const auto first = url.find_first_of(":=/ ");
    const bool has_other_scheme = first != url.npos && url[first] == ':';
    return !has_other_scheme && url.find('=') != url.npos;
  }

  std::optional<failure> check(const std::string& url) const override {
    const auto parsed = parse_postgresql_url(url);
    return parsed.has_error() ? std::optional{parsed.error()} : std::nullopt;
  }

  std::string join_url(const std::vector<std::string>& texts, const std::vector<std::string>& values) const override {
    return join_postgresql_url(texts, values);
  }

  result<std::unique_ptr<session_factory>> make_factory(const database_options& database,
                                                        blocking_executor& blocking) const override {
    return make_postgresql_factory(database, blocking);
  }

  std::optional<failure> run(soci::session& on, const std::string& sql, const text_row& values) const override {
    std::vector<const char*> texts;
    std::vector<secret> secrets;
    for (const auto& x : values) {
      texts.push_back(x ? x->c_str() : nullptr);
      if (x)
        secrets.push_back({placeholder(texts.size()), *x});
    }
    return failure_in(pgresult_ptr{PQexecParams(native_connection(on), sql.c_str(), static_cast<int>(texts.size()),
                                                nullptr, texts.data(), nullptr, nullptr, 0)},
                      sql, std::move(secrets));
  }

  /// By COPY (PostgreSQL manual, "Functions Associated with the COPY Command"), which says too little of a row that it
  /// refuses, and cannot be had where row-level security is: then the rows go in one after another. COPY takes values
  /// for `generated always as identity` columns and knows no rules, other than INSERT.
  std::optional<insert_failure> insert(soci::session& on, std::string_view table, std::span<const std::string> columns,
                                       std::span<const text_row> rows,
                                       const std::function<void(std::size_t)>& done) const override {
    if (rows.empty()) {
      done(0);
      return {};
    }
    if (auto why = run(on, "savepoint sheaf_rows", {}))
      return insert_failure{std::move(*why)};
    const auto refused = copy(native_connection(on), table, columns, rows, done);
    if (!refused)
      return {};
    if (refused->code == errc::query_canceled || refused->code == errc::connection_lost)
      return insert_failure{*refused};
    if (auto why = run(on, "rollback to savepoint sheaf_rows", {}))
      return insert_failure{std::move(*why)};
    return backend::insert(on, table, columns, rows, done);
  }

  /// The unnamed statement: the next one takes its place, and it ends with the session (PostgreSQL manual, "Extended
  /// Query").
  std::optional<failure> prepare(soci::session& on, const std::string& sql) const override {
    return failure_in(pgresult_ptr{PQprepare(native_connection(on), "", sql.c_str(), 0, nullptr)}, sql);
  }

  std::string placeholder(std::size_t n) const override { return '$' + std::to_string(n); }

private:
  static std::optional<failure> copy(PGconn* to, std::string_view table, std::span<const std::string> columns,
                                     std::span<const text_row> rows, const std::function<void(std::size_t)>& done) {
    std::string names;
    for (const auto& x : columns)
      names += (names.empty() ? "" : ", ") + as_identifier(x);
    const auto sql = "copy " + as_identifier(table) + " (" + names + ") from stdin";
    const pgresult_ptr begun{PQexec(to, sql.c_str())};
    if (PQresultStatus(begun.get()) != PGRES_COPY_IN)
      return failure_in(begun, sql);
    constexpr std::size_t piece = 1 << 16;
    std::string text;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      append_copy_row(text, rows[i]);
      if (text.size() < piece && i + 1 < rows.size())
        continue;
      if (PQputCopyData(to, text.data(), static_cast<int>(text.size())) != 1)
        break; // the connection is gone: the result says so
      text.clear();
      done(i + 1);
    }
    PQputCopyEnd(to, nullptr);
    std::optional<failure> refused;
    while (const pgresult_ptr got{PQgetResult(to)})
      if (auto why = failure_in(got, sql); why && !refused)
        refused = std::move(why);
    return refused;
  }

  /// Text format (PostgreSQL manual, COPY, "File Formats").
  static void append_copy_row(std::string& out, const text_row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0)
        out += '\t';
      if (!row[i]) {
        out += "\\N";
        continue;
      }
      for (const char c : *row[i]) {
        const auto escaped = c == '\\' ? '\\' : c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : '\0';
        if (escaped != '\0')
          out += '\\';
        out += escaped != '\0' ? escaped : c;
      }
    }
    out += '\n';
  }

  static std::optional<failure> failure_in(const pgresult_ptr& x, const std::string& sql,
                                           std::vector<secret> values = {}) {
    const auto status = PQresultStatus(x.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
      return {};
    const parsed_statement text{.text = sql};
    const server_error e{x.get()};
    return e.sqlstate.empty() ? failure_of(x.get(), text, {}) : failure_of(e, text, std::move(values));
  }
};

} // namespace

const backend& postgresql_backend() noexcept {
  static const postgresql_kind the;
  return the;
}

} // namespace sheaf
