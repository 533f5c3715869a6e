// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/sqlite/backend.hpp"

#include "sheaf/backend/sqlite/native.hpp"
#include "sheaf/backend/sqlite/session.hpp"
#include "sheaf/backend/sqlite/statement.hpp"
#include "sheaf/backend/sqlite/url.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

namespace sheaf {

namespace {

using namespace sqlite_api; // NOLINT(google-build-using-namespace): SQLite's own names

constexpr std::string_view scheme = "sqlite:";

class sqlite_kind final : public backend {
public:
  std::string_view name() const noexcept override { return "sqlite"; }
  sheaf::dialect dialect() const noexcept override { return dialect::sqlite; }
  bool infers_types() const noexcept override { return false; }

  bool takes(std::string_view url) const noexcept override { return url.starts_with(scheme); }

  std::optional<failure> check(const std::string& url) const override {
    const auto parsed = parse_sqlite_url(url);
    return parsed.has_error() ? std::optional{parsed.error()} : std::nullopt;
  }

  std::string from_folder(std::string url, const std::filesystem::path& folder) const override {
    if (url.starts_with("sqlite::memory:") || url.starts_with("sqlite:/") || url.starts_with("sqlite:file:"))
      return url;
    return std::string{scheme} + encode_sqlite_path((folder / "").string()) + url.substr(scheme.size());
  }

  std::string for_preparing(std::string url) const override {
    const auto parsed = parse_sqlite_url(url);
    std::error_code failed;
    const bool is_to_be_made =
        parsed && parsed->mode == sqlite_mode::rwc && !std::filesystem::exists(parsed->path, failed);
    return is_to_be_made ? "sqlite::memory:" : url;
  }

  std::string join_url(const std::vector<std::string>& texts, const std::vector<std::string>& values) const override {
    return join_sqlite_url(texts, values);
  }

  result<std::unique_ptr<session_factory>> make_factory(const database_options& database,
                                                        blocking_executor& blocking) const override {
    return make_sqlite_factory(database, blocking);
  }

  std::optional<failure> run(soci::session& on, const std::string& sql, const text_row& values) const override {
    auto* db = native_sqlite(on);
    auto made = sqlite_statement::prepare(db, {.text = sql}, false);
    if (made.has_error())
      return std::move(made).error();
    std::vector<secret> secrets;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i]) {
        sqlite3_bind_text(made->get(), static_cast<int>(i) + 1, values[i]->data(), static_cast<int>(values[i]->size()),
                          nullptr);
        secrets.push_back({placeholder(i + 1), *values[i]});
      }
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW)
      code = made->step();
    if (code != SQLITE_DONE)
      return made->explained(sqlite_failure(db, code, sql, std::move(secrets)), code);
    return {};
  }

  std::optional<failure> prepare(soci::session& on, const std::string& sql) const override {
    const auto made = sqlite_statement::prepare(native_sqlite(on), {.text = sql}, false);
    return made.has_error() ? std::optional{made.error()} : std::nullopt;
  }

  std::string placeholder(std::size_t n) const override { return '?' + std::to_string(n); }
};

} // namespace

const backend& sqlite_backend() noexcept {
  static const sqlite_kind the;
  return the;
}

} // namespace sheaf
