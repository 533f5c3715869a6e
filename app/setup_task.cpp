// SPDX-License-Identifier: BSD-3-Clause

#include "setup_task.hpp"

#include "csv.hpp"
#include "text_file.hpp"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <fmt/format.h>

#include <memory>

namespace sheaf::app {

namespace {

/// A scenario's rows are read into memory.
constexpr std::size_t csv_mebibytes_max = 256;

[[noreturn]] void fail(errc code, std::string message) {
  throw error({.code = code, .phase = phase::execute, .message = std::move(message), .reached_server = true});
}

/// `"a""b"`: a name as SQL takes it, whatever is in it.
std::string as_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name)
    out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

using row = std::vector<std::optional<std::string>>;

/// Statements on a session's own handle: SOCI would look for parameters in them, and run several in one string.
class connection {
public:
  virtual ~connection() = default;
  virtual void run(const std::string& sql, const row& values) = 0;
  virtual std::string placeholder(std::size_t n) const = 0;
};

class postgresql_connection final : public connection {
public:
  explicit postgresql_connection(PGconn* conn) : conn_(conn) {}

  void run(const std::string& sql, const row& values) override {
    std::vector<const char*> texts;
    for (const auto& x : values)
      texts.push_back(x ? x->c_str() : nullptr);
    const std::unique_ptr<PGresult, decltype(&PQclear)> done{
        PQexecParams(conn_, sql.c_str(), static_cast<int>(texts.size()), nullptr, texts.data(), nullptr, nullptr, 0),
        PQclear};
    const auto status = PQresultStatus(done.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
      return;
    const char* state = PQresultErrorField(done.get(), PG_DIAG_SQLSTATE);
    const char* message = PQresultErrorField(done.get(), PG_DIAG_MESSAGE_PRIMARY);
    fail(state ? code_of_sqlstate(state) : errc::connection_lost, message ? message : "the connection was lost");
  }
  std::string placeholder(std::size_t n) const override { return fmt::format("${}", n); }

private:
  PGconn* conn_;
};

class sqlite_connection final : public connection {
public:
  explicit sqlite_connection(sqlite_api::sqlite3* db) : db_(db) {}

  void run(const std::string& sql, const row& values) override {
    using namespace sqlite_api;
    sqlite3_stmt* made = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &made, &rest) != SQLITE_OK)
      fail(errc::rejected_sql, sqlite3_errmsg(db_));
    const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement{made, sqlite3_finalize};
    if (std::string_view{rest}.find_first_not_of(" \t\r\n;") != std::string_view::npos)
      fail(errc::rejected_sql, "there is more than one statement");
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i])
        sqlite3_bind_text(made, static_cast<int>(i) + 1, values[i]->data(), static_cast<int>(values[i]->size()),
                          nullptr);
    int code = SQLITE_ROW;
    while (made && code == SQLITE_ROW)
      code = sqlite3_step(made);
    if (made && code != SQLITE_DONE)
      fail(code == SQLITE_CONSTRAINT ? errc::constraint_violated : errc::rejected_sql, sqlite3_errmsg(db_));
  }
  std::string placeholder(std::size_t n) const override { return fmt::format("?{}", n); }

private:
  sqlite_api::sqlite3* db_;
};

/// By its name: Debian's library hides the type's identity from dynamic_cast (SOCI 4.0.3).
std::unique_ptr<connection> connection_of(soci::session& s) {
  auto* backend = s.get_backend();
  if (backend->get_backend_name() == "postgresql")
    return std::make_unique<postgresql_connection>(static_cast<soci::postgresql_session_backend*>(backend)->conn_);
  return std::make_unique<sqlite_connection>(static_cast<soci::sqlite3_session_backend*>(backend)->conn_);
}

std::size_t load_csv(connection& to, const setup_spec& step) {
  const auto text = read_text_file(step.csv.string(), csv_mebibytes_max);
  if (text.has_error())
    fail(errc::invalid_request, fmt::format("{}: {}", step.csv.string(), text.error().message));
  const auto parsed = parse_csv(*text);
  if (parsed.has_error())
    fail(errc::invalid_request, fmt::format("{}: {}", step.csv.string(), parsed.error().message));
  std::string names, places;
  for (std::size_t i = 0; i < parsed->columns.size(); ++i) {
    names += (i > 0 ? ", " : "") + as_identifier(parsed->columns[i]);
    places += (i > 0 ? ", " : "") + to.placeholder(i + 1);
  }
  const auto sql = fmt::format("insert into {} ({}) values ({})", as_identifier(step.into), names, places);
  for (std::size_t i = 0; i < parsed->rows.size(); ++i)
    try {
      to.run(sql, parsed->rows[i]);
    } catch (const error& e) {
      fail(e.why().code, fmt::format("{}: line {}: {}", step.csv.string(), parsed->lines[i], e.why().message));
    }
  return parsed->rows.size();
}

} // namespace

query make_setup_query(std::span<const setup_spec> steps, std::string name) {
  auto made =
      query::of_task(std::move(name), [all = std::vector<setup_spec>(steps.begin(), steps.end())](soci::session& s) {
        const auto to = connection_of(s);
        std::size_t rows = 0;
        to->run("begin", {});
        for (const auto& step : all)
          if (step.csv.empty())
            to->run(step.sql, {});
          else
            rows += load_csv(*to, step);
        to->run("commit", {});
        return rows;
      });
  made.database = steps.front().database;
  return made;
}

} // namespace sheaf::app
