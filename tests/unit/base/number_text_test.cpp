// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers as people read them.

#include "app/base/number_text.hpp"

#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

TEST(NumberText, HasThreeDigitsAndAPrefix) {
  EXPECT_EQ(to_people(0), "0");
  EXPECT_EQ(to_people(0.25), "0.25");
  EXPECT_EQ(to_people(1), "1");
  EXPECT_EQ(to_people(850), "850");
  EXPECT_EQ(to_people(999.4), "999");
  EXPECT_EQ(to_people(999.6), "1 k");
  EXPECT_EQ(to_people(29'417), "29.4 k");
  EXPECT_EQ(to_people(999'600), "1 M");
  EXPECT_EQ(to_people(1'020'000), "1.02 M");
  EXPECT_EQ(to_people(7e15), "7e+03 T");
}

} // namespace
} // namespace sheaf::app
