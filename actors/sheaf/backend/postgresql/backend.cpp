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

  /// The unnamed statement: the next one takes its place, and it ends with the session (PostgreSQL manual, "Extended
  /// Query").
  std::optional<failure> prepare(soci::session& on, const std::string& sql) const override {
    return failure_in(pgresult_ptr{PQprepare(native_connection(on), "", sql.c_str(), 0, nullptr)}, sql);
  }

  std::string placeholder(std::size_t n) const override { return '$' + std::to_string(n); }

private:
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
