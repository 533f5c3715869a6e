// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/data/decode_compound.hpp"
#include "unit/data/cell_reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace sheaf {
namespace {

using namespace postgresql;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t oid_bool_array = 1000, oid_bytea_array = 1001, oid_int4_array = 1007, oid_text_array = 1009,
                        oid_float8_array = 1022, oid_timestamptz_array = 1185;

TEST(DecodeArray, ReadsElementsOfEveryKind) {
  EXPECT_THAT(read<std::vector<int>>(pg(oid_int4_array, "{1,-2,3}")), ElementsAre(1, -2, 3));
  EXPECT_THAT(read<std::vector<int>>(pg(oid_int4_array, "{}")), IsEmpty());
  EXPECT_THAT(read<std::vector<int>>(pg(oid_int4_array, "[2:4]={1,2,3}")), ElementsAre(1, 2, 3));
  EXPECT_THAT(read<std::vector<int>>(pg(oid_int4_array, "[-1:-1]={7}")), ElementsAre(7));
  EXPECT_THAT(read<std::vector<bool>>(pg(oid_bool_array, "{t,f}")), ElementsAre(true, false));
  EXPECT_THAT(read<std::vector<double>>(pg(oid_float8_array, "{0.1,-Infinity}")),
              ElementsAre(0.1, -std::numeric_limits<double>::infinity()));
  EXPECT_THAT(read<std::vector<bytes>>(pg(oid_bytea_array, R"({"\\x01"})")), ElementsAre(bytes{std::byte{1}}));
  EXPECT_THAT(read<std::vector<timestamp>>(pg(oid_timestamptz_array, R"({"1970-01-01 01:00:00+01"})")),
              ElementsAre(timestamp{}));
  EXPECT_THAT(read<std::vector<std::string>>(pg(oid_int4_array, "{1}")), ElementsAre("1"));
  EXPECT_THAT(read<std::vector<std::string>>(pg(oid_box_array, "{(1,1),(0,0);(2,2),(0,0)}")),
              ElementsAre("(1,1),(0,0)", "(2,2),(0,0)"));
  EXPECT_THAT(read<std::vector<std::string>>(pg(oid_enum, "{sad,\"very happy\"}")), ElementsAre("sad", "very happy"));
  EXPECT_EQ(read<std::optional<std::vector<int>>>(cell{}), std::nullopt);
}

TEST(DecodeArray, UndoesQuotes) {
  EXPECT_THAT(read<std::vector<std::string>>(pg(oid_text_array, R"({a,"","NULL","b,c","q\"\\","{}",ä})")),
              ElementsAre("a", "", "NULL", "b,c", "q\"\\", "{}", "ä"));
  EXPECT_THAT(read<std::vector<std::optional<std::string>>>(pg(oid_text_array, R"({NULL,"NULL",null})")),
              ElementsAre(std::nullopt, "NULL", "null"));
  EXPECT_EQ(status<std::vector<std::string>>(pg(oid_text_array, "{a,NULL}")), decoding::null_element);
}

TEST(DecodeArray, RefusesWhatIsNoArrayOfThatType) {
  EXPECT_EQ(status<std::vector<int>>(pg(oid_int4_array, "{{1,2},{3,4}}")), decoding::dimensions);
  EXPECT_EQ(status<std::vector<int>>(pg(oid_int4_array, "[1:1][2:2]={{1}}")), decoding::dimensions);
  EXPECT_EQ(status<std::vector<int>>(pg(oid_text_array, "{1}")), decoding::wrong_type);
  EXPECT_EQ(status<std::vector<int>>(pg(oid_int4, "1")), decoding::wrong_type);
  EXPECT_EQ(status<std::vector<int>>(pg(oid_enum, "{1}")), decoding::wrong_type);
  EXPECT_EQ(status<std::vector<std::string>>(pg(oid_text, "{1}")), decoding::wrong_type);
  EXPECT_EQ(status<std::vector<std::string>>(pg(0, "{1}")), decoding::wrong_type);
  EXPECT_EQ(status<std::vector<int>>(cell{}), decoding::null);
  EXPECT_EQ(status<std::vector<std::int8_t>>(pg(oid_int4_array, "{1,300}")), decoding::out_of_range);
  for (const auto* broken : {"", "{", "}", "{1", "1}", "{1,}", "{,1}", "{1,,2}", "{\"1}", "{\"1\"2}", "{1}}", "{1}x",
                             "[1:1={1}", "[1:1]{1}", "[a:b]={1}", "[]{1}", "{\"1\\\"}", "{1}{2}", "{a\"b}"})
    EXPECT_EQ(status<std::vector<std::string>>(pg(oid_text_array, broken)), decoding::malformed) << broken;
}

} // namespace
} // namespace sheaf
