// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/data/pgresult_table.hpp"
#include "sheaf/table.hpp"
#include "sheaf/table_builder.hpp"

#include <libpq-fe.h>
#include <sqlite3.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <random>

namespace sheaf {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Three columns of SQLite's kind, two rows.
table books() {
  table_builder b{{{"id", 0, "INTEGER"}, {"title", 0, "TEXT"}, {"price", 0, ""}}};
  b.add_integer(1);
  b.add_text("Actors");
  b.add_real(9.5);
  b.add_integer(2);
  b.add_null();
  b.add_blob(std::string_view("\0x", 2));
  return b.finish(7);
}

std::string message_of(auto&& read) {
  try {
    read();
  } catch (const error& e) {
    EXPECT_EQ(e.why().code, errc::bad_read);
    EXPECT_THAT(e.why().message, Not(HasSubstr("\n")));
    return e.why().message;
  }
  return "nothing was thrown";
}

TEST(Table, OfNothingIsEmpty) {
  const table nothing;
  EXPECT_EQ(nothing.rows(), 0U);
  EXPECT_EQ(nothing.columns(), 0U);
  EXPECT_TRUE(nothing.empty());
  EXPECT_EQ(nothing.bytes(), 0U);
  EXPECT_EQ(nothing.affected_rows(), 0U);
  EXPECT_EQ(nothing.cell_at(0, 0).encoding, encoding::null);
  EXPECT_FALSE(nothing.find_column("x"));
  EXPECT_FALSE(nothing.try_get<int>(0, 0));
}

TEST(Table, HasRowsColumnsAndValues) {
  const auto t = books();
  EXPECT_EQ(t.rows(), 2U);
  EXPECT_EQ(t.columns(), 3U);
  EXPECT_EQ(t.column_at(1).name, "title");
  EXPECT_EQ(t.column_at(1).type, "TEXT");
  EXPECT_EQ(t.get<int>(1, "id"), 2);
  EXPECT_EQ(t.get<std::string>(0, 1), "Actors");
  EXPECT_EQ(t.get<double>(0, "price"), 9.5);
  EXPECT_TRUE(t.is_null(1, 1));
  EXPECT_FALSE(t.is_null(0, 1));
  EXPECT_EQ(t.affected_rows(), 7U);
  EXPECT_EQ(t.bytes(), 8U + 6 + 8 + 8 + 2);
}

TEST(Table, GivesTextForEverythingButNull) {
  const auto t = books();
  EXPECT_EQ(t.text(0, 0), "1");
  EXPECT_EQ(t.text(0, 2), "9.5");
  EXPECT_EQ(t.text(1, 1), std::nullopt);
  EXPECT_EQ(t.text(1, 2), std::string("\0x", 2));
  std::string out = "> ";
  EXPECT_TRUE(t.append_text(out, 0, 1));
  EXPECT_FALSE(t.append_text(out, 1, 1));
  EXPECT_EQ(out, "> Actors");
}

TEST(Table, SharesItsRowsWithItsCopies) {
  auto first = std::make_unique<table>(books());
  const table second = *first;
  const auto view = first->get<std::string_view>(0, 1);
  first.reset();
  EXPECT_EQ(view, "Actors");
  EXPECT_EQ(second.get<std::string_view>(0, 1).data(), view.data());
}

TEST(Table, TellsWhichRowColumnAndTypesDoNotFit) {
  const auto t = books();
  EXPECT_EQ(message_of([&] { t.get<int>(0, "title"); }), "row 0, column 1 \"title\": text is not read as std::int32_t");
  EXPECT_EQ(message_of([&] { t.get<std::string>(1, 1); }),
            "row 1, column 1 \"title\": NULL (TEXT) cannot be read as std::string; use std::optional or coalesce");
  EXPECT_EQ(message_of([&] { t.get<std::optional<bool>>(1, 0); }),
            "row 1, column 0 \"id\": integer value out of range for std::optional<bool>");
  EXPECT_EQ(message_of([&] { t.get<std::vector<int>>(0, 2); }),
            "row 0, column 2 \"price\": real is not read as std::vector<std::int32_t>");
}

TEST(Table, TellsWhichColumnThereIsNot) {
  const auto t = books();
  EXPECT_EQ(message_of([&] { t.get<std::uint8_t>(1, "prize"); }),
            "row 1 as std::uint8_t, column \"prize\": no column has this name; there are \"id\", \"title\", \"price\"");
  EXPECT_EQ(t.try_get<std::uint8_t>(1, "prize").error().message, message_of([&] { t.get<std::uint8_t>(1, "prize"); }));
  EXPECT_EQ(t.find_column("ID").error().code, errc::bad_read);
  EXPECT_EQ(*t.find_column("price"), 2U);
  EXPECT_THAT(message_of([&] { t.column_at(3); }), HasSubstr("no column 3"));
}

TEST(Table, TellsWhenAnIndexIsOutOfRange) {
  const auto t = books();
  EXPECT_EQ(message_of([&] { t.get<bool>(2, 0); }),
            "row 2, column 0 \"id\": INTEGER as bool: out of range, the table has 2 rows and 3 columns");
  EXPECT_EQ(message_of([&] { t.get<date>(0, 3); }),
            "row 0, column 3 as sheaf::date: out of range, the table has 2 rows and 3 columns");
  EXPECT_THAT(message_of([&] { t.text(9, 9); }), HasSubstr("out of range"));
  EXPECT_TRUE(t.is_null(9, 9));
}

TEST(Table, RefusesANameThatSeveralColumnsShare) {
  table_builder b{{{"id", 23, "int4"}, {"x", 25, "text"}, {"id", 20, "int8"}}};
  b.add_text("1");
  b.add_text("");
  b.add_text("2");
  const auto t = b.finish();
  EXPECT_EQ(message_of([&] { t.get<int>(0, "id"); }),
            "row 0 as std::int32_t, column \"id\": 2 columns have this name, use an index: 0 (int4), 2 (int8)");
  EXPECT_FALSE(t.find_column("id"));
  EXPECT_EQ(t.get<int>(0, 2), 2);
}

TEST(Table, KeepsMessagesOnOneShortLine) {
  table_builder b{{{"a\nb\t" + std::string(63, 'x') + "äöü", 0, "odd\ntype" + std::string(5000, 'y')}}};
  b.add_null();
  const auto t = b.finish();
  const auto message = message_of([&] { t.get<int>(0, 0); });
  EXPECT_LT(message.size(), 300U);
  EXPECT_THAT(message, AllOf(HasSubstr("a b x"), HasSubstr("odd type"), HasSubstr("…")));
  EXPECT_LT(message_of([&] { t.get<int>(0, std::string(100'000, 'z')); }).size(), 400U);
}

TEST(Table, GivesItsOnlyCellAsScalar) {
  table_builder b{{{"n", 0, ""}}};
  b.add_integer(5);
  EXPECT_EQ(b.finish().scalar<int>(), 5);
  EXPECT_EQ(message_of([] { books().scalar<int>(); }),
            "scalar as std::int32_t needs one row and one column; the table has 2 rows and 3 columns, row 0, column 0 "
            "\"id\" INTEGER");
  EXPECT_THAT(message_of([] { table{}.scalar<int>(); }), HasSubstr("0 rows and 0 columns"));
}

TEST(Table, MayHaveNoColumnsOrNoRowsOrManyColumns) {
  table_builder none{{}};
  none.add_empty_rows(3);
  const auto rows_only = none.finish();
  EXPECT_EQ(rows_only.rows(), 3U);
  EXPECT_EQ(rows_only.columns(), 0U);

  const auto columns_only = table_builder{{{"a", 0, ""}}}.finish();
  EXPECT_TRUE(columns_only.empty());
  EXPECT_EQ(columns_only.columns(), 1U);

  std::vector<column> many;
  many.reserve(1600);
  for (int i = 0; i < 1600; ++i)
    many.push_back({"c" + std::to_string(i), 0, ""});
  table_builder wide{many};
  for (int i = 0; i < 3200; ++i)
    wide.add_integer(i);
  EXPECT_EQ(wide.rows(), 2U);
  EXPECT_EQ(wide.finish().get<int>(1, "c1599"), 3199);
}

TEST(TableBuilder, CountsWhatItHasAndStartsAgainAfterwards) {
  table_builder b{{{"a", 0, ""}, {"b", 0, ""}}};
  b.add_text("abc");
  EXPECT_EQ(b.rows(), 0U);
  b.add_integer(1);
  EXPECT_EQ(b.rows(), 1U);
  EXPECT_EQ(b.bytes(), 16U + 3 + 16);
  const auto t = b.finish();
  EXPECT_EQ(b.rows(), 0U);
  EXPECT_EQ(b.bytes(), 0U);
  EXPECT_TRUE(b.finish().empty());
  EXPECT_EQ(t.rows(), 1U);
}

TEST(TableBuilder, CopiesCells) {
  const auto from = books();
  table_builder b{{from.column_at(0), from.column_at(1), from.column_at(2)}};
  for (std::size_t row = 0; row < from.rows(); ++row)
    for (std::size_t column = 0; column < from.columns(); ++column)
      b.add(from.cell_at(row, column));
  const auto to = b.finish();
  for (std::size_t row = 0; row < from.rows(); ++row)
    for (std::size_t column = 0; column < from.columns(); ++column)
      EXPECT_EQ(to.text(row, column), from.text(row, column));
}

/// The text that SQLite's own conversion, the shell's too, makes of a number.
TEST(Table, PrintsRealsAsSqliteDoes) {
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_prepare_v2(db, "select ?1", -1, &statement, nullptr), SQLITE_OK);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double edges[] = {0.0, 1.0, -1.5, 0.1, 1e15, 1e16, 1e20, 1e-5, 5e-324, 1e308, infinity, -infinity};
  std::mt19937_64 random{1};
  for (int i = 0; i < 20'000; ++i) {
    const double x = i < 12 ? edges[i] : std::bit_cast<double>(random());
    if (x != x)
      continue; // SQLite makes NULL of it
    sqlite3_bind_double(statement, 1, x);
    ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
    const std::string expected = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    sqlite3_reset(statement);
    table_builder b{{{"x", 0, ""}}};
    b.add_real(x);
    ASSERT_EQ(b.finish().text(0, 0), expected);
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

/// A result that libpq itself makes up, not a server. `rows` times the rows (11, "") and (NULL, NULL).
pgresult_ptr made_by_libpq(int rows) {
  pgresult_ptr made{PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK)};
  char id[] = "id", empty[] = "", eleven[] = "11";
  PGresAttDesc columns[] = {{id, 0, 0, 0, 23, 4, -1}, {id, 0, 0, 0, 25, -1, -1}};
  EXPECT_TRUE(PQsetResultAttrs(made.get(), 2, columns));
  for (int row = 0; row < 2 * rows; row += 2) {
    EXPECT_TRUE(PQsetvalue(made.get(), row, 0, eleven, 2));
    EXPECT_TRUE(PQsetvalue(made.get(), row, 1, empty, 0));
    EXPECT_TRUE(PQsetvalue(made.get(), row + 1, 0, nullptr, -1));
    EXPECT_TRUE(PQsetvalue(made.get(), row + 1, 1, nullptr, -1));
  }
  return made;
}

void expect_rows_made_by_libpq(const table& t, std::size_t rows) {
  EXPECT_EQ(t.rows(), 2 * rows);
  EXPECT_EQ(t.column_at(0).type, "int4");
  for (std::size_t row = 0; row < 2 * rows; row += 2) {
    EXPECT_EQ(t.get<int>(row, 0), 11);
    EXPECT_EQ(t.get<std::string_view>(row, 1), "");
    EXPECT_FALSE(t.is_null(row, 1));
    EXPECT_TRUE(t.is_null(row + 1, 0));
    EXPECT_EQ(t.get<std::optional<int>>(row + 1, 0), std::nullopt);
  }
  EXPECT_EQ(t.bytes(), 2 * rows);
  EXPECT_FALSE(t.find_column("id"));
}

TEST(TableOfPgresult, KeepsALargeResultAsItIs) {
  auto rows = made_by_libpq(1000);
  const auto* const first = PQgetvalue(rows.get(), 0, 0);
  const auto t = table_of(std::move(rows));
  EXPECT_EQ(t.cell_at(0, 0).data, first);
  expect_rows_made_by_libpq(t, 1000);
}

TEST(TableOfPgresult, CopiesASmallOne) {
  auto rows = made_by_libpq(1);
  const auto* const first = PQgetvalue(rows.get(), 0, 0);
  const auto t = table_of(std::move(rows));
  EXPECT_NE(t.cell_at(0, 0).data, first);
  expect_rows_made_by_libpq(t, 1);
}

TEST(TableOfPgresult, SharesColumnsThatAreKnown) {
  const auto columns = columns_of(*made_by_libpq(1));
  const auto t = table_of(made_by_libpq(1), columns);
  EXPECT_EQ(columns.use_count(), 2);
  expect_rows_made_by_libpq(t, 1);
}

} // namespace
} // namespace sheaf
