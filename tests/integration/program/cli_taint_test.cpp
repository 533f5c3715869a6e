// SPDX-License-Identifier: BSD-3-Clause
//
// No output of the program has a parameter's value, a password or a variable in it, however it fails.

#include "integration/program/sheaf_file_command.hpp"
#include "support/postgresql_server.hpp"
#include "support/tainted_queries.hpp"

#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

#include <span>

namespace {

using namespace sheaf::test;
using cli::finished;
using cli::words;

class CliTaint : public cli::SheafFileCommand {
protected:
  CliTaint() {
    schema.server(taint_schema);
    cli::run({"sqlite3", "taint.db",
              "create virtual table words using fts5(word); create table unique_text(x primary key); "
              "insert into unique_text values ('zqTaint7mark')"},
             {.directory = folder.path()});
  }

  /// It told of a failure, for this reason if one is given, and without the mark.
  static void expect_clean(const finished& x, std::string_view reason = {}) {
    EXPECT_NE((x.out + x.err).find(reason), std::string::npos) << x.out << x.err;
    EXPECT_FALSE(is_tainted(x.out)) << x.out;
    EXPECT_FALSE(is_tainted(x.err)) << x.err;
    EXPECT_FALSE((x.out + x.err).empty());
    EXPECT_NE(x.exit_code, -1) << x.err;
  }

  /// All at once, each with a parameter of its own, in a format.
  void query_all(const std::string& url, std::span<const tainted_query> all, const std::string& format) {
    words command{"query", url, "--on-error", "partial", "--width", "4", "--format", format, "--timeline"};
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::string sql = all[i].sql;
      sql.replace(sql.find(":x"), 2, ":x" + std::to_string(i));
      command.push_back(std::move(sql));
      command.insert(command.end(), {"-p", "x" + std::to_string(i) + ":text=" + all[i].value});
    }
    expect_clean(sheaf(command), "rejected_sql");
  }

  /// A file with a request and a scenario for each query; the values are variables, and so is a password.
  void write_file(std::string_view url, std::span<const tainted_query> all) {
    const auto quoted = [](std::string_view text) { return boost::json::serialize(boost::json::string{text}); };
    std::string requests = "requests:\n", steps;
    for (std::size_t i = 0; i < all.size(); ++i) {
      requests += "  r" + std::to_string(i) +
                  ": {parameters: {x: {type: text}}, queries: {q: {sql: " + quoted(all[i].sql) + "}}}\n";
      steps += "    - {request: r" + std::to_string(i) + ", with: {x: " + quoted(all[i].value) + "}}\n";
    }
    write("taint.yaml",
          "databases: {main: {url: " + quoted(url) + "}}\n" + requests + "scenarios:\n  all:\n    steps:\n" + steps);
  }

  postgresql_schema schema;
  const std::map<std::string, std::string> variables{{"TAINT", std::string{taint}}};
};

TEST_F(CliTaint, QueriesShowNoParameter) {
  for (const char* format : {"table", "json", "ndjson"}) {
    query_all(schema.url(), tainted_on_postgresql, format);
    query_all("sqlite:taint.db", tainted_on_sqlite, format);
  }
}

TEST_F(CliTaint, RunsAndLoadsShowNoParameterAndNoVariable) {
  for (const auto& [url, all] :
       {std::pair{schema.url() + " password=${TAINT}", std::span<const tainted_query>{tainted_on_postgresql}},
        std::pair{std::string{"sqlite:taint.db"}, std::span<const tainted_query>{tainted_on_sqlite}}}) {
    write_file(url, all);
    expect_clean(sheaf({"run", "taint.yaml", "r0", "-p", "x=${TAINT}", "--format", "json"}, variables), "rejected_sql");
    for (const char* format : {"table", "json", "junit"})
      expect_clean(sheaf({"run", "taint.yaml", "all", "--format", format, "--timeline"}, variables), "rejected_sql");
    expect_clean(
        sheaf({"bench", "taint.yaml", "all", "--clients", "1", "--duration", "300ms", "--warm-up", "0"}, variables),
        "rejected_sql");
  }
}

TEST_F(CliTaint, DatabasesThatCannotBeReachedShowNoPassword) {
  const auto server = cli::postgres();
  const auto locked = server.substr(0, server.find("user=")) + "user=sheaf_locked password=";
  const tainted_query any[]{{"select :x", "x"}};
  for (const auto& url : std::initializer_list<std::string>{
           locked + "${TAINT}", locked + "'${TAINT}'", locked + "${TAINT} sslmode=require",
           server + " port=1 password=${TAINT}", server + " options='-c ${TAINT}=1'",
           std::string{"postgresql://u:${TAINT}@127.0.0.1:1/db"},
           std::string{"postgresql://u:p@${TAINT}@127.0.0.1:1/db"},
           std::string{"postgresql://u:p/${TAINT}@127.0.0.1:1/db"}, std::string{"postgresql://u:p@zqTaint7mark@h/db"},
           std::string{"postgresql://u:1/zqTaint7mark@127.0.0.1:1/db"}, std::string{"host=u:zqTaint7mark@h"},
           std::string{"oracle://u:${TAINT}@h/db"}, std::string{"host=h password='${TAINT}"},
           std::string{"postgresql://u:${zqTaint7mark!}@h/db"}}) {
    write_file(url, any);
    expect_clean(sheaf({"check", "taint.yaml", "--connect"}, variables));
    expect_clean(sheaf({"run", "taint.yaml", "r0", "-p", "x=1"}, variables));
    expect_clean(sheaf({"run", "taint.yaml", "all", "--format", "junit"}, variables));
    expect_clean(sheaf({"bench", "taint.yaml", "all", "--clients", "1", "--duration", "100ms"}, variables));
  }
  // Within braces a comma ends a text that has no quotes, and the rest of a password is a key.
  write("comma.yaml",
        "databases: {main: {url: postgresql://u:p,zqTaint7mark@h/db}}\nrequests: {a: {queries: {b: select 1}}}\n");
  expect_clean(sheaf({"check", "comma.yaml"}));
}

TEST_F(CliTaint, CommandLinesThatAreRefusedShowNoValue) {
  for (const words& command : std::initializer_list<words>{
           {"query", "host=h", "password=zqTaint7mark"},
           {"query", "postgresql://u:p@zqTaint7mark@h/db", "select 1"},
           {"query", cli::memory, "select 1", "-p", "zqTaint7mark"},
           {"query", cli::memory, "select 1", "-p", "x=zqTaint7mark"},
           {"query", cli::memory, "select :x", "-p", "x:int=zqTaint7mark"},
           {"query", cli::memory, "select :x", "-p", "x:zqTaint7mark=1"},
           {"check", "taint.yaml", "PW=zqTaint7mark"},
           {"run", "taint.yaml", "r0", "more", "PW=zqTaint7mark"},
           {"run", "taint.yaml", "-D", "zqTaint7mark"},
       })
    expect_clean(sheaf(command));
}

} // namespace
