// SPDX-License-Identifier: BSD-3-Clause
//
// Which queries of a request go together, by what is known of them.

#include "sheaf/core/packing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <numeric>

namespace {

using namespace sheaf;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::ElementsAre;

/// A request of so many queries, all of one statement.
std::shared_ptr<const checked_request> asked(std::size_t queries, const options& how) {
  request x;
  const statement same{"select 1"};
  for (std::size_t i = 0; i < queries; ++i) {
    x.queries.push_back({"", same});
    x.queries.back().database = i % how.databases.size() == 0 ? "main" : "other";
  }
  const std::vector dialects(how.databases.size(), dialect::sqlite);
  return check(std::move(x), how, dialects).value();
}

options one_database() { return for_database("sqlite::memory:"); }

options two_databases() {
  auto how = one_database();
  how.databases.push_back(how.databases.front());
  how.databases.back().name = "other";
  return how;
}

std::vector<std::size_t> sizes(const std::vector<pack>& all) {
  std::vector<std::size_t> of_each;
  for (const auto& x : all)
    of_each.push_back(x.queries.size());
  return of_each;
}

std::vector<pack> formed(std::size_t queries, std::optional<nanoseconds> takes, nanoseconds way,
                         const options& how = one_database()) {
  admission::ticket given;
  given.each.resize(queries, {.packed = takes});
  return form_packs(*asked(queries, how), given, [way](std::size_t) { return way; });
}

TEST(Packs, AreAsManyAsTheirTimesAskFor) {
  EXPECT_THAT(sizes(formed(20, 2us, 50us)), ElementsAre(20));
  EXPECT_THAT(sizes(formed(20, 30us, 50us)), ElementsAre(7, 7, 6)) << "600 us in packs of 200 us at most";
  EXPECT_THAT(sizes(formed(20, 30us, 1ms)), ElementsAre(20)) << "a round trip takes longer";
  EXPECT_THAT(sizes(formed(4, 1ms, 50us)), ElementsAre(2, 2)) << "one of one would be none";
}

TEST(Packs, HoldNoMoreThanTheyMay) {
  EXPECT_THAT(sizes(formed(33, 0us, 50us)), ElementsAre(17, 16));
  EXPECT_THAT(sizes(formed(64, 0us, 50us)), ElementsAre(32, 32));
}

TEST(Packs, AreNotOfOne) {
  EXPECT_TRUE(formed(1, 1us, 50us).empty());
  EXPECT_TRUE(formed(20, std::nullopt, 50us).empty());
}

TEST(Packs, AreOfOneDatabaseEach) {
  const auto all = formed(6, 1us, 50us, two_databases());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_THAT(all[0].queries, ElementsAre(0, 2, 4));
  EXPECT_THAT(all[1].queries, ElementsAre(1, 3, 5));
  EXPECT_EQ(all[1].database, 1u);
}

TEST(Packs, AreExpectedToTakeTheWayAndTheirStatements) { EXPECT_EQ(formed(5, 3us, 40us)[0].expected, 55us); }

} // namespace
