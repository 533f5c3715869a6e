// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/data/wire.hpp"
#include "sheaf/request_inspect.hpp"
#include "sheaf/value.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/deep_to_string.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <limits>

namespace sheaf {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::year;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const value& x) {
  std::string out;
  append_postgresql_text(out, x);
  return out;
}

TEST(Value, IsNullUnlessItHoldsSomething) {
  EXPECT_TRUE(value{}.is_null());
  EXPECT_TRUE(value{nullptr}.is_null());
  EXPECT_TRUE(value{std::nullopt}.is_null());
  EXPECT_TRUE(value{std::optional<int>{}}.is_null());
  EXPECT_FALSE(value{std::optional<int>{0}}.is_null());
  EXPECT_FALSE(value{""}.is_null());
  EXPECT_FALSE(value{value::array{}}.is_null());
}

TEST(Value, KeepsTheKindOfWhatItIsGiven) {
  EXPECT_TRUE(std::holds_alternative<bool>(value{true}.data()));
  EXPECT_TRUE(std::holds_alternative<std::int64_t>(value{std::uint8_t{7}}.data()));
  EXPECT_TRUE(std::holds_alternative<double>(value{1.5F}.data()));
  EXPECT_TRUE(std::holds_alternative<std::string>(value{"x"}.data()));
  EXPECT_TRUE(std::holds_alternative<bytes>(value{bytes{std::byte{1}}}.data()));
  EXPECT_TRUE(std::holds_alternative<date>(value{date{}}.data()));
  EXPECT_TRUE(std::holds_alternative<date>(value{year{2024} / 2 / 29}.data()));
  EXPECT_TRUE(std::holds_alternative<timestamp>(value{std::chrono::sys_seconds{}}.data()));
  EXPECT_TRUE(std::holds_alternative<value::array>(value{std::vector<int>{1}}.data()));
  static_assert(!std::is_constructible_v<value, int*>, "a pointer is no bool");
}

TEST(Value, RefusesIntegersBeyond64BitsWithoutShowingThem) {
  EXPECT_EQ(text_of(value{std::uint64_t{std::numeric_limits<std::int64_t>::max()}}), "9223372036854775807");
  try {
    const value taken{std::uint64_t{9223372036854775808U}};
    FAIL() << "was taken";
  } catch (const error& e) {
    EXPECT_EQ(e.why().code, errc::invalid_request);
    EXPECT_THAT(e.why().message, Not(HasSubstr("9223372036854775808")));
  }
}

TEST(PostgresqlText, WritesScalars) {
  EXPECT_EQ(text_of(true), "t");
  EXPECT_EQ(text_of(false), "f");
  EXPECT_EQ(text_of(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(text_of("it's \"q\"\\\n"), "it's \"q\"\\\n");
  EXPECT_EQ(text_of(""), "");
  EXPECT_EQ(text_of(value{}), "");
  EXPECT_EQ(text_of(bytes{}), "\\x");
  EXPECT_EQ(text_of(bytes{std::byte{0}, std::byte{0xFF}, std::byte{0x5C}}), "\\x00ff5c");
}

TEST(PostgresqlText, WritesDoublesSoThatTheyReadBack) {
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(-0.0), "-0");
  EXPECT_EQ(text_of(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(text_of(std::numeric_limits<double>::infinity()), "Infinity");
  EXPECT_EQ(text_of(-std::numeric_limits<double>::infinity()), "-Infinity");
  for (double x : {std::numeric_limits<double>::max(), std::numeric_limits<double>::denorm_min(), 1e23, 2.0 / 3})
    EXPECT_EQ(std::strtod(text_of(x).c_str(), nullptr), x);
}

TEST(PostgresqlText, WritesDatesOfAnyYear) {
  EXPECT_EQ(text_of(date{}), "1970-01-01");
  EXPECT_EQ(text_of(year{2024} / 2 / 29), "2024-02-29");
  EXPECT_EQ(text_of(year{1} / 1 / 1), "0001-01-01");
  EXPECT_EQ(text_of(year{0} / 12 / 31), "0001-12-31 BC");
  EXPECT_EQ(text_of(year{-43} / 3 / 15), "0044-03-15 BC");
  EXPECT_EQ(text_of(date{std::chrono::days{2'145'042'905}}), "5874897-12-31"); // the server's last and first year
  EXPECT_EQ(text_of(date{std::chrono::days{-2'440'550}}), "4713-01-01 BC");
  EXPECT_THAT(text_of(date::max()), HasSubstr("-"));
  EXPECT_THAT(text_of(date::min()), HasSubstr(" BC"));
}

TEST(PostgresqlText, WritesTimestampsInUtc) {
  EXPECT_EQ(text_of(sys_days{year{2024} / 2 / 29} + 12h + 34min + 56s + 789ms), "2024-02-29 12:34:56.789+00:00");
  EXPECT_EQ(text_of(timestamp{-1us}), "1969-12-31 23:59:59.999999+00:00");
  EXPECT_EQ(text_of(sys_days{year{-43} / 3 / 15} + 1us), "0044-03-15 00:00:00.000001+00:00 BC");
  EXPECT_EQ(text_of(timestamp::max()), "294247-01-10 04:00:54.775807+00:00");
  EXPECT_THAT(text_of(timestamp::min()), HasSubstr(" BC"));
}

TEST(PostgresqlText, QuotesWhatAnArrayWouldMisread) {
  EXPECT_EQ(text_of(std::vector<int>{1, -2}), "{1,-2}");
  EXPECT_EQ(text_of(std::vector<int>{}), "{}");
  EXPECT_EQ(text_of(std::vector<bool>{true, false}), "{t,f}");
  EXPECT_EQ(text_of(std::vector<std::optional<int>>{1, std::nullopt}), "{1,NULL}");
  EXPECT_EQ(text_of(std::vector<double>{0.5, std::numeric_limits<double>::infinity()}), "{0.5,Infinity}");
  EXPECT_EQ(text_of(std::vector<std::string>{"", "NULL", "a,b", "{", R"(q"\)"}), R"({"","NULL","a,b","{","q\"\\"})");
  EXPECT_EQ(text_of(std::vector<bytes>{{std::byte{1}}}), R"({"\\x01"})");
  EXPECT_EQ(text_of(std::vector<date>{date{}}), R"({"1970-01-01"})");
  EXPECT_EQ(text_of(value::array{std::vector<int>{1, 2}, std::vector<int>{3, 4}}), "{{1,2},{3,4}}");
}

TEST(Parameters, AreFoundByName) {
  const parameters values{{"a", 1}, {"ab", 2}};
  ASSERT_NE(find(values, "ab"), nullptr);
  EXPECT_EQ(text_of(*find(values, "ab")), "2");
  EXPECT_EQ(find(values, "b"), nullptr);
  EXPECT_EQ(find({}, ""), nullptr);
}

TEST(Value, KnowsTextWithNul) {
  using namespace std::string_literals;
  EXPECT_TRUE(contains_nul("a\0b"s));
  EXPECT_TRUE(contains_nul(value::array{1, std::vector<std::string>{"x", "\0"s}}));
  EXPECT_FALSE(contains_nul(""));
  EXPECT_FALSE(contains_nul(bytes{std::byte{0}}));
  EXPECT_FALSE(contains_nul(value::array{"a", nullptr, 0}));
}

std::vector<value> one_of_each() {
  return {value{},
          true,
          std::numeric_limits<std::int64_t>::min(),
          std::bit_cast<double>(0x7FF4'0000'0000'0001U), // a NaN that says something
          -std::numeric_limits<double>::infinity(),
          std::string("a\0b", 3),
          bytes{std::byte{0}, std::byte{255}},
          date::min(),
          timestamp::max(),
          value::array{1, nullptr, value::array{"x"}, std::string(300, 'y')}};
}

std::string wire_of_value(const value& x) {
  std::string out;
  wire::append(out, x);
  return out;
}

TEST(ValueOnTheWire, ArrivesBitByBit) {
  for (const auto& x : one_of_each()) {
    const auto back = wire::read_value(wire_of_value(x));
    ASSERT_TRUE(back) << text_of(x);
    EXPECT_EQ(back->data().index(), x.data().index());
    EXPECT_EQ(text_of(*back), text_of(x));
    EXPECT_EQ(wire_of_value(*back), wire_of_value(x));
  }
}

TEST(ValueOnTheWire, IsRefusedWhenCutOffOrContinued) {
  for (const auto& x : one_of_each()) {
    const auto whole = wire_of_value(x);
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_FALSE(wire::read_value(whole.substr(0, size)));
    EXPECT_FALSE(wire::read_value(whole + '\0'));
  }
}

TEST(ValueOnTheWire, IsRefusedWhenItPromisesWhatIsNotThere) {
  const std::string version = wire_of_value(value{}).substr(0, 1);
  const std::string huge = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
  for (const char* tag : {"\4", "\5", "\x8"}) // text, bytes, array
    EXPECT_FALSE(wire::read_value(std::string{version}.append(tag).append(huge)));
  EXPECT_FALSE(wire::read_value(version + "\x9"));             // no such kind
  EXPECT_FALSE(wire::read_value(version + "\1\2"));            // no such bool
  EXPECT_FALSE(wire::read_value("\x7F" + wire_of_value({1}))); // no such version
  std::string nested = version;
  for (int i = 0; i < 100'000; ++i)
    nested += "\x8\x1";
  EXPECT_FALSE(wire::read_value(nested + '\0'));
}

TEST(ValueInACafMessage, RoundTripsAndPrintsNothingOfItself) {
  for (const auto& x : one_of_each()) {
    std::vector<char> buffer;
    caf::binary_serializer sink{nullptr, buffer};
    ASSERT_FALSE(sink(x));
    value back;
    caf::binary_deserializer source{nullptr, buffer};
    ASSERT_FALSE(source(back));
    EXPECT_EQ(source.remaining(), 0U);
    EXPECT_EQ(wire_of_value(back), wire_of_value(x));
    buffer.pop_back();
    caf::binary_deserializer cut{nullptr, buffer};
    EXPECT_TRUE(cut(back));
  }
  EXPECT_THAT(caf::deep_to_string(value{"secret"}), Not(HasSubstr("secret")));
}

} // namespace
} // namespace sheaf
