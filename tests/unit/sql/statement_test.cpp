// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sql/scanner.hpp"
#include "sheaf/statement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <barrier>
#include <random>
#include <thread>

namespace sheaf {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Statement, MapsPositionsBackToItsSource) {
  const auto parsed = parse_statement("select :length, x, limit:b", dialect::postgresql, {});
  ASSERT_EQ(parsed.text, "select $1, x, limit $2");
  EXPECT_EQ(parsed.position_in_source(0), 0u);   // Not known.
  EXPECT_EQ(parsed.position_in_source(1), 1u);   // s
  EXPECT_EQ(parsed.position_in_source(8), 8u);   // $1
  EXPECT_EQ(parsed.position_in_source(9), 8u);   // within it
  EXPECT_EQ(parsed.position_in_source(10), 15u); // ,
  EXPECT_EQ(parsed.position_in_source(12), 17u); // x
  EXPECT_EQ(parsed.position_in_source(20), 25u); // the blank before $2
  EXPECT_EQ(parsed.position_in_source(22), 25u);
  EXPECT_EQ(parsed.position_in_source(23), 27u); // the end
}

TEST(Statement, MapsPositionsInCharacters) {
  const auto parsed = parse_statement("select 'größer', :größe, 'ä€😀', :ß, oops", dialect::postgresql, {});
  ASSERT_EQ(parsed.text, "select 'größer', $1, 'ä€😀', $2, oops");
  EXPECT_EQ(parsed.position_in_source(18), 18u); // $1, behind 17 characters
  EXPECT_EQ(parsed.position_in_source(20), 24u); // ,
  EXPECT_EQ(parsed.position_in_source(29), 33u); // $2
  EXPECT_EQ(parsed.position_in_source(33), 37u); // oops
}

/// The places where the characters of `utf8` begin, and the end.
std::vector<std::size_t> beginnings(std::string_view utf8) {
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i <= utf8.size(); ++i)
    if (i == utf8.size() || (static_cast<unsigned char>(utf8[i]) & 0xc0) != 0x80)
      at.push_back(i);
  return at;
}

std::string character(const std::string& text, const std::vector<std::size_t>& at, std::size_t n) {
  return n + 1 < at.size() ? text.substr(at[n], at[n + 1] - at[n]) : "the end";
}

TEST(Statement, HasTheSameCharacterAsItsSourceAtEveryPosition) {
  const std::vector<std::string> pieces{":a", ":größe", ":ℵ", " ", ",", "€", "😀", "'ä:a'", "x", "(", "limit", "\n"};
  std::mt19937_64 random{4711};
  for (int round = 0; round < 5'000; ++round) {
    std::string sql;
    for (auto n = 1 + random() % 12; n > 0; --n)
      sql += pieces[random() % pieces.size()];
    const auto parsed = parse_statement(sql, dialect::postgresql, {});
    const auto in_text = beginnings(parsed.text), in_source = beginnings(sql);
    auto next = parsed.replacements.begin();
    for (std::size_t i = 0; i < in_text.size(); ++i) {
      const auto source = parsed.position_in_source(i + 1) - 1;
      ASSERT_LT(source, in_source.size()) << sql;
      if (next != parsed.replacements.end() && i >= next->at_text + next->text_length)
        ++next;
      if (next != parsed.replacements.end() && i >= next->at_text)
        ASSERT_EQ(sql[in_source[source]], ':') << sql << " at " << i;
      else
        ASSERT_EQ(character(parsed.text, in_text, i), character(sql, in_source, source)) << sql << " at " << i;
    }
  }
}

TEST(Statement, IsEmptyByDefault) {
  const statement none;
  EXPECT_EQ(none.sql(), "");
  EXPECT_TRUE(none.parse(dialect::postgresql, {})->empty);
  EXPECT_EQ(none.parse(dialect::postgresql, {}).get(), none.parse(dialect::postgresql, {}).get());
  EXPECT_TRUE(statement{""}.parse(dialect::sqlite, {})->empty);
}

TEST(Statement, IsParsedOnceForAllItsCopies) {
  const statement first{"select :a"};
  const auto parsed = first.parse(dialect::postgresql, {});
  auto copy = statement{"select 2"};
  copy = first;
  EXPECT_EQ(copy.sql(), "select :a");
  EXPECT_EQ(copy.parse(dialect::postgresql, {{"a", 1}}).get(), parsed.get());
  EXPECT_NE(copy.parse(dialect::sqlite, {}).get(), parsed.get());
  EXPECT_EQ(copy.parse(dialect::sqlite, {})->text, "select :a");
}

TEST(Statement, OutlivesItsText) {
  auto gone = std::make_unique<statement>("select :a");
  const auto parsed = gone->parse(dialect::postgresql, {});
  gone.reset();
  EXPECT_EQ(parsed->text, "select $1");
  EXPECT_THAT(parsed->names, ElementsAre("a"));
}

TEST(Statement, IsParsedAnewWhereTheDeclaredNamesMatter) {
  const statement sliced{"select a[:n]"};
  EXPECT_THAT(sliced.parse(dialect::postgresql, {})->names, IsEmpty());
  EXPECT_THAT(sliced.parse(dialect::postgresql, {{"n", 1}})->names, ElementsAre("n"));
  EXPECT_THAT(sliced.parse(dialect::postgresql, {})->names, IsEmpty());
}

TEST(Statement, HashesWhatItSends) {
  EXPECT_EQ(parse_statement("select :a", dialect::postgresql, {}).hash,
            parse_statement("select :b", dialect::postgresql, {}).hash);
  EXPECT_EQ(parse_statement("select :a", dialect::postgresql, {}).hash, std::hash<std::string>{}("select $1"));
}

TEST(Statement, IsParsedByManyThreadsAtOnce) {
  constexpr std::size_t count = 8;
  const std::string rest(20'000, '+'); // Long enough for the threads to meet.
  for (int round = 0; round < 50; ++round) {
    const statement shared{"select :a, ':b', :c" + rest};
    std::array<std::shared_ptr<const parsed_statement>, count> seen;
    std::barrier start{count};
    std::vector<std::thread> threads;
    threads.reserve(count);
    for (auto& x : seen)
      threads.emplace_back([&, own = shared] {
        start.arrive_and_wait();
        x = own.parse(dialect::postgresql, {});
      });
    for (auto& t : threads)
      t.join();
    for (const auto& x : seen) {
      EXPECT_EQ(x.get(), seen[0].get());
      EXPECT_EQ(x->text, "select $1, ':b', $2" + rest);
    }
  }
}

} // namespace
} // namespace sheaf
