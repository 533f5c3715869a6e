// SPDX-License-Identifier: BSD-3-Clause
//
// Results of many gibibytes, by mistake or by malice: refused in bounded memory, and stopped at the server.

#include "fault/fault_test.hpp"
#include "support/mib.hpp"

namespace {

using namespace sheaf;
using namespace sheaf::test;

class FaultFlood : public PostgresqlFault {};

TEST_F(FaultFlood, OfTenGibibytesCostsABoundedAmountOfMemory) {
  open([](options& how) { how.max_bytes = 16 * mib; });
  fill_pool();
  forget_peak_memory();
  const auto before = peak_memory_bytes();
  const auto x = e->run(request_of(3, [](int) {
    return query{"", "select repeat('x', 1000000) from generate_series(1, 10000)"};
  }));
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::result_too_large) << to_string(*x.failure);
  EXPECT_NE(x.failure->message.find("max_bytes"), std::string::npos) << x.failure->message;
  EXPECT_TRUE(eventually([&] { return schema.running() == 0; }));
  // For each of the three: twice `max_bytes`, and what may still come until the server has stopped; libpq doubles its
  // buffer.
  EXPECT_LT(peak_memory_bytes() - before, 300 * mib);
  expect_recovery();
}

} // namespace
