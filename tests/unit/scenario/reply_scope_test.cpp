// SPDX-License-Identifier: BSD-3-Clause
//
// The names of a reply's parts in an expression.

#include "app/scenario/reply_scope.hpp"
#include "sheaf/table_builder.hpp"

#include "sheaf/table.hpp"

#include <gmock/gmock.h>

namespace {

using namespace sheaf;
using namespace sheaf::app;
using testing::HasSubstr;

operand scalar(const char* text, const char* type) {
  table_builder rows{{{.name = "x", .oid = 0, .type = type}}};
  rows.add_text(text);
  reply got;
  got.outcomes.push_back({.name = "q", .data = rows.finish()});
  return field_of(got, "q.scalar").value();
}

TEST(ReplyScope, GivesScalarsTheirTypes) {
  EXPECT_EQ(scalar("42", "int4"), operand{std::int64_t{42}});
  EXPECT_EQ(scalar("42", ""), operand{std::int64_t{42}});
  EXPECT_EQ(scalar("1.50", "numeric"), operand{1.5});
  EXPECT_EQ(scalar("t", "bool"), operand{true});
  EXPECT_EQ(scalar("f", "bool"), operand{false});
  EXPECT_EQ(scalar("42", "text"), operand{std::string{"42"}});
  EXPECT_EQ(scalar("NaN", "float8"), operand{std::string{"NaN"}});
  EXPECT_EQ(scalar("007", ""), operand{7.0});
}

TEST(ReplyScope, SaysWhatThereIsNot) {
  reply got;
  got.outcomes.push_back({.name = "a[0]", .data = table{}});
  got.outcomes.push_back({.name = "a[1]", .data = failure{.code = errc::rejected_sql, .query = "a[1]"}});
  got.outcomes.push_back({.name = "b", .data = table{}});
  EXPECT_EQ(field_of(got, "a.error").value(), operand{std::string{"rejected_sql"}});
  EXPECT_EQ(field_of(got, "a.ok").value(), operand{false});
  EXPECT_EQ(field_of(got, "a.attempts").value(), operand{std::int64_t{2}});
  EXPECT_EQ(field_of(got, "a.rows").error().code, errc::rejected_sql) << "the failure itself";
  EXPECT_THAT(field_of(got, "b.scalar").error().message, HasSubstr("0 rows"));
  EXPECT_EQ(field_of(got, "c.rows").error().message, "there is no c.rows");
  EXPECT_EQ(field_of(got, "b.nope").error().message, "there is no b.nope");
  EXPECT_EQ(field_of(got, "nope").error().message, "there is no nope");
  EXPECT_EQ(field_of(got, "queries").value(), operand{std::int64_t{3}});
  EXPECT_EQ(field_of(got, "ok").value(), operand{true});
  EXPECT_EQ(field_of(got, "error").value(), operand{});
}

} // namespace
