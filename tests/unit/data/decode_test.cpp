// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/table.hpp"
#include "unit/data/cell_reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sheaf {
namespace {

using namespace postgresql;
using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::year;
using testing::ElementsAre;
using testing::IsEmpty;

/// A value in binary format.
cell binary(std::uint32_t oid, std::string_view data) {
  return {.encoding = encoding::binary, .oid = oid, .data = data.data(), .size = data.size()};
}

template <class T>
cell native(encoding how, const T& x) {
  return {.encoding = how, .data = reinterpret_cast<const char*>(&x), .size = sizeof x};
}

constexpr std::uint32_t oid_money = 790, oid_time = 1083, oid_interval = 1186;

TEST(DecodeBool, ReadsBoolAndSqlitesZeroAndOne) {
  EXPECT_TRUE(read<bool>(pg(oid_bool, "t")));
  EXPECT_FALSE(read<bool>(pg(oid_bool, "f")));
  EXPECT_TRUE(read<bool>(binary(oid_bool, "\1")));
  EXPECT_TRUE(read<bool>(native(encoding::integer, std::int64_t{1})));
  EXPECT_EQ(status<bool>(native(encoding::integer, std::int64_t{2})), decoding::out_of_range);
  EXPECT_EQ(status<bool>(pg(oid_int4, "1")), decoding::wrong_type);
  EXPECT_EQ(status<bool>(pg(oid_text, "t")), decoding::wrong_type);
  EXPECT_EQ(status<bool>(pg(oid_bool, "true")), decoding::malformed);
  EXPECT_EQ(status<bool>(cell{}), decoding::null);
}

template <class T>
class DecodeEveryInteger : public testing::Test {};
using every_integer = testing::Types<signed char, unsigned char, short, unsigned short, int, unsigned, long,
                                     unsigned long, long long, unsigned long long>;
TYPED_TEST_SUITE(DecodeEveryInteger, every_integer);

TYPED_TEST(DecodeEveryInteger, ReadsItsWholeRangeAndNothingBeyond) {
  using limits = std::numeric_limits<TypeParam>;
  const auto min = std::to_string(limits::min()), max = std::to_string(limits::max());
  EXPECT_EQ(read<TypeParam>(pg(oid_numeric, min)), limits::min());
  EXPECT_EQ(read<TypeParam>(pg(oid_numeric, max + ".00")), limits::max());
  EXPECT_EQ(status<TypeParam>(pg(oid_numeric, max + "0")), decoding::out_of_range);
  EXPECT_EQ(status<TypeParam>(pg(oid_numeric, limits::is_signed ? min + "0" : "-1")), decoding::out_of_range);
  EXPECT_EQ(read<TypeParam>(pg(oid_int2, "7")), 7);
  EXPECT_EQ(read<TypeParam>(pg(oid_oid, "7")), 7);
  EXPECT_EQ(read<TypeParam>(binary(oid_int2, {"\0\7", 2})), 7);
  EXPECT_EQ(read<TypeParam>(binary(oid_int4, {"\0\0\0\7", 4})), 7);
  EXPECT_EQ(read<TypeParam>(binary(oid_oid, {"\0\0\0\7", 4})), 7);
  EXPECT_EQ(read<TypeParam>(binary(oid_int8, {"\0\0\0\0\0\0\0\7", 8})), 7);
  const std::string_view minus_one("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
  const std::int64_t native_minus_one = -1;
  for (const auto& x : {binary(oid_int2, minus_one.substr(6)), binary(oid_int4, minus_one.substr(4)),
                        binary(oid_int8, minus_one), native(encoding::integer, native_minus_one)})
    EXPECT_EQ(status<TypeParam>(x), limits::is_signed ? decoding::ok : decoding::out_of_range);
  const bool holds_any_oid = limits::max() / 2 >= std::numeric_limits<std::int32_t>::max();
  EXPECT_EQ(status<TypeParam>(binary(oid_oid, minus_one.substr(4))),
            holds_any_oid ? decoding::ok : decoding::out_of_range);
}

TEST(DecodeInteger, TakesNothingThatIsNoInteger) {
  EXPECT_EQ(status<int>(pg(oid_numeric, "1.5")), decoding::inexact);
  EXPECT_EQ(status<int>(pg(oid_numeric, "NaN")), decoding::out_of_range);
  EXPECT_EQ(status<int>(pg(oid_numeric, "-Infinity")), decoding::out_of_range);
  EXPECT_EQ(status<int>(pg(oid_float8, "1")), decoding::wrong_type);
  EXPECT_EQ(status<int>(pg(oid_text, "1")), decoding::wrong_type);
  EXPECT_EQ(status<int>(pg(0, "1")), decoding::wrong_type); // SQLite's text
  EXPECT_EQ(status<int>(native(encoding::real, 1.0)), decoding::wrong_type);
  EXPECT_EQ(status<int>(pg(oid_money, "$1.00")), decoding::wrong_type);
  EXPECT_EQ(status<int>(pg(oid_bool, "t")), decoding::wrong_type);
  EXPECT_EQ(status<int>(binary(oid_int4, "123")), decoding::malformed);
  EXPECT_EQ(status<int>(pg(oid_int4, "12x")), decoding::malformed);
  EXPECT_EQ(status<int>(pg(oid_int4, "")), decoding::malformed);
  EXPECT_EQ(status<unsigned>(pg(oid_numeric, "-0")), decoding::ok);
}

TEST(DecodeFloat, ReadsFloatsOfBothFormats) {
  EXPECT_EQ(read<double>(pg(oid_float8, "0.1")), 0.1);
  EXPECT_EQ(read<float>(pg(oid_float4, "0.1")), 0.1F);
  EXPECT_EQ(read<double>(pg(oid_float4, "0.1")), double{0.1F});
  EXPECT_EQ(read<double>(binary(oid_float4, {"\x3D\xCC\xCC\xCD", 4})), double{0.1F});
  EXPECT_EQ(read<double>(binary(oid_float8, {"\x3F\xB9\x99\x99\x99\x99\x99\x9A", 8})), 0.1);
  EXPECT_TRUE(std::signbit(read<double>(pg(oid_float8, "-0"))));
  EXPECT_EQ(read<double>(pg(oid_float8, "-Infinity")), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(read<float>(pg(oid_float8, "NaN"))));
  EXPECT_EQ(read<double>(pg(oid_float8, "5e-324")), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(read<double>(native(encoding::real, 0.1)), 0.1);
}

TEST(DecodeFloat, NeverRounds) {
  EXPECT_EQ(read<float>(pg(oid_float8, "0.5")), 0.5F);
  EXPECT_EQ(status<float>(pg(oid_float8, "0.1")), decoding::inexact);
  EXPECT_EQ(status<float>(native(encoding::real, 0.1)), decoding::inexact);
  EXPECT_EQ(status<float>(pg(oid_float8, "1e300")), decoding::out_of_range);
  EXPECT_EQ(read<double>(pg(oid_int8, "9007199254740992")), 9007199254740992.0);
  EXPECT_EQ(status<double>(pg(oid_int8, "9007199254740993")), decoding::inexact);
  EXPECT_EQ(status<double>(pg(oid_int8, "9223372036854775807")), decoding::inexact);
  EXPECT_EQ(read<double>(pg(oid_int8, "-9223372036854775808")), -0x1p63);
  EXPECT_EQ(status<float>(pg(oid_int4, "16777217")), decoding::inexact);
  EXPECT_EQ(read<double>(native(encoding::integer, std::int64_t{3})), 3.0);
  EXPECT_EQ(read<double>(binary(oid_int4, {"\0\0\0\7", 4})), 7.0);
  EXPECT_EQ(status<double>(pg(oid_text, "1")), decoding::wrong_type);
  EXPECT_EQ(status<double>(pg(oid_money, "$1.00")), decoding::wrong_type);
  EXPECT_EQ(status<double>(binary(oid_float8, "short")), decoding::malformed);
}

TEST(DecodeFloat, ReadsANumericWhoseDigitsItKeeps) {
  EXPECT_EQ(read<double>(pg(oid_numeric, "0.1")), 0.1);
  EXPECT_EQ(read<double>(pg(oid_numeric, "-120.500")), -120.5);
  EXPECT_EQ(read<double>(pg(oid_numeric, "0.00")), 0.0);
  EXPECT_EQ(read<float>(pg(oid_numeric, "19.99")), 19.99F);
  EXPECT_EQ(read<double>(pg(oid_numeric, "1152921504606846976")),
            0x1p60); // exact, though its shortest digits are others
  EXPECT_EQ(read<double>(pg(oid_numeric, "0.00000095367431640625")), 0x1p-20);
  EXPECT_EQ(status<double>(pg(oid_numeric, "1152921504606846977")), decoding::inexact);
  EXPECT_EQ(status<double>(pg(oid_numeric, "0.10000000000000000001")), decoding::inexact);
  EXPECT_EQ(status<float>(pg(oid_numeric, "0.123456789")), decoding::inexact);
  EXPECT_EQ(status<double>(pg(oid_numeric, "1" + std::string(400, '0'))), decoding::out_of_range);
  EXPECT_EQ(status<double>(pg(oid_numeric, "0." + std::string(400, '0') + "1")), decoding::inexact);
  EXPECT_TRUE(std::isnan(read<double>(pg(oid_numeric, "NaN"))));
  EXPECT_EQ(read<double>(pg(oid_numeric, "-Infinity")), -std::numeric_limits<double>::infinity());
}

TEST(DecodeString, IsTheTextOfAnyType) {
  EXPECT_EQ(read<std::string>(pg(oid_text, "a\nb")), "a\nb");
  EXPECT_EQ(read<std::string>(pg(oid_money, "$1.00")), "$1.00");
  EXPECT_EQ(read<std::string>(pg(oid_enum, "happy")), "happy");
  EXPECT_EQ(read<std::string>(binary(oid_int4, {"\0\0\0\7", 4})), "7");
  EXPECT_EQ(read<std::string>(native(encoding::integer, std::int64_t{-5})), "-5");
  EXPECT_EQ(read<std::string>(native(encoding::real, 1.0)), "1.0");
  EXPECT_EQ(status<std::string>(cell{}), decoding::null);
  EXPECT_EQ(status<std::string>(binary(oid_int4, "1")), decoding::malformed);
}

TEST(DecodeStringView, DoesNotDependOnTheFormat) {
  for (auto oid : {oid_text, oid_varchar, oid_bpchar, oid_name, oid_json}) {
    EXPECT_EQ(read<std::string_view>(pg(oid, "x ")), "x ");
    EXPECT_EQ(read<std::string_view>(binary(oid, "x ")), "x ");
  }
  for (auto oid : {oid_bool, oid_int4, oid_float8, oid_uuid, oid_date, oid_timestamp}) {
    EXPECT_EQ(status<std::string_view>(pg(oid, "x")), decoding::wrong_type);
    EXPECT_EQ(status<std::string_view>(binary(oid, "x")), decoding::wrong_type);
  }
  for (auto oid : {oid_numeric, oid_bytea, oid_timestamptz, oid_money, oid_interval, oid_enum})
    EXPECT_EQ(read<std::string_view>(pg(oid, "x")), "x");
  EXPECT_EQ(read<std::string_view>(pg(0, "x")), "x");
  EXPECT_EQ(status<std::string_view>(native(encoding::integer, std::int64_t{1})), decoding::wrong_type);
  EXPECT_EQ(status<std::string_view>({.encoding = encoding::blob, .data = "x", .size = 1}), decoding::wrong_type);
}

TEST(DecodeBytes, ReadsBothOutputFormats) {
  const bytes expected{std::byte{0}, std::byte{'a'}, std::byte{'\\'}, std::byte{0xFF}};
  EXPECT_EQ(read<bytes>(pg(oid_bytea, "\\x00615cff")), expected);
  EXPECT_EQ(read<bytes>(pg(oid_bytea, "\\000a\\\\\\377")), expected);
  EXPECT_THAT(read<bytes>(pg(oid_bytea, "\\x")), IsEmpty());
  EXPECT_THAT(read<bytes>(pg(oid_bytea, "")), IsEmpty());
  EXPECT_EQ(read<bytes>({.encoding = encoding::blob, .data = "\0a\\\xFF", .size = 4}), expected);
  EXPECT_THAT(read<bytes>(pg(0, "a")), ElementsAre(std::byte{'a'}));
  for (const auto* broken : {"\\x0", "\\x0g", "\\x-1", "\\", "\\12", "\\400", "\\8aa", "a\\"})
    EXPECT_EQ(status<bytes>(pg(oid_bytea, broken)), decoding::malformed) << broken;
  EXPECT_EQ(status<bytes>(pg(oid_text, "a")), decoding::wrong_type);
}

TEST(DecodeDate, ReadsTheWholeRangeOfDates) {
  EXPECT_EQ(read<date>(pg(oid_date, "2024-02-29")), sys_days{year{2024} / 2 / 29});
  EXPECT_EQ(read<date>(pg(oid_date, "2000-02-29")), sys_days{year{2000} / 2 / 29});
  EXPECT_EQ(status<date>(pg(oid_date, "1900-02-29")), decoding::malformed);
  EXPECT_EQ(read<date>(pg(oid_date, "0044-03-15 BC")), sys_days{year{-43} / 3 / 15});
  EXPECT_EQ(read<date>(pg(oid_date, "5874897-12-31")), date{std::chrono::days{2'145'042'905}});
  EXPECT_EQ(read<date>(binary(oid_date, {"\0\0\0\0", 4})), sys_days{year{2000} / 1 / 1});
  EXPECT_EQ(status<date>(pg(oid_date, "infinity")), decoding::out_of_range);
  EXPECT_EQ(status<date>(binary(oid_date, {"\x7F\xFF\xFF\xFF", 4})), decoding::out_of_range);
  EXPECT_EQ(status<date>(binary(oid_date, {"\x80\0\0\0", 4})), decoding::out_of_range);
  EXPECT_EQ(status<date>(pg(oid_timestamp, "2024-02-29 00:00:00")), decoding::wrong_type);
  EXPECT_EQ(read<date>(pg(0, "2024-02-29")), sys_days{year{2024} / 2 / 29}); // SQLite
  EXPECT_EQ(status<date>(native(encoding::integer, std::int64_t{0})), decoding::wrong_type);
  for (const auto* broken : {"", "29/02/2024", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-32", "2024-1-1",
                             "24-01-01", "0000-01-01 BC", "2024-01-01 AD", "2024-01-01 ", "-2024-01-01"})
    EXPECT_EQ(status<date>(pg(oid_date, broken)), decoding::malformed) << broken;
}

TEST(DecodeTimestamp, ReadsEveryPrintedOffset) {
  const auto noon = sys_days{year{2024} / 2 / 29} + 12h;
  EXPECT_EQ(read<timestamp>(pg(oid_timestamp, "2024-02-29 12:00:00")), noon);
  EXPECT_EQ(read<timestamp>(pg(oid_timestamp, "2024-02-29 12:00:00.5")), noon + 500ms);
  EXPECT_EQ(read<timestamp>(pg(oid_timestamptz, "2024-02-29 12:00:00+00")), noon);
  EXPECT_EQ(read<timestamp>(pg(oid_timestamptz, "2024-03-01 01:45:00.000001+13:45")), noon + 1us);
  EXPECT_EQ(read<timestamp>(pg(oid_timestamptz, "2024-02-29 08:30:00-03:30")), noon);
  EXPECT_EQ(read<timestamp>(pg(oid_timestamptz, "1890-01-01 00:00:00-00:01:15")),
            sys_days{year{1890} / 1 / 1} + 1min + 15s);
  EXPECT_EQ(read<timestamp>(pg(oid_timestamptz, "0044-03-15 12:00:00+00:00:30 BC")),
            sys_days{year{-43} / 3 / 15} + 12h - 30s);
  EXPECT_EQ(read<timestamp>(pg(0, "2024-02-29 12:00:00")), noon); // SQLite
  EXPECT_EQ(read<timestamp>(pg(0, "2024-02-29T12:00:00Z")), noon);
  EXPECT_EQ(read<timestamp>(pg(0, "2024-02-29 13:00:00+01:00")), noon);
}

TEST(DecodeTimestamp, RefusesWhatIsNotExactlyOne) {
  EXPECT_EQ(status<timestamp>(pg(oid_timestamp, "-infinity")), decoding::out_of_range);
  EXPECT_EQ(status<timestamp>(binary(oid_timestamp, {"\x80\0\0\0\0\0\0\0", 8})), decoding::out_of_range);
  EXPECT_EQ(status<timestamp>(binary(oid_timestamp, "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF")), decoding::out_of_range);
  EXPECT_EQ(read<timestamp>(pg(oid_timestamp, "294247-01-10 04:00:54.775807")), timestamp::max());
  EXPECT_EQ(status<timestamp>(pg(oid_timestamp, "294247-01-10 04:00:54.775808")), decoding::out_of_range);
  EXPECT_EQ(read<timestamp>(pg(0, "290309-12-21 19:59:05.224192 BC")), timestamp::min());
  EXPECT_EQ(status<timestamp>(pg(0, "290309-12-21 19:59:05.224191 BC")), decoding::out_of_range);
  EXPECT_EQ(status<timestamp>(pg(oid_date, "2024-02-29")), decoding::wrong_type);
  EXPECT_EQ(status<timestamp>(pg(oid_time, "12:00:00")), decoding::wrong_type);
  EXPECT_EQ(status<timestamp>(native(encoding::integer, std::int64_t{0})), decoding::wrong_type);
  EXPECT_EQ(status<timestamp>(pg(oid_timestamptz, "2024-02-29 12:00:00")), decoding::malformed);
  EXPECT_EQ(status<timestamp>(pg(oid_timestamp, "2024-02-29 12:00:00+00")), decoding::malformed);
  for (const auto* broken :
       {"2024-02-29 24:00:00", "2024-02-29 12:60:00", "2024-02-29 12:00", "2024-02-29 12:00:00.",
        "2024-02-29 12:00:00.1234567", "2024-02-29 12:00:00+", "2024-02-29 12:00:00+1", "2024-02-29",
        "2024-02-29 12:00:00+01:", "2024-02-29 12:00:00 UTC", "Thu Feb 29 12:00:00 2024", "now"})
    EXPECT_EQ(status<timestamp>(pg(0, broken)), decoding::malformed) << broken;
}

TEST(DecodeTimestamp, ConvertsToOtherUnitsOnlyExactly) {
  const auto noon = pg(oid_timestamp, "2024-02-29 12:00:00");
  EXPECT_EQ(read<std::chrono::sys_seconds>(noon), sys_days{year{2024} / 2 / 29} + 12h);
  EXPECT_EQ(read<std::chrono::sys_time<std::chrono::nanoseconds>>(noon), sys_days{year{2024} / 2 / 29} + 12h);
  EXPECT_EQ(status<std::chrono::sys_seconds>(pg(oid_timestamp, "2024-02-29 12:00:00.001")), decoding::inexact);
  EXPECT_EQ(status<std::chrono::sys_time<std::chrono::nanoseconds>>(pg(oid_timestamp, "2300-01-01 00:00:00")),
            decoding::out_of_range);
  using short_time = std::chrono::sys_time<std::chrono::duration<std::int16_t>>;
  EXPECT_EQ(status<short_time>(noon), decoding::out_of_range);
  static_assert(!readable<std::chrono::sys_time<std::chrono::duration<double>>>, "would round");
}

TEST(DecodeAnything, IsDecidedWhenItCompiles) {
  static_assert(readable<std::optional<std::vector<std::optional<std::string>>>>);
  static_assert(!readable<std::vector<std::string_view>>, "views into what?");
  static_assert(!readable<char> && !readable<const char*> && !readable<long double>);
}

TEST(DecodeOptional, IsEmptyOnlyForNull) {
  EXPECT_EQ(read<std::optional<int>>(cell{}), std::nullopt);
  EXPECT_EQ(read<std::optional<int>>(pg(oid_int4, "3")), 3);
  EXPECT_EQ(status<std::optional<int>>(pg(oid_text, "3")), decoding::wrong_type);
}

} // namespace
} // namespace sheaf
