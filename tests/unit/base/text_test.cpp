// SPDX-License-Identifier: BSD-3-Clause
//
// Durations, and the widths of text.

#include "app/base/duration.hpp"
#include "app/base/terminal.hpp"
#include "app/base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

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

} // namespace
} // namespace sheaf::app
