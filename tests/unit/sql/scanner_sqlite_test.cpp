// SPDX-License-Identifier: BSD-3-Clause
//
// The scanner against SQLite, which has to find the same parameters, with the same numbers, in random statements from
// pieces of SQL. The seeds are fixed, so a failure comes again.

#include "sheaf/sql/scanner.hpp"
#include "sheaf/statement.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <optional>
#include <random>

namespace sheaf {
namespace {

class sqlite {
public:
  sqlite() {
    sqlite3_open(":memory:", &db_);
    // Words in quotes may name a column that is not there; then SQLite takes them for text.
    sqlite3_exec(db_, "create table t (a, b, \"q:a\", \"[\")", nullptr, nullptr, nullptr);
  }
  ~sqlite() { sqlite3_close(db_); }
  sqlite(const sqlite&) = delete;
  sqlite& operator=(const sqlite&) = delete;

  /// The parameters of `sql` as SQLite names them; nothing when it does not parse or something follows it.
  std::optional<std::vector<std::string>> parameters_of(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, &rest);
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> owner{statement, sqlite3_finalize};
    if (!statement || *rest != '\0')
      return {};
    std::vector<std::string> names;
    for (int i = 1; i <= sqlite3_bind_parameter_count(statement); ++i) {
      const auto* name = sqlite3_bind_parameter_name(statement, i);
      names.emplace_back(name ? name : "?");
    }
    return names;
  }

private:
  sqlite3* db_ = nullptr;
};

TEST(ScannerAndSqlite, FindTheSameParameters) {
  const std::vector<std::string> operands{
      ":a",
      ":b",
      ":größe",
      ":a$1",
      "':a'",
      "'it''s :b'",
      "\"q:a\"",
      "[q:a]",
      "`q:a`",
      "x'00'",
      "1",
      "2.5e3",
      "a",
      "b",
      "(:c)",
      "f",
      "count(:d)",
      "a [x:y]",
      "1 as \"r:s\"",
      "null as [--]",
      "'--'",
      "\"/*\"",
      "'\\'",
      "[[]",
      "'$$'",
      "e'x'",
      "\"''\"",
      "`\"`",
      "'`'",
      ":_1",
      "''':a'''",
      "\"\"\":a\"",
      "E'\\'",
      ":limit",
  };
  const std::vector<std::string> between{
      ",",         " , ",          "+",         "||",           "-- :x '\n,",
      "/* :y */,", ",/* /* :z */", ",/*/ ' */", ", -- \r :x\n", "\n/**/\t,",
      "= /*\"*/",  " is not ",     " and ",     "->>",          "- - ",
  };
  sqlite db;
  std::mt19937_64 random{1618};
  std::size_t compared = 0, with_parameters = 0;
  for (int round = 0; round < 40'000; ++round) {
    std::string sql = "select ";
    for (auto n = 1 + random() % 5; n > 0; --n)
      sql += operands[random() % operands.size()] + (n > 1 ? between[random() % between.size()] : "");
    sql += random() % 2 ? " from t limit:n" : " from t where b=:a--:z";
    const auto native = db.parameters_of(sql);
    if (!native)
      continue;
    ++compared;
    const auto parsed = parse_statement(sql, dialect::sqlite, {});
    std::vector<std::string> ours;
    for (const auto& name : parsed.names)
      ours.push_back(":" + name);
    ASSERT_EQ(ours, *native) << sql;
    ASSERT_EQ(parsed.text, sql);
    with_parameters += ours.size() > 1;
  }
  EXPECT_GT(compared, 5'000u);
  EXPECT_GT(with_parameters, 2'000u);
}

TEST(ScannerAndSqlite, KnowTheSameOtherParameters) {
  sqlite db;
  for (const std::string sql : {"select ?", "select ?7", "select @x, 1", "select $x", "select $x::y(z)", "select :1",
                                "select :1a", "select @x(:y)"}) {
    ASSERT_EQ(db.parameters_of(sql)->empty(), false) << sql;
    const auto parsed = parse_statement(sql, dialect::sqlite, {});
    EXPECT_TRUE(parsed.positional) << sql;
    EXPECT_EQ(parsed.text, sql);
  }
}

} // namespace
} // namespace sheaf
