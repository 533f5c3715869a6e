// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/data/wire.hpp"
#include "sheaf/request_inspect.hpp"
#include "sheaf/table.hpp"
#include "sheaf/table_builder.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/deep_to_string.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <random>

namespace sheaf {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string wire_of(const table& x) {
  std::string out;
  wire::append(out, x);
  return out;
}

/// Every encoding, and the numbers that CAF itself cannot send.
table of_every_encoding() {
  table_builder b{{{"any", 0, "ANY"}, {"n", 23, "int4"}, {"n", 25, "text"}}};
  const std::string four("\xFF\0\0\1", 4);
  const cell int4{.encoding = encoding::binary, .oid = 23, .data = four.data(), .size = 4};
  const auto add_row = [&](auto first) {
    first();
    b.add(int4);
    b.add_text("secret");
  };
  add_row([&] { b.add_null(); });
  add_row([&] { b.add_integer(std::numeric_limits<std::int64_t>::min()); });
  add_row([&] { b.add_real(-std::numeric_limits<double>::infinity()); });
  add_row([&] { b.add_real(std::bit_cast<double>(0x7FF4'0000'0000'0001U)); });
  add_row([&] { b.add_real(5e-324); });
  add_row([&] { b.add_text(std::string(70'000, 'x')); }); // more than is loaded at once
  add_row([&] { b.add_blob(std::string_view("\0\xFF", 2)); });
  return b.finish(std::numeric_limits<std::uint64_t>::max());
}

/// No rows, no columns, rows without columns, and one of each encoding.
std::vector<table> tables() {
  table_builder rows_only{{}};
  rows_only.add_empty_rows(2);
  return {table{}, rows_only.finish(), table_builder{{{"a", 0, ""}}}.finish(3), of_every_encoding()};
}

void expect_same(const table& x, const table& y) {
  ASSERT_EQ(x.rows(), y.rows());
  ASSERT_EQ(x.columns(), y.columns());
  EXPECT_EQ(x.affected_rows(), y.affected_rows());
  EXPECT_EQ(x.bytes(), y.bytes());
  for (std::size_t i = 0; i < x.columns(); ++i) {
    EXPECT_EQ(x.column_at(i).name, y.column_at(i).name);
    EXPECT_EQ(x.column_at(i).oid, y.column_at(i).oid);
    EXPECT_EQ(x.column_at(i).type, y.column_at(i).type);
    for (std::size_t row = 0; row < x.rows(); ++row) {
      const auto a = x.cell_at(row, i), b = y.cell_at(row, i);
      EXPECT_EQ(a.encoding, b.encoding);
      EXPECT_EQ(std::string_view(a.data, a.size), std::string_view(b.data, b.size));
    }
  }
}

TEST(TableOnTheWire, ArrivesBitByBit) {
  for (const auto& x : tables()) {
    const auto back = wire::read_table(wire_of(x));
    ASSERT_TRUE(back);
    expect_same(*back, x);
  }
}

TEST(TableOnTheWire, IsRefusedWhenCutOffOrContinued) {
  for (const auto& x : tables()) {
    const auto whole = wire_of(x);
    for (std::size_t size = 0; size < whole.size(); size += size < 2000 ? 1 : 997)
      EXPECT_FALSE(wire::read_table(whole.substr(0, size)));
    EXPECT_FALSE(wire::read_table(whole + '\0'));
  }
}

TEST(TableOnTheWire, IsRefusedWhenItPromisesWhatIsNotThere) {
  const std::string version = wire_of({}).substr(0, 1);
  const std::string huge = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
  const std::string one_column = version + "\1" + std::string(3, '\0');
  EXPECT_FALSE(wire::read_table(version + huge));                                                      // columns
  EXPECT_FALSE(wire::read_table(version + "\1" + huge));                                               // a name
  EXPECT_FALSE(wire::read_table(version + "\1" + std::string(1, '\0') + huge + std::string(1, '\0'))); // a type
  EXPECT_FALSE(wire::read_table(one_column + huge + std::string(1, '\0')));                            // rows
  EXPECT_FALSE(wire::read_table(one_column + "\1" + std::string(1, '\0') + "\1" + huge));              // text
  EXPECT_FALSE(wire::read_table(one_column + "\1" + std::string(1, '\0') + "\x6"));                    // an encoding
  EXPECT_FALSE(wire::read_table(version + "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F")); // more than 64 bits
}

TEST(TableOnTheWire, IsRefusedWhenBinaryDataDoNotFitTheirType) {
  for (std::uint32_t oid : {23U, 1700U, 0U}) {
    table_builder b{{{"n", oid, ""}}};
    b.add({.encoding = encoding::binary, .oid = oid, .data = "123", .size = 3});
    EXPECT_FALSE(wire::read_table(wire_of(b.finish()))) << oid;
  }
}

TEST(TableOnTheWire, SurvivesAnyDamage) {
  const auto whole = wire_of(of_every_encoding());
  std::mt19937 random{1};
  for (int i = 0; i < 3000; ++i) {
    auto damaged = whole;
    for (auto hits = 1 + random() % 3; hits > 0; --hits)
      damaged[random() % 300] = static_cast<char>(random());
    const auto read = wire::read_table(damaged);
    if (!read || read->columns() == 0)
      continue;
    for (std::size_t row = 0; row < read->rows(); ++row)
      for (std::size_t column = 0; column < read->columns(); ++column)
        EXPECT_NO_THROW(read->text(row, column));
  }
}

TEST(TableInACafMessage, RoundTripsAndPrintsNothingOfItself) {
  for (const auto& x : tables()) {
    std::vector<char> buffer;
    caf::binary_serializer sink{nullptr, buffer};
    ASSERT_FALSE(sink(x));
    table back;
    caf::binary_deserializer source{nullptr, buffer};
    ASSERT_FALSE(source(back));
    EXPECT_EQ(source.remaining(), 0U);
    expect_same(back, x);
  }
  EXPECT_THAT(caf::deep_to_string(of_every_encoding()), Not(HasSubstr("secret")));
}

TEST(TableInACafMessage, IsAnErrorWhenBroken) {
  auto x = of_every_encoding();
  std::vector<char> buffer;
  caf::binary_serializer sink{nullptr, buffer};
  ASSERT_FALSE(sink(x));
  auto back = tables()[2];
  const auto fails = [&back](const std::vector<char>& from) {
    caf::binary_deserializer source{nullptr, from};
    return static_cast<bool>(source(back));
  };
  EXPECT_TRUE(fails({buffer.begin(), buffer.end() - 1}));
  EXPECT_TRUE(fails({buffer.begin(), buffer.begin() + 4}));
  EXPECT_TRUE(fails({}));
  // A length of 2^63 bytes: an error once the bytes end, not an allocation.
  std::vector<char> promise(8, '\0');
  promise[0] = '\x7F';
  EXPECT_TRUE(fails(promise));
  expect_same(back, tables()[2]);
}

} // namespace
} // namespace sheaf
