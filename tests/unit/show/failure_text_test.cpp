// SPDX-License-Identifier: BSD-3-Clause
//
// Places in SQL, and what a server says beside.

#include "app/base/terminal.hpp"
#include "app/show/failure_text.hpp"

#include <gtest/gtest.h>

#include <tuple>

namespace sheaf::app {
namespace {

TEST(Place, CountsCharactersInLines) {
  const std::string_view sql = "select\n\t'日本',\r\n  nope";
  const auto at = [&](std::size_t position) {
    const auto where = find_place(sql, position);
    return std::tuple{where.line, where.column, where.text};
  };
  EXPECT_EQ(at(1), std::tuple(1u, 1u, "select"));
  EXPECT_EQ(at(8), std::tuple(2u, 1u, "\t'日本',"));
  EXPECT_EQ(at(13), std::tuple(2u, 6u, "\t'日本',"));
  EXPECT_EQ(at(18), std::tuple(3u, 3u, "  nope"));
  EXPECT_EQ(at(22), std::tuple(3u, 7u, "  nope")); // behind the end
  EXPECT_EQ(at(1000), std::tuple(3u, 7u, "  nope"));
}

failure at_position(std::size_t position) {
  return {.code = errc::rejected_sql, .query = "q", .message = "no\ngood\033[0m", .position = position};
}

TEST(Place, IsNamedInTheFailuresLine) {
  EXPECT_EQ(describe(at_position(10), "select * form book"),
            "query \"q\": rejected_sql: no good\\x1B[0m (line 1, column 10)");
  EXPECT_EQ(describe(at_position(0), ""), "query \"q\": rejected_sql: no good\\x1B[0m");
}

TEST(Place, HasItsCaretBelowItAlsoInLongLines) {
  use_environment_locale();
  EXPECT_EQ(show_position(at_position(10), "select * form book", 80), "select * form book\n         ^\n");
  EXPECT_EQ(show_position(at_position(4), "\t日\033x", 80), " 日\\x1Bx\n       ^\n");
  EXPECT_EQ(show_position(at_position(0), "select", 80), "");
  const auto sql = std::string(500, 'a') + "X" + std::string(500, 'b');
  const auto shown = show_position(at_position(501), sql, 60);
  const auto line = shown.substr(0, shown.find('\n'));
  EXPECT_LE(line.size(), 60u);
  EXPECT_EQ(line.find('X'), shown.find('^') - line.size() - 1);
  EXPECT_TRUE(line.starts_with("...a") && line.ends_with("b...")) << line;
}

TEST(Details, StandBelowAsPsqlHasThem) {
  EXPECT_EQ(show_details({.code = errc::rejected_sql, .detail = "one\ntwo\x1b", .context = "three"}),
            "DETAIL:  one\ntwo\\x1B\nCONTEXT:  three\n");
  EXPECT_EQ(show_details({.code = errc::rejected_sql}), "");
}

TEST(Notices, StandAsPsqlHasThem) {
  reply of;
  of.outcomes = {{.name = "a",
                  .data = table{},
                  .notices = {.kept = {{.severity = "NOTICE", .message = "one", .context = "not shown"},
                                       {.severity = "WARNING", .message = "two", .detail = "three", .hint = "four"}},
                              .left_out = 93}}};
  EXPECT_EQ(show_notices(of.outcomes),
            "NOTICE:  one\nWARNING:  two\nDETAIL:  three\nHINT:  four\n… and 93 more notices\n");
  of.outcomes.push_back({.name = "b", .data = table{}});
  of.outcomes[0].notices.kept.pop_back();
  EXPECT_EQ(show_notices(of.outcomes), "query \"a\": NOTICE:  one\nquery \"a\": … and 93 more notices\n");
}

} // namespace
} // namespace sheaf::app
