// SPDX-License-Identifier: BSD-3-Clause
//
// Parameters as text with a type.

#include "app/file/parameter_text.hpp"

#include "sheaf/backends.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using testing::HasSubstr;
using testing::Not;

const backend& infers = **backend_for("postgresql://");
const backend& infers_not = **backend_for("sqlite:");

/// A parameter's type and value in words.
std::string parameter(std::string_view argument, const backend& of = infers) {
  const auto parsed = parse_parameter(argument, of).value().second;
  constexpr const char* types[] = {"null", "bool", "int", "double", "text", "bytes", "date", "timestamp", "array"};
  std::string out = types[parsed.data().index()];
  if (!parsed.is_null())
    append_postgresql_text(out += ' ', parsed);
  return out;
}

TEST(Parameter, IsTextWithoutAType) {
  EXPECT_EQ(parse_parameter("a=b=c", infers)->first, "a");
  EXPECT_EQ(parameter("a=b=c"), "text b=c");
  EXPECT_EQ(parameter("a=42"), "text 42");
  EXPECT_EQ(parameter("a="), "text ");
}

TEST(Parameter, IsANumberForSqliteOnlyWhenItReadsBackTheSame) {
  const auto read = [](const std::string& text) { return parameter("a=" + text, infers_not); };
  for (const std::string text : {"42", "-1", "0", "9223372036854775807", "-9223372036854775808"})
    EXPECT_EQ(read(text), "int " + text);
  for (const std::string text : {"1.5", "-0.25", "0.1", "2.0"})
    EXPECT_TRUE(read(text).starts_with("double ")) << text;
  for (const std::string text : {"007", "+1", "1.50", "1e3", ".5", "5.", "-0", "9223372036854775808", " 1", "0x10",
                                 "inf", "nan", "NaN", "-", ""})
    EXPECT_EQ(read(text), "text " + text);
}

TEST(Parameter, TakesItsTypeWhole) {
  EXPECT_EQ(parameter("a:int=-5"), "int -5");
  EXPECT_EQ(parameter("a:double=1e3"), "double 1000");
  EXPECT_EQ(parameter("a:bool=f"), "bool f");
  EXPECT_EQ(parameter("a:text=5", infers_not), "text 5");
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
    EXPECT_FALSE(parse_parameter(text, infers)) << text;
}

TEST(Parameter, TakesArraysWithNullsAndQuotes) {
  EXPECT_EQ(parameter("a:int[]=1, 2 ,null,-3"), "array {1,2,NULL,-3}");
  EXPECT_EQ(parameter("a:int[]="), "array {}");
  EXPECT_EQ(parameter(R"(a:text[]="a,b", "say \"x\"" ,"null",NULL)"), R"(array {"a,b","say \"x\"","null",NULL})");
  for (const char* text : {"a:int[]=1,", "a:int[]=,1", "a:int[]=1,,2", "a:int[]=1 2", "a:int[]={1,2}", "a:text[]=\"a",
                           "a:text[]=\"a\"b", "a:text[]=\"a\\"})
    EXPECT_FALSE(parse_parameter(text, infers)) << text;
}

TEST(Parameter, IsSplitAsAListWhateverItsType) {
  using list = std::vector<std::optional<std::string>>;
  EXPECT_EQ(split_list(R"(a, "b,c" ,null,"null","")"), (list{"a", "b,c", std::nullopt, "null", ""}));
  EXPECT_EQ(split_list(" "), list{});
  EXPECT_FALSE(split_list("\"a"));
  EXPECT_FALSE(split_list("\"a\" b"));
}

TEST(Parameter, IsNeverRepeatedInAnError) {
  for (const char* text : {"a:int=secret", "a:kind=secret", "a:int[]=1,secret", "a:null=secret", "=secret"})
    EXPECT_THAT(parse_parameter(text, infers).error().message, Not(HasSubstr("secret"))) << text;
}

} // namespace
} // namespace sheaf::app
