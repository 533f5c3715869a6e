// SPDX-License-Identifier: BSD-3-Clause
//
// The test server without the engine: statements by libpq alone, and psql's output for them.

#pragma once

#include "sheaf/data/pgresult_table.hpp"
#include "sheaf/table.hpp"

#include <libpq-fe.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace sheaf::test {

/// The server's connection string.
inline std::string test_server() {
  const char* conninfo = std::getenv("SHEAF_TEST_POSTGRES");
  if (!conninfo)
    throw std::runtime_error("SHEAF_TEST_POSTGRES is not set: run this by tests/run");
  return conninfo;
}

enum class format : int { text = 0, binary = 1 };

/// One connection, blocking.
class raw_postgres {
public:
  raw_postgres() : connection_(PQconnectdb((test_server() + " client_encoding=UTF8").c_str()), &PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK)
      throw std::runtime_error(PQerrorMessage(connection_.get()));
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
  }

  /// The result of one statement. `parameters` have the types that the statement gives them.
  table run(const std::string& sql, format how = format::text, const std::vector<value>& parameters = {}) {
    std::vector<std::string> texts;
    std::vector<const char*> values;
    texts.reserve(parameters.size());
    values.reserve(parameters.size());
    for (const auto& x : parameters)
      append_postgresql_text(texts.emplace_back(), x);
    for (const auto& x : texts)
      values.push_back(x.c_str());
    pgresult_ptr result{PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                     values.data(), nullptr, nullptr, static_cast<int>(how))};
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      throw std::runtime_error(PQresultErrorMessage(result.get()));
    return table_of(std::move(result));
  }

private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

using csv_row = std::vector<std::optional<std::string>>;

/// Takes apart what `psql --csv --pset=null=<null>` prints.
inline std::vector<csv_row> parse_csv(std::string_view csv, std::string_view null) {
  std::vector<csv_row> rows;
  while (!csv.empty()) {
    auto& row = rows.emplace_back();
    for (char end = ','; end == ',';) {
      std::string field;
      const bool quoted = csv.starts_with('"');
      if (quoted) {
        csv.remove_prefix(1);
        for (; !csv.starts_with('"') || csv.starts_with("\"\""); csv.remove_prefix(1)) {
          if (csv.starts_with('"'))
            csv.remove_prefix(1);
          field += csv.at(0);
        }
        csv.remove_prefix(1);
      } else {
        field = csv.substr(0, csv.find_first_of(",\n"));
        csv.remove_prefix(field.size());
      }
      row.push_back(!quoted && field == null ? std::nullopt : std::optional{std::move(field)});
      end = csv.at(0);
      csv.remove_prefix(1);
    }
  }
  return rows;
}

/// The rows that psql prints for a query, without their header.
inline std::vector<csv_row> psql(const std::string& sql) {
  const char* folder = std::getenv("TMPDIR");
  std::string path = std::string(folder ? folder : "/tmp") + "/sheaf_psql.XXXXXX";
  const int file = mkstemp(path.data());
  if (file < 0)
    throw std::runtime_error("no temporary file for psql");
  close(file);
  std::ofstream{path} << sql << ';';
  // The shell, not we, puts the connection string where it belongs.
  const auto command = "PGCLIENTENCODING=UTF8 psql --csv --tuples-only --no-psqlrc --set=ON_ERROR_STOP=1 "
                       "--pset='null=<null>' --dbname=\"$SHEAF_TEST_POSTGRES\" --file='" +
                       path + '\'';
  auto* pipe = popen(command.c_str(), "r");
  std::string out;
  char buffer[4096];
  while (const auto size = pipe ? std::fread(buffer, 1, sizeof buffer, pipe) : 0)
    out.append(buffer, size);
  const int status = pipe ? pclose(pipe) : -1;
  std::remove(path.c_str());
  if (status != 0)
    throw std::runtime_error("psql failed");
  return parse_csv(out, "<null>");
}

} // namespace sheaf::test
