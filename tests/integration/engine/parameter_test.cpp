// SPDX-License-Identifier: BSD-3-Clause
//
// Parameters on their way to a database and back: every kind arrives as it was given, and a value that cannot be sent
// is refused by name.

#include "support/database_under_test.hpp"

#include <chrono>
#include <cmath>
#include <limits>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;
using namespace std::chrono;

class Parameter : public AnyDatabase {
protected:
  void SetUp() override {
    AnyDatabase::SetUp();
    start();
  }

  /// The result when `x` is sent. PostgreSQL is told a type, SQLite has none to tell.
  table echo(value x, const std::string& type) {
    const std::string sql = is(database_kind::postgresql) ? "select :x::" + type + " as x" : "select :x as x";
    auto reply = run(request_of({{"echo", sql, {{"x", std::move(x)}}}}));
    if (!reply.ok())
      throw error(*reply.failure);
    return reply["echo"].table();
  }

  failure refused(query q) {
    const auto x = run(request_of({std::move(q)}));
    EXPECT_TRUE(x.failure);
    return x.failure.value_or(failure{});
  }
};

SHEAF_ON_EVERY_SQL_DATABASE(Parameter);

TEST_P(Parameter, OfEveryKindComesBackAsItWasGiven) {
  EXPECT_TRUE(echo(nullptr, "int").is_null(0, 0));
  EXPECT_TRUE(echo(std::optional<int>{}, "int").is_null(0, 0));
  for (const bool x : {true, false})
    EXPECT_EQ(echo(x, "bool").scalar<bool>(), x);
  for (const auto x : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0},
                       std::int64_t{5'000'000'000}, std::numeric_limits<std::int64_t>::max()})
    EXPECT_EQ(echo(x, "int8").scalar<std::int64_t>(), x);
  for (const double x :
       {0.1, -0.0, 1e300, 5e-324, std::numeric_limits<double>::max(), std::numeric_limits<double>::infinity()}) {
    const auto back = echo(x, "float8").scalar<double>();
    EXPECT_EQ(back, x);
    EXPECT_EQ(std::signbit(back), std::signbit(x));
  }
  for (const std::string x : {"", "plain", "it's \"quoted\" \\ and :named $1 ?", "äöü 漢字 🎉", "line\nline\ttab"})
    EXPECT_EQ(echo(x, "text").scalar<std::string>(), x);
}

TEST_P(Parameter, IsUtf8WhateverTheUrlSays) {
  if (!is(database_kind::postgresql))
    return;
  engine.reset();
  start({}, [](options& o) { o.databases[0].url += " client_encoding=LATIN1"; });
  EXPECT_EQ(echo("é", "text").scalar<std::string>(), "é");
  const auto x = run(request_of({{"q", "select chr(233) = :e::text, length('é')", {{"e", "é"}}}}));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_TRUE(x["q"].table().get<bool>(0, 0));
  EXPECT_EQ(x["q"].table().get<int>(0, 1), 1);
}

TEST_P(Parameter, OfAMillionBytesComesBackAsItWasGiven) {
  const std::string text(1'000'000, 'x');
  EXPECT_EQ(echo(text, "text").scalar<std::string>(), text);
  bytes data(1'000'000);
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<std::byte>(i * 7);
  EXPECT_EQ(echo(data, "bytea").scalar<bytes>(), data);
  EXPECT_EQ(echo(bytes{}, "bytea").scalar<bytes>(), bytes{});
}

TEST_P(Parameter, OfTimeComesBackToTheMicrosecond) {
  for (const date x : {date{2024y / 2 / 29}, date{1582y / 1 / 1}, date{1970y / 1 / 1}, date{9999y / 12 / 31}})
    EXPECT_EQ(echo(x, "date").scalar<date>(), x);
  EXPECT_EQ(echo(2024y / 2 / 29, "date").scalar<date>(), date{2024y / 2 / 29});
  for (const timestamp x :
       {timestamp{date{2024y / 2 / 29}} + 23h + 59min + 59s + 999'999us, timestamp{date{1969y / 12 / 31}} + 1us})
    EXPECT_EQ(echo(x, "timestamptz").scalar<timestamp>(), x);
}

TEST_P(Parameter, ThatIsNotANumberComesBackWhereThereIsSuchAThing) {
  if (is(database_kind::postgresql)) {
    EXPECT_TRUE(std::isnan(echo(std::nan(""), "float8").scalar<double>()));
  }
  if (is(database_kind::sqlite)) {
    EXPECT_EQ(refused({"q", "select :x", {{"x", std::nan("")}}}).code, errc::invalid_request);
  }
}

TEST_P(Parameter, ThatIsNamedTwiceIsOneValue) {
  // PostgreSQL needs a type for one place of each name, and none for the others.
  const auto* sql = is(database_kind::postgresql) ? "select :a::text || :b || :a" : "select :a || :b || :a";
  const auto x = run(request_of({{"q", sql, {{"a", "x"}, {"b", "y"}}}}));
  EXPECT_EQ(x["q"].table().scalar<std::string>(), "xyx");
}

TEST_P(Parameter, IsAValueAndNeverSql) {
  const std::string evil = "'; drop table t; --";
  ASSERT_TRUE(run(request_of({{"", "create table t (x text)"}})).ok());
  ASSERT_TRUE(run(request_of({{"", "insert into t values (:x)", {{"x", evil}}}})).ok());
  const auto x = run(request_of({{"q", "select x from t where x = :x", {{"x", evil}}}}));
  EXPECT_EQ(x["q"].table().scalar<std::string>(), evil);
}

TEST_P(Parameter, ThatIsMissingOrTooMuchIsNamed) {
  auto f = refused({"q", "select :here, :gone, :lost", {{"here", 1}, {"extra", 2}}});
  EXPECT_EQ(f.code, errc::invalid_request);
  EXPECT_EQ(f.query, "q");
  for (const auto* name : {":gone", ":lost", ":extra"})
    EXPECT_NE(f.message.find(name), std::string::npos) << f.message;
  EXPECT_EQ(f.message.find(":here"), std::string::npos) << f.message;
  EXPECT_FALSE(f.reached_server);
  EXPECT_EQ(stats().total, 0u);
}

TEST_P(Parameter, ThatIsGivenTwiceIsNamed) {
  const auto f = refused({"q", "select :x", {{"x", 1}, {"x", 1}}});
  EXPECT_EQ(f.code, errc::invalid_request);
  EXPECT_NE(f.message.find(":x"), std::string::npos) << f.message;
}

TEST_P(Parameter, ThatHoldsNulIsNamedAndNotShown) {
  using namespace std::string_literals;
  for (const value& x : {value{"hunter2\0x"s}, value{std::vector{"ok"s, "hunter2\0"s}}}) {
    const auto f = refused({"q", "select :secret", {{"secret", x}}});
    EXPECT_EQ(f.code, errc::invalid_request);
    EXPECT_NE(f.message.find(":secret"), std::string::npos) << f.message;
    EXPECT_EQ(f.message.find("hunter2"), std::string::npos) << f.message;
  }
}

TEST_P(Parameter, OfTheDatabasesOwnKindIsRefused) {
  EXPECT_EQ(refused({"q", "select $1, :x", {{"x", 1}}}).code, errc::invalid_request);
  // Alone it is PostgreSQL's to refuse, which knows that it has no value.
  EXPECT_EQ(refused({"q", "select $1"}).code,
            is(database_kind::postgresql) ? errc::rejected_sql : errc::invalid_request);
  EXPECT_TRUE(run(request_of({{"next", "select 1"}})).ok());
}

TEST_P(Parameter, OfArraysComesBackElementByElement) {
  if (is(database_kind::sqlite)) { // has no arrays
    EXPECT_EQ(refused({"q", "select :xs", {{"xs", std::vector{1, 2}}}}).code, errc::invalid_request);
    return;
  }
  const std::vector<std::int64_t> numbers{1, -2, 5'000'000'000};
  EXPECT_EQ(echo(numbers, "int8[]").scalar<std::vector<std::int64_t>>(), numbers);
  const std::vector<std::string> texts{"", "NULL", "a,b", "{x}", "q\"uote", "back\\slash", " blank "};
  EXPECT_EQ(echo(texts, "text[]").scalar<std::vector<std::string>>(), texts);
  const std::vector<std::optional<int>> gaps{1, std::nullopt, 3};
  EXPECT_EQ(echo(gaps, "int[]").scalar<std::vector<std::optional<int>>>(), gaps);
  EXPECT_EQ(echo(std::vector<int>{}, "int[]").scalar<std::vector<int>>(), std::vector<int>{});
  const auto x = run(request_of({{"q",
                                  "select count(*) from generate_series(1, 100) n where n = any(:ids)",
                                  {{"ids", std::vector{3, 5, 500}}}}}));
  EXPECT_EQ(number_in(x["q"]), 2);
}

} // namespace
