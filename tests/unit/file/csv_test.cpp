// SPDX-License-Identifier: BSD-3-Clause

#include "app/file/csv.hpp"

#include <gmock/gmock.h>

namespace {

using namespace sheaf::app;
using testing::ElementsAre;

TEST(Csv, ReadsWhatPsqlWrites) {
  const auto x = parse_csv("id,\"na\"\"me\"\r\n1,\"a, b\nc\"\n2,\n3,\"\"");
  ASSERT_TRUE(x.has_value()) << x.error().message;
  EXPECT_THAT(x->columns, ElementsAre("id", "na\"me"));
  ASSERT_EQ(x->rows.size(), 3u);
  EXPECT_EQ(x->rows[0][1], "a, b\nc");
  EXPECT_EQ(x->rows[1][1], std::nullopt);
  EXPECT_EQ(x->rows[2][1], "");
  EXPECT_THAT(x->lines, ElementsAre(2, 4, 5));
}

TEST(Csv, NamesTheLineThatIsWrong) {
  const std::pair<const char*, const char*> bad[] = {
      {"", "line 1: there is no line with the columns' names"},
      {"a,\n", "line 1: a column without a name"},
      {"a,b\n1,2\n3\n", "line 3: 1 fields, and there are 2 columns"},
      {"a\n\"x\ny\n", "line 2: a quote that does not end"},
      {"a\nx\"y\n", "line 2: a quote within a field: put the field into quotes, and this one twice"},
      {"a\n\"x\"y\n", "line 2: something behind a closing quote"},
      {"a\n\xff\n", "line 2: it is not UTF-8"},
  };
  for (const auto& [text, why] : bad) {
    const auto x = parse_csv(text);
    ASSERT_TRUE(x.has_error()) << text;
    EXPECT_EQ(x.error().message, why);
  }
}

} // namespace
