// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/session/result_budget.hpp"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(ResultBudget, IsDrawnOnByAllQueriesTogether) {
  request_budget all{10, 100, 2};
  EXPECT_FALSE(all.of(0).draw(6, 60));
  EXPECT_FALSE(all.of(1).draw(4, 40));
  EXPECT_EQ(all.of(0).draw(1, 0).value().code, errc::result_too_large);
  EXPECT_EQ(all.of(1).draw(0, 1).value().code, errc::result_too_large);
}

TEST(ResultBudget, HasAgainWhatAQueryGivesBack) {
  request_budget all{10, 100, 2};
  EXPECT_FALSE(all.of(0).draw(6, 60));
  EXPECT_FALSE(all.of(1).draw(4, 0));
  all.of(0).give_back();
  all.of(0).give_back();
  EXPECT_FALSE(all.of(0).draw(6, 100));
  EXPECT_TRUE(all.of(0).draw(1, 0)) << "the other's rows are there";
}

} // namespace
} // namespace sheaf
