// SPDX-License-Identifier: BSD-3-Clause

#include "integration/engine/raw_postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace sheaf::test {
namespace {

using testing::ElementsAreArray;

/// Sends `xs` as an array of `type`, and expects back the same values, in the same text, in both formats.
template <class T>
void expect_round_trip(raw_postgres& server, const std::vector<T>& xs, const std::string& type, auto same) {
  const auto sql = "select unnest($1::" + type + "[])";
  const table in_text = server.run(sql, format::text, {xs});
  const table in_binary = server.run(sql, format::binary, {xs});
  ASSERT_EQ(in_text.rows(), xs.size());
  ASSERT_EQ(in_binary.rows(), xs.size());
  for (std::size_t row = 0; row < xs.size(); ++row) {
    ASSERT_EQ(in_binary.text(row, 0), in_text.text(row, 0)) << row;
    ASSERT_TRUE(same(in_binary.get<T>(row, 0), xs[row])) << *in_text.text(row, 0);
    ASSERT_TRUE(same(in_text.get<T>(row, 0), xs[row])) << *in_text.text(row, 0);
  }
}

constexpr auto same_number = []<class T>(T x, T y) {
  return (std::isnan(x) && std::isnan(y)) || (x == y && std::signbit(x) == std::signbit(y));
};
constexpr auto equal = [](const auto& x, const auto& y) { return x == y; };

/// Both neighbours of numbers that are few decimal digits and lie half way between two `Float`s.
template <class Float>
std::vector<Float> around_short_half_ways(std::mt19937_64& random) {
  constexpr int digits = std::numeric_limits<Float>::digits;
  std::vector<Float> xs;
  std::uint64_t power = 5;
  for (int exponent = 1; power < (std::uint64_t{1} << digits); ++exponent, power *= 5) {
    for (int i = 0; i < 20; ++i) {
      const auto low = (std::uint64_t{1} << digits) / power;
      const auto middle = ((low + 1 + random() % (low + 1)) | 1) * power; // odd, digits + 1 bits, × 2^exponent
      for (auto even : {middle - 1, middle + 1})
        xs.push_back(std::ldexp(static_cast<Float>(even), exponent));
    }
  }
  return xs;
}

template <class Float>
std::vector<Float> interesting_floats(int random_count) {
  using limits = std::numeric_limits<Float>;
  std::mt19937_64 random{42};
  auto xs = around_short_half_ways<Float>(random);
  for (int exponent = limits::min_exponent - limits::digits; exponent < limits::max_exponent; ++exponent)
    for (int step : {-1, 0, 1}) { // powers of two, where the distance to the next number changes
      auto x = std::ldexp(Float{1}, exponent);
      xs.push_back(step == 0 ? x : std::nextafter(x, step > 0 ? limits::infinity() : Float{0}));
    }
  for (int exponent = limits::min_exponent10 - limits::digits10; exponent <= limits::max_exponent10; ++exponent)
    xs.push_back(static_cast<Float>(std::strtod(("1e" + std::to_string(exponent)).c_str(), nullptr)));
  for (int i = 0; i < random_count; ++i) {
    if constexpr (sizeof(Float) == 8)
      xs.push_back(std::bit_cast<Float>(random()));
    else
      xs.push_back(std::bit_cast<Float>(static_cast<std::uint32_t>(random())));
    xs.push_back(static_cast<Float>(static_cast<std::int64_t>(random() >> (random() % 64)))); // integers
    xs.push_back(static_cast<Float>(static_cast<double>(random() % 1'000'000'000) / 1000));   // prices
  }
  return xs;
}

TEST(ExactReads, FloatsOfAllSizesRoundTripInTheServersOwnText) {
  raw_postgres server;
  expect_round_trip(server, interesting_floats<double>(20'000), "float8", same_number);
  expect_round_trip(server, interesting_floats<float>(20'000), "float4", same_number);
}

TEST(ExactReads, DatesAndTimestampsRoundTripInTheServersOwnText) {
  raw_postgres server;
  std::mt19937_64 random{42};
  std::vector<date> dates{date{std::chrono::days{-2'440'550}}, date{std::chrono::days{2'145'042'905}}};
  std::vector<timestamp> timestamps{timestamp::max(), timestamp{}, timestamp{std::chrono::microseconds{-1}}};
  for (int i = 0; i < 20'000; ++i) {
    dates.emplace_back(std::chrono::days{static_cast<std::int64_t>(random() % 2'147'483'456) - 2'440'550});
    dates.emplace_back(std::chrono::days{static_cast<std::int64_t>(random() % 1'500'000) - 750'000});
    const auto scale = std::int64_t{1} << random() % 40; // also those that are near, and of whole seconds
    const auto count = static_cast<std::int64_t>(random() >> 1) / scale / 1'000 * (random() % 2 == 0 ? 1'000 : 1);
    timestamps.emplace_back(
        std::chrono::microseconds{std::max(random() % 2 == 0 ? count : -count, -210'866'803'200'000'000)});
  }
  expect_round_trip(server, dates, "date", equal);
  expect_round_trip(server, timestamps, "timestamp", equal);
}

TEST(ExactReads, TimestamptzIsTheSameMomentInEveryTimeZone) {
  raw_postgres server;
  std::mt19937_64 random{42};
  std::vector<timestamp> xs;
  xs.reserve(3'000);
  for (int i = 0; i < 3'000; ++i) // 4000 BC to 9000
    xs.emplace_back(std::chrono::microseconds{static_cast<std::int64_t>(random() % 400'000'000'000'000'000) -
                                              190'000'000'000'000'000});
  for (const std::string zone :
       {"UTC", "Asia/Kolkata", "America/St_Johns", "Africa/Monrovia", "Pacific/Chatham", "<x>-13:59"}) {
    server.run("set time zone '" + zone + "'");
    const auto t = server.run("select unnest($1::timestamptz[])", format::text, {xs});
    ASSERT_EQ(t.rows(), xs.size());
    for (std::size_t row = 0; row < xs.size(); ++row)
      ASSERT_EQ(t.get<timestamp>(row, 0), xs[row]) << zone << ' ' << *t.text(row, 0);
  }
}

template <class T>
T read(raw_postgres& server, const std::string& sql, const std::vector<value>& parameters = {},
       format how = format::text) {
  return server.run(sql, how, parameters).scalar<T>();
}

TEST(ExactReads, EveryTypeComesBackAsItWasBound) {
  raw_postgres server;
  for (auto how : {format::text, format::binary}) {
    EXPECT_TRUE(read<bool>(server, "select $1::bool", {true}, how));
    EXPECT_EQ(read<std::int16_t>(server, "select $1::int2", {-32768}, how), -32768);
    EXPECT_EQ(read<std::int64_t>(server, "select $1::int8", {std::numeric_limits<std::int64_t>::min()}, how),
              std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(read<std::uint32_t>(server, "select $1::oid", {4294967295U}, how), 4294967295U);
    EXPECT_EQ(read<std::string>(server, "select $1::text", {"ü'\"\\\n"}, how), "ü'\"\\\n");
    EXPECT_EQ(read<std::optional<int>>(server, "select null::int4", {}, how), std::nullopt);
  }
  EXPECT_EQ(read<std::uint64_t>(server, "select 18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(read<double>(server, "select 0.1"), 0.1);
  EXPECT_EQ(read<timestamp>(server, "select $1::timestamptz", {timestamp{std::chrono::microseconds{1}}}),
            timestamp{std::chrono::microseconds{1}});
}

TEST(ExactReads, BytesComeBackInBothOutputFormats) {
  raw_postgres server;
  bytes all;
  for (int i = 0; i < 256; ++i)
    all.push_back(static_cast<std::byte>(i));
  for (const std::string output : {"hex", "escape"}) {
    server.run("set bytea_output = " + output);
    EXPECT_EQ(read<bytes>(server, "select $1::bytea", {all}), all);
    EXPECT_EQ(read<std::vector<bytes>>(server, "select array[$1::bytea, '']", {all}), (std::vector<bytes>{all, {}}));
  }
}

TEST(ExactReads, ArraysComeBackAsTheyWereBound) {
  raw_postgres server;
  const std::vector<std::string> texts{"",   " ",  "NULL", "null",        "a,b", "{}",
                                       "\"", "\\", "\\\"", "line\nbreak", "ü",   "[1:2]={1}"};
  EXPECT_THAT(read<std::vector<std::string>>(server, "select $1::text[]", {texts}), ElementsAreArray(texts));
  const std::vector<std::optional<std::int64_t>> numbers{1, std::nullopt, std::numeric_limits<std::int64_t>::min()};
  EXPECT_THAT(read<std::vector<std::optional<std::int64_t>>>(server, "select $1::int8[]", {numbers}),
              ElementsAreArray(numbers));
  EXPECT_THAT(read<std::vector<bool>>(server, "select $1::bool[]", {std::vector<bool>{true, false}}),
              ElementsAreArray({true, false}));
  EXPECT_THAT(read<std::vector<int>>(server, "select '[-1:1]={1,2,3}'::int4[]"), ElementsAreArray({1, 2, 3}));
  EXPECT_THAT(read<std::vector<std::string>>(server, "select array['(1,1),(0,0)', '(2,2),(0,0)']::box[]"),
              ElementsAreArray({"(1,1),(0,0)", "(2,2),(0,0)"}));
  const value matrix{value::array{std::vector<int>{1}, std::vector<int>{2}}};
  const auto nested = server.run("select $1::int4[]", format::text, {matrix});
  EXPECT_EQ(nested.text(0, 0), "{{1},{2}}");
  EXPECT_FALSE(nested.try_get<std::vector<int>>(0, 0));
}

TEST(ExactReads, TextFormatsThatDependOnDateStyleAreRefusedNotGuessed) {
  raw_postgres server;
  server.run("set datestyle = 'SQL, DMY'");
  EXPECT_FALSE(server.run("select date '2024-02-01'").try_get<date>(0, 0));
  EXPECT_FALSE(server.run("select timestamp '2024-02-01 00:00:00'").try_get<timestamp>(0, 0));
  EXPECT_FALSE(server.run("select timestamptz '2024-02-01 00:00:00+00'").try_get<timestamp>(0, 0));
}

TEST(ExactTables, MayHaveNoColumnsNoRowsOrMany) {
  raw_postgres server;
  for (auto how : {format::text, format::binary}) {
    const auto no_columns = server.run("select", how);
    EXPECT_EQ(no_columns.columns(), 0U);
    EXPECT_EQ(no_columns.rows(), 1U);
    EXPECT_EQ(server.run("select from generate_series(1, 5)", how).rows(), 5U);

    const auto no_rows = server.run("select 1 as a where false", how);
    EXPECT_EQ(no_rows.columns(), 1U);
    EXPECT_TRUE(no_rows.empty());

    std::string sql = "select 0 as c0";
    for (int i = 1; i < 1600; ++i)
      sql += ", " + std::to_string(i) + " as c" + std::to_string(i);
    const auto wide = server.run(sql, how);
    EXPECT_EQ(wide.columns(), 1600U);
    EXPECT_EQ(wide.get<int>(0, "c1599"), 1599);

    const auto same_names = server.run("select 1 as a, 'x'::text as a", how);
    EXPECT_FALSE(same_names.find_column("a"));
    EXPECT_EQ(same_names.get<int>(0, 0), 1);
    EXPECT_EQ(same_names.get<std::string_view>(0, 1), "x");
    EXPECT_EQ(same_names.column_at(1).type, "text");
  }
}

TEST(ExactTables, ReportAffectedRows) {
  raw_postgres server;
  EXPECT_EQ(server.run("create temp table t (i int4)").affected_rows(), 0U);
  EXPECT_EQ(server.run("insert into t select generate_series(1, 10)").affected_rows(), 10U);
  EXPECT_EQ(server.run("update t set i = -i where i > 7 returning i").affected_rows(), 3U);
  EXPECT_EQ(server.run("delete from t where i < 0").affected_rows(), 3U);
  EXPECT_EQ(
      server.run("merge into t using (values (1), (2)) as s(i) on t.i = s.i when matched then delete").affected_rows(),
      2U);
  EXPECT_EQ(server.run("select * from t").affected_rows(), 5U);
  EXPECT_EQ(server.run("set search_path = public").affected_rows(), 0U);
}

} // namespace
} // namespace sheaf::test
