// SPDX-License-Identifier: BSD-3-Clause
//
// The pieces of the program that read and draw: durations, names, parameters, places in SQL, widths, timelines.

#include "app/duration.hpp"
#include "app/failure_text.hpp"
#include "app/parameter_text.hpp"
#include "app/query_input.hpp"
#include "app/terminal.hpp"
#include "app/text.hpp"
#include "app/timeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

namespace sheaf::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(Duration, IsANumberAndAUnit) {
  EXPECT_EQ(*parse_duration("5s"), 5s);
  EXPECT_EQ(*parse_duration("250ms"), 250ms);
  EXPECT_EQ(*parse_duration("1.5m"), 90s);
  EXPECT_EQ(*parse_duration("2h"), 2h);
  EXPECT_EQ(*parse_duration("10us"), 10us);
}

TEST(Duration, IsNothingElse) {
  for (const char* text :
       {"", "5", "s", "-5s", "0s", "0.0000001us", "5 s", "5sec", "5d", "infs", "nans", "1e3s", "11000000000h", "5s "})
    EXPECT_FALSE(parse_duration(text)) << text;
  EXPECT_THAT(parse_duration("5").error().message, HasSubstr("needs a unit"));
}

TEST(Duration, IsShownWithThreeDigits) {
  EXPECT_EQ(to_text(0ns), "0 us");
  EXPECT_EQ(to_text(850us), "850 us");
  EXPECT_EQ(to_text(999'600ns), "1.00 ms");
  EXPECT_EQ(to_text(61'240us), "61.2 ms");
  EXPECT_EQ(to_text(120ms), "120 ms");
  EXPECT_EQ(to_text(999'600us), "1.00 s");
  EXPECT_EQ(to_text(2260ms), "2.26 s");
  EXPECT_EQ(to_text(3600s), "3600 s");
}

TEST(QueryName, IsAWordDirectlyFollowedByAnEqualsSign) {
  const auto name = [](std::string_view text) { return split_name(text).name; };
  EXPECT_EQ(name("total=select 1"), "total");
  EXPECT_EQ(name("_t2=select 1"), "_t2");
  EXPECT_EQ(name("größe=select 1"), "größe");
  EXPECT_EQ(split_name("a=b=c").text, "b=c");
  for (const char* text : {"select a = 1", "select 1", "select", "", "=select 1", "2=select 1", " a=select 1",
                           "a-b=select 1", "a =select 1", "(select 1)=1", "./a=b.sql"})
    EXPECT_EQ(name(text), "") << text;
}

/// A parameter's type and value in words.
std::string parameter(std::string_view argument, dialect d = dialect::postgresql) {
  const auto parsed = parse_parameter(argument, d).value().second;
  constexpr const char* types[] = {"null", "bool", "int", "double", "text", "bytes", "date", "timestamp", "array"};
  std::string out = types[parsed.data().index()];
  if (!parsed.is_null())
    append_postgresql_text(out += ' ', parsed);
  return out;
}

TEST(Parameter, IsTextWithoutAType) {
  EXPECT_EQ(parse_parameter("a=b=c", dialect::postgresql)->first, "a");
  EXPECT_EQ(parameter("a=b=c"), "text b=c");
  EXPECT_EQ(parameter("a=42"), "text 42");
  EXPECT_EQ(parameter("a="), "text ");
}

TEST(Parameter, IsANumberForSqliteOnlyWhenItReadsBackTheSame) {
  const auto sqlite = [](const std::string& text) { return parameter("a=" + text, dialect::sqlite); };
  for (const std::string text : {"42", "-1", "0", "9223372036854775807", "-9223372036854775808"})
    EXPECT_EQ(sqlite(text), "int " + text);
  for (const std::string text : {"1.5", "-0.25", "0.1", "2.0"})
    EXPECT_TRUE(sqlite(text).starts_with("double ")) << text;
  for (const std::string text : {"007", "+1", "1.50", "1e3", ".5", "5.", "-0", "9223372036854775808", " 1", "0x10",
                                 "inf", "nan", "NaN", "-", ""})
    EXPECT_EQ(sqlite(text), "text " + text);
}

TEST(Parameter, TakesItsTypeWhole) {
  EXPECT_EQ(parameter("a:int=-5"), "int -5");
  EXPECT_EQ(parameter("a:double=1e3"), "double 1000");
  EXPECT_EQ(parameter("a:bool=f"), "bool f");
  EXPECT_EQ(parameter("a:text=5", dialect::sqlite), "text 5");
  EXPECT_EQ(parameter("a:bytes=\\x00Ff"), "bytes \\x00ff");
  EXPECT_EQ(parameter("a:null"), "null");
  for (const char* text : {"a:int=",
                           "a:int=5 ",
                           "a:int=5.0",
                           "a:int=9223372036854775808",
                           "a:double=x",
                           "a:double=1,5",
                           "a:bool=maybe",
                           "a:bytes=00",
                           "a:bytes=\\x0",
                           "a:bytes=\\x0g",
                           "a:bytes=\\x+1",
                           "a:null=",
                           "a:int",
                           "a",
                           "",
                           "=1",
                           ":int=1",
                           "a:=1",
                           "a:number=1",
                           "a:null[]=1",
                           "a:int[][]=1"})
    EXPECT_FALSE(parse_parameter(text, dialect::postgresql)) << text;
}

TEST(Parameter, TakesArraysWithNullsAndQuotes) {
  EXPECT_EQ(parameter("a:int[]=1, 2 ,null,-3"), "array {1,2,NULL,-3}");
  EXPECT_EQ(parameter("a:int[]="), "array {}");
  EXPECT_EQ(parameter(R"(a:text[]="a,b", "say \"x\"" ,"null",NULL)"), R"(array {"a,b","say \"x\"","null",NULL})");
  for (const char* text : {"a:int[]=1,", "a:int[]=,1", "a:int[]=1,,2", "a:int[]=1 2", "a:int[]={1,2}", "a:text[]=\"a",
                           "a:text[]=\"a\"b", "a:text[]=\"a\\"})
    EXPECT_FALSE(parse_parameter(text, dialect::postgresql)) << text;
}

TEST(Parameter, IsNeverRepeatedInAnError) {
  for (const char* text : {"a:int=secret", "a:kind=secret", "a:int[]=1,secret", "a:null=secret", "=secret"})
    EXPECT_THAT(parse_parameter(text, dialect::postgresql).error().message, Not(HasSubstr("secret"))) << text;
}

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

TEST(Text, KnowsWidthsAndEscapesControls) {
  use_environment_locale();
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("日本"), 4u);
  EXPECT_EQ(display_width("e\u0301"), 1u);
  EXPECT_EQ(one_line("a\nb\tc\033\u0085\xff"), "a b c\\x1B\\u0085\\xFF");
  EXPECT_EQ(padded("日", 4), "日  ");
  EXPECT_EQ(shortened("日本語", 5, true), "日本…");
  EXPECT_EQ(shortened("abcdef", 5, false), "ab...");
}

TEST(Text, TakesNothingForUtf8ThatIsNot) {
  for (const char* text :
       {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xff", "\xf0\x80\x80\x80", "\xc3("})
    EXPECT_FALSE(first_character(text).valid);
  EXPECT_EQ(first_character("\U0010ffff").code, U'\U0010ffff');
}

TEST(Timeline, TellsWaitingFromRunning) {
  reply what;
  what.elapsed = 100ms;
  what.outcomes.push_back(
      {.name = "first", .data = table{}, .times = {.queued = 0ns, .acquired = 0ns, .sent = 0ns, .last_row = 50ms}});
  what.outcomes.push_back(
      {.name = "second", .data = table{}, .times = {.queued = 0ns, .acquired = 50ms, .sent = 50ms, .last_row = 100ms}});
  what.outcomes.push_back({.name = "third", .data = failure{.code = errc::pool_timeout}, .times = {.queued = 0ns}});
  const terminal narrow{.width = 60};
  EXPECT_EQ(timeline(what, narrow), "  first   ##########            ran 50.0 ms\n"
                                    "  second  ..........##########  ran 50.0 ms, waited 50.0 ms\n"
                                    "  third   ....................  pool_timeout, never ran, waited 100 ms\n"
                                    "          0             100 ms\n"
                                    "  . waiting for a session   # running\n");
}

TEST(Timeline, ShowsAtLeastASignAndAtMostFortyQueries) {
  reply what;
  what.elapsed = 1h;
  for (int i = 0; i < 1000; ++i)
    what.outcomes.push_back(
        {.name = "q" + std::to_string(i), .data = table{}, .times = {.queued = 1h, .acquired = 1h, .last_row = 1h}});
  const auto drawn = timeline(what, {});
  EXPECT_THAT(drawn, HasSubstr(".#  ran 0 us"));
  EXPECT_THAT(drawn, HasSubstr("and 960 more queries"));
  reply nothing;
  EXPECT_THAT(timeline(nothing, {}), HasSubstr("0 us"));
}

} // namespace
} // namespace sheaf::app
