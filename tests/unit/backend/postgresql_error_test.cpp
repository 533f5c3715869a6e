// SPDX-License-Identifier: BSD-3-Clause
//
// The texts are those of PostgreSQL 15 in English, German and French.

#include "sheaf/backend/postgresql/server_error.hpp"

#include <gmock/gmock.h>

#include <string>

namespace sheaf {
namespace {

constexpr std::string_view portal = "unnamed portal parameter $1 = '...'";

server_error error_of(std::string_view sqlstate, std::string_view message, std::string_view context = {}) {
  server_error e;
  e.sqlstate = sqlstate;
  e.message = message;
  e.context = context;
  return e;
}

failure met(const server_error& e, std::string_view value, std::string sql = "select $1") {
  return failure_of(e, {.text = std::move(sql), .names = {"x"}}, {{":x", value}});
}

std::string said(std::string_view sqlstate, std::string_view message, std::string_view value) {
  return met(error_of(sqlstate, message, portal), value).message;
}

TEST(PostgresqlError, HasNoValueInAnyLanguage) {
  for (const auto* message :
       {"invalid input syntax for type integer: \"hunter2\"", "ungültige Eingabesyntax für Typ integer: »hunter2«",
        "syntaxe en entrée invalide pour le type integer : « hunter2 »"})
    for (const auto* value : {"hunter2", "HUNTER2", "{1,hunter2}", "something else"})
      EXPECT_THAT(said("22P02", message, value), Not(testing::HasSubstr("hunter2"))) << value;
  EXPECT_EQ(said("22P02", "ungültige Eingabesyntax für Typ integer: »hunter2«", "hunter2"),
            "ungültige Eingabesyntax für Typ integer: »‹:x›«");
  EXPECT_EQ(said("22P02", "syntaxe en entrée invalide pour le type integer : « derived »", "hunter2"),
            "syntaxe en entrée invalide pour le type integer : «…»");
  EXPECT_EQ(said("P0001", "refused: hunter2", "hunter2"), "refused: ‹:x›");
  EXPECT_EQ(said("42704", "unbekannter Konfigurationsparameter »hunter2«", "hunter2"),
            "unbekannter Konfigurationsparameter »‹:x›«");
  EXPECT_EQ(said("42P01", "la relation « hunter2 » n'existe pas", "HUNTER2"), "la relation «‹:x›» n'existe pas");
}

TEST(PostgresqlError, HasNoValueInItsHint) {
  auto e = error_of("P0001", "refused");
  e.hint = "do not say hunter2";
  EXPECT_EQ(met(e, "hunter2").message, "refused (do not say ‹:x›)");
}

TEST(PostgresqlError, KeepsTheNameOfAnEncoding) {
  EXPECT_EQ(said("22021", "invalid byte sequence for encoding \"UTF8\": 0xff", "\\xff"),
            "invalid byte sequence for encoding \"UTF8\": …");
  EXPECT_EQ(said("22021", "ungültige Byte-Sequenz für Kodierung »UTF8«: 0xff", "\\xff"),
            "ungültige Byte-Sequenz für Kodierung »UTF8«: …");
}

TEST(PostgresqlError, KeepsTheNamesOfTheSchema) {
  auto e = error_of("23505", "duplicate key value violates unique constraint \"key\"");
  e.names = {"key"};
  EXPECT_EQ(met(e, "monkey").message, e.message);
}

TEST(PostgresqlError, OfTheSqlIsToldAsItIs) {
  auto e = error_of("42703", "column \"id\" does not exist");
  e.position = "8";
  const auto f = met(e, "id");
  EXPECT_EQ(f.message, "column \"id\" does not exist");
  EXPECT_EQ(f.position, 8u);
  EXPECT_FALSE(f.of_value);
}

TEST(PostgresqlError, HasNoPlaceWithinAValue) {
  auto e = error_of("42601", "syntax error at or near \"hunter2\"", "invalid type name \"my hunter2\"");
  e.position = "10";
  const auto f = met(e, "my hunter2");
  EXPECT_EQ(f.message, "syntax error at or near \"‹:x›\"");
  EXPECT_EQ(f.position, 0u);
  EXPECT_TRUE(f.of_value);
}

TEST(PostgresqlError, IsOfAValueWhereTheStatementWasReadWithoutFault) {
  EXPECT_TRUE(met(error_of("42601", "syntax error in tsquery: \"a &\""), "a &").of_value);
  EXPECT_TRUE(met(error_of("42601", "syntax error at end of jsonpath input", portal), "$.").of_value);
  EXPECT_TRUE(met(error_of("22P02", "invalid input syntax for type integer: \"a\"", portal), "a").of_value);
  EXPECT_FALSE(met(error_of("42501", "permission denied for function pg_read_file"), "a").of_value);
  auto in_a_function = error_of("42601", "syntax error at or near \"selekt\"", "PL/pgSQL function f() line 1");
  in_a_function.internal_query = "selekt 1";
  EXPECT_FALSE(met(in_a_function, "a").of_value);
  EXPECT_FALSE(failure_of(error_of("42601", "cannot insert multiple commands"), {.text = "a; b"}, {}).of_value);
}

} // namespace
} // namespace sheaf
