// SPDX-License-Identifier: BSD-3-Clause

#include "native_connection.hpp"

#include "text.hpp"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

namespace sheaf::app {

namespace {

failure refusal(errc code, std::string message) {
  return {.code = code, .phase = phase::execute, .message = std::move(message), .reached_server = true};
}

class postgresql_connection final : public native_connection {
public:
  explicit postgresql_connection(PGconn* conn) : conn_(conn) {}

  void run(const std::string& sql, const row& values) override {
    std::vector<const char*> texts;
    for (const auto& x : values)
      texts.push_back(x ? x->c_str() : nullptr);
    const answer done{
        PQexecParams(conn_, sql.c_str(), static_cast<int>(texts.size()), nullptr, texts.data(), nullptr, nullptr, 0),
        PQclear};
    if (auto why = failure_of(done))
      throw error(std::move(*why));
  }

  /// The unnamed statement: the next one takes its place, and it ends with the session (PostgreSQL manual, "Extended
  /// Query").
  std::optional<failure> refusal_of(const std::string& sql) override {
    return failure_of(answer{PQprepare(conn_, "", sql.c_str(), 0, nullptr), PQclear});
  }

  std::string placeholder(std::size_t n) const override { return fmt::format("${}", n); }

private:
  using answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

  static std::optional<failure> failure_of(const answer& x) {
    const auto status = PQresultStatus(x.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
      return {};
    const char* state = PQresultErrorField(x.get(), PG_DIAG_SQLSTATE);
    const char* message = PQresultErrorField(x.get(), PG_DIAG_MESSAGE_PRIMARY);
    auto why =
        refusal(state ? code_of_sqlstate(state) : errc::connection_lost, message ? message : "the connection was lost");
    why.sqlstate = state ? state : "";
    if (const char* position = PQresultErrorField(x.get(), PG_DIAG_STATEMENT_POSITION))
      why.position = std::strtoul(position, nullptr, 10);
    return why;
  }

  PGconn* conn_;
};

class sqlite_connection final : public native_connection {
public:
  explicit sqlite_connection(sqlite_api::sqlite3* db) : db_(db) {}

  void run(const std::string& sql, const row& values) override {
    using namespace sqlite_api;
    const auto made = prepare(sql);
    if (auto why = refusal_of(sql, made))
      throw error(std::move(*why));
    auto* statement = made.statement.get();
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i])
        sqlite3_bind_text(statement, static_cast<int>(i) + 1, values[i]->data(), static_cast<int>(values[i]->size()),
                          nullptr);
    int code = SQLITE_ROW;
    while (statement && code == SQLITE_ROW)
      code = sqlite3_step(statement);
    if (statement && code != SQLITE_DONE)
      throw error(
          refusal(code == SQLITE_CONSTRAINT ? errc::constraint_violated : errc::rejected_sql, sqlite3_errmsg(db_)));
  }

  std::optional<failure> refusal_of(const std::string& sql) override { return refusal_of(sql, prepare(sql)); }

  std::string placeholder(std::size_t n) const override { return fmt::format("?{}", n); }

private:
  struct prepared {
    std::unique_ptr<sqlite_api::sqlite3_stmt, decltype(&sqlite_api::sqlite3_finalize)> statement;
    int code;
    std::string_view rest;
  };

  prepared prepare(const std::string& sql) const {
    using namespace sqlite_api;
    sqlite3_stmt* made = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v2(db_, sql.c_str(), -1, &made, &rest);
    return {{made, sqlite3_finalize}, code, rest ? rest : ""};
  }

  std::optional<failure> refusal_of(const std::string& sql, const prepared& made) const {
    using namespace sqlite_api;
    if (made.code != SQLITE_OK) {
      auto why = refusal(errc::rejected_sql, sqlite3_errmsg(db_));
      const int offset = sqlite3_error_offset(db_);
      std::string_view before{sql.data(), offset < 0 ? 0 : static_cast<std::size_t>(offset)};
      if (offset >= 0)
        for (why.position = 1; !before.empty(); ++why.position)
          before.remove_prefix(first_character(before).size);
      return why;
    }
    if (made.rest.find_first_not_of(" \t\r\n;") != std::string_view::npos)
      return refusal(errc::rejected_sql, "there is more than one statement");
    return {};
  }

  sqlite_api::sqlite3* db_;
};

} // namespace

/// By its name: Debian's library hides the type's identity from dynamic_cast (SOCI 4.0.3).
std::unique_ptr<native_connection> connection_of(soci::session& s) {
  auto* backend = s.get_backend();
  if (backend->get_backend_name() == "postgresql")
    return std::make_unique<postgresql_connection>(static_cast<soci::postgresql_session_backend*>(backend)->conn_);
  return std::make_unique<sqlite_connection>(static_cast<soci::sqlite3_session_backend*>(backend)->conn_);
}

} // namespace sheaf::app
