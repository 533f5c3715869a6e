// SPDX-License-Identifier: BSD-3-Clause
//
// Names of queries on the command line.

#include "app/commands/query_input.hpp"

#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

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

} // namespace
} // namespace sheaf::app
