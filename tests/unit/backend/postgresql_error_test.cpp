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

/// The server reads an array, JSON, a row or hstore, and repeats a text within without its escapes.
TEST(PostgresqlError, HasNoValueWithoutItsEscapes) {
  const auto told = [](std::string_view quoted, value x) {
    const parsed_statement text{.text = "select $1", .names = {"x"}};
    const parameters values{{"x", std::move(x)}};
    const sent_values sent{text, values};
    const auto message = "invalid input syntax for type integer: \"" + std::string{quoted} + '"';
    return failure_of(error_of("22P02", message, portal), text, sent.secrets()).message;
  };
  const std::string as_expected = "invalid input syntax for type integer: \"‹:x›\"";
  EXPECT_EQ(told("hid\"den1", value::array{"hid\"den1"}), as_expected);
  EXPECT_EQ(told("o\"hara\\smith", value::array{"O\"Hara\\Smith"}), as_expected);
  EXPECT_THAT(told("pin 4711\\98", value::array{"1", "pin 4711\\98"}),
              Not(testing::AnyOf(testing::HasSubstr("4711"), testing::HasSubstr("98"))));
  EXPECT_EQ(told("k\"1234", R"({"pin":"k\"1234"})"), as_expected);
  EXPECT_EQ(told("k\"12", R"(a=>"k\"12")"), as_expected);
  EXPECT_EQ(told("k \"12\"z", R"((1,"k ""12""z"))"), as_expected);
  EXPECT_EQ(told("kä\t12", R"({"pin":"k\u00e4\t12"})"), as_expected);
  EXPECT_EQ(told("漢🎉", R"({"pin":"\u6f22\ud83c\udf89"})"), as_expected);
  for (const char* cut : {"{\"", "{\"a\\", "{\"a\\u", "{\"a\\u12", "{\"a\\ud83c\\u", "\"\"", "\"\"\""})
    EXPECT_EQ(told(cut, cut).find("integer: \"{"), std::string::npos) << cut;
}

TEST(PostgresqlError, HasNoValueInItsHint) {
  auto e = error_of("P0001", "refused");
  e.hint = "do not say hunter2";
  EXPECT_EQ(met(e, "hunter2").message, "refused (do not say ‹:x›)");
}

TEST(PostgresqlError, HasNoValueInItsDetails) {
  auto e = error_of("23505", "duplicate key value violates unique constraint \"user_email_key\"");
  e.detail = "Key (email)=(a@b.c) already exists.";
  e.table = "user";
  e.constraint = "user_email_key";
  auto f = met(e, "a@b.c");
  EXPECT_EQ(f.detail, "Key (email)=(‹:x›) already exists.");
  EXPECT_EQ(f.table, "user");
  EXPECT_EQ(f.constraint, "user_email_key");
  EXPECT_EQ(met(e, "another").detail, "Key (email)=(…) already exists.") << "a trigger may have made it of the value";
  e.detail = "Schlüssel »(lower(email), id)=(a)=(b@b.c, 7)« existiert bereits.";
  EXPECT_EQ(met(e, "another").detail, "Schlüssel »(lower(email), id)=(…)« existiert bereits.");

  e = error_of("23514", "new row for relation \"t\" violates check constraint \"t_y_check\"");
  e.detail = "Failing row contains (7, hunter2, a)=(b, 1).";
  EXPECT_EQ(met(e, "hunter2").detail, "Failing row contains (…‹:x›…).");
  e.detail = "Die fehlgeschlagene Zeile enthält (7, hunter2).";
  EXPECT_EQ(met(e, "007").detail, "Die fehlgeschlagene Zeile enthält (…).");
  EXPECT_EQ(failure_of(e, {.text = "insert"}, {}).detail, e.detail) << "there is no value";

  e = error_of("22P02", "invalid input syntax for type json", portal);
  e.detail = "Token \"hunter2\" is invalid.";
  EXPECT_EQ(met(e, "{\"a\": hunter2}").detail, "Token \"‹:x›\" is invalid.");
}

TEST(PostgresqlError, HasNoValueInItsContext) {
  auto e = error_of("P0001", "refused");
  e.context = "SQL statement \"select 'hunter2'\"\nPL/pgSQL function f() line 1 at EXECUTE";
  EXPECT_EQ(met(e, "hunter2").context, "SQL statement \"‹:x›\"\nPL/pgSQL function f() line 1 at EXECUTE");
  e.context = "PL/pgSQL function f(text) line 1 at RAISE\nunnamed portal with parameters: $1 = 'hunt...', $2 = NULL";
  EXPECT_EQ(met(e, "hunter2").context, "PL/pgSQL function f(text) line 1 at RAISE\nunnamed portal with parameters: $1");
}

TEST(PostgresqlError, HasNoValueForAName) {
  auto e = error_of("P0001", "refused");
  e.table = e.column = e.constraint = "hunter2";
  e.names = {"hunter2"};
  const auto f = met(e, "hunter2");
  EXPECT_EQ(f.table + f.column + f.constraint, "‹:x›‹:x›‹:x›");
}

TEST(PostgresqlError, KeepsAContextOfSeveralLinesAndOfBoundedSize) {
  auto e = error_of("P0001", "refused");
  e.context = "one\r\ntwo\x1b";
  EXPECT_EQ(met(e, "x").context, "one \ntwo");
  const std::string large(10'000, 'x');
  e.context = large;
  EXPECT_EQ(failure_of(e, {}, {}).context, std::string(4096, 'x') + "…");
}

TEST(PostgresqlError, IsToldWithoutDetailsBesideValuesOfManyMebibytes) {
  auto e = error_of("23505", "duplicate key");
  e.detail = "Key (x)=(a) already exists.";
  const std::string large(5 << 20, 'z');
  EXPECT_EQ(met(e, large).detail, "");
  EXPECT_EQ(met(e, large).message, "duplicate key");
}

TEST(PostgresqlNotice, HasNoValue) {
  auto e = error_of("00000", "heard hunter2", "PL/pgSQL function f(text) line 1 at RAISE");
  e.severity = "NOTICE";
  e.detail = "of hunter2";
  e.hint = "HUNTER2";
  const auto x = notice_of(e, "select f($1)", {{":x", "hunter2"}});
  EXPECT_EQ(x.severity, "NOTICE");
  EXPECT_EQ(x.sqlstate, "00000");
  EXPECT_EQ(x.message, "heard ‹:x›");
  EXPECT_EQ(x.detail, "of ‹:x›");
  EXPECT_EQ(x.hint, "‹:x›");
  EXPECT_EQ(x.context, "PL/pgSQL function f(text) line 1 at RAISE");
  EXPECT_EQ(notice_of(e, "select f('hunter2')", {}).message, "heard hunter2") << "there is no value";
}

TEST(PostgresqlNotice, OfATaskHasNothingThatMayBeAValue) {
  auto e = error_of("00000", "heard hunter2", "PL/pgSQL function f(text) line 1 at RAISE");
  e.severity = "NOTICE";
  EXPECT_EQ(notice_of(e).message, "…");
  e = error_of("00000", "table \"hunter2\" does not exist, skipping");
  EXPECT_EQ(notice_of(e).message, "table \"…\" does not exist, skipping");
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
